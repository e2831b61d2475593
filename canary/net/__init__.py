"""Polite and guarded fetching: the one room that imports httpx."""
