"""Personas that are nobody real, record kinds, and canaries that fit a host table."""
