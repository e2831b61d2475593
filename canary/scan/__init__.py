"""Canaries in any bytes: the plain engine, which says what is right."""
