"""The registry: everything issued, seen and concluded, in SQLite or PostgreSQL."""

from canary.store.registry import Registry
from canary.store.tx import Tx

__all__ = ["Registry", "Tx"]
