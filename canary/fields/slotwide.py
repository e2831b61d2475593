"""Slots of keys, put and looked up by compiled code; it alone imports this."""

from __future__ import annotations

from canary.native import apart
from canary.operations import byte, get, put, put_byte

# The numbers that both are given: the keys, the bits that choose a slot, the slots, and room for what is found.
KEYS, COUNT, BITS, SLOTS, PLACES, FOUND = range(6)


@apart
def put_slots(st: int) -> None:
    """Take the slots of some keys."""
    keys = get(st, KEYS)
    bits = get(st, BITS)
    slots = get(st, SLOTS)
    for number in range(get(st, COUNT)):
        slot = get(keys, number) & bits
        put_byte(slots, slot >> 3, byte(slots, slot >> 3) | 1 << (slot & 7))


@apart
def likely_slots(st: int) -> None:
    """List the numbers of the keys whose slots are taken: each is written, and kept where it is."""
    keys = get(st, KEYS)
    bits = get(st, BITS)
    slots = get(st, SLOTS)
    places = get(st, PLACES)
    found = 0
    for number in range(get(st, COUNT)):
        slot = get(keys, number) & bits
        put(places, found, number)
        found += byte(slots, slot >> 3) >> (slot & 7) & 1
    put(st, FOUND, found)
