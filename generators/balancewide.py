"""Rows chosen in their turn by compiled code; it alone imports this."""

from __future__ import annotations

from canary.native import apart, inner
from canary.operations import get, put

# The numbers that it is given: the rows to choose from, how often and of how many, the values of each row in some
# columns, what every value is owed, and room for the rows that are chosen.
ROWS, TIMES, CHOICES, VALUES, COLUMNS, SIZE, OWED, CHOSEN = range(8)


@inner
def value_of(st: int, column: int, row: int) -> int:
    """Give where what a row's value in a column is owed stands."""
    value: int = get(get(st, VALUES), column * get(st, SIZE) + row)
    return value


@inner
def due(st: int, row: int) -> int:
    """Add up what the values of a row are owed."""
    total = 0
    for column in range(get(st, COLUMNS)):
        total += get(get(st, OWED), value_of(st, column, row))
    return total


@inner
def owe(st: int, row: int, more: int) -> None:
    """Owe more to the values of a row."""
    owed = get(st, OWED)
    for column in range(get(st, COLUMNS)):
        value = value_of(st, column, row)
        put(owed, value, get(owed, value) + more)


@apart
def choose_rows(st: int) -> None:
    """Choose one row each time, of those that are owed most the first."""
    choices = get(st, CHOICES)
    for time in range(get(st, TIMES)):
        rows = get(st, ROWS) + 8 * time * choices
        for choice in range(choices):
            owe(st, get(rows, choice), 1)
        best = get(rows, 0)
        most = due(st, best)
        for choice in range(1, choices):
            row = get(rows, choice)
            found = due(st, row)
            if found > most:
                best = row
                most = found
        owe(st, best, -choices)
        put(get(st, CHOSEN), time, best)
