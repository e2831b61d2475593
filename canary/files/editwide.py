"""CSV records written again with changed cells, 32 bytes at a time; compiled code alone imports it."""

from __future__ import annotations

from canary.files.csvwide import copied
from canary.native import apart, inner
from canary.operations import byte, get, place, put, put_byte

# The numbers that it is given: addresses and counts of what `_write` of csvkernel takes; USED is given back.
(
    DATA, SIZE, RECORDS, STARTS, ENDS, FOUND, WANTED, ROW_OF, KEEP, CHANGED, TEXTS, LENGTH, PLACES, SHIFTS, DELIMITER,
    QUOTE, OUT, MADE, USED, NUMBERS,
) = range(20)  # fmt: skip


@inner
def wants_quotes(texts: int, first: int, final: int, delimiter: int, quote: int) -> bool:
    """Tell whether a text holds what would end its cell."""
    found = False
    for at in range(first, final):
        if byte(texts, at) in (delimiter, quote, 10, 13):
            found = True
            break
    return found


@apart
def put_quoted(texts: int, first: int, final: int, quote: int, out: int) -> int:
    """Write a text in quotes, those in it doubled; gives where it ends."""
    put_byte(out, 0, quote)
    out += 1
    for at in range(first, final):
        put_byte(out, 0, byte(texts, at))
        out += 1
        if byte(texts, at) == quote:
            put_byte(out, 0, quote)
            out += 1
    put_byte(out, 0, quote)
    return out + 1


@apart
def write_wide(st: int) -> None:
    """Copy all records with their changed cells as `_write` does; 32 bytes more than it gives may be written."""
    data = get(st, DATA)
    size = get(st, SIZE)
    wanted = get(st, WANTED)
    texts = get(st, TEXTS)
    quote = get(st, QUOTE)
    first_out = get(st, OUT)
    out = first_out
    done = 0
    for record in range(get(st, RECORDS)):
        number = get(get(st, ROW_OF), record)
        if number >= 0 and byte(get(st, KEEP), number) == 0:
            begin = place(get(st, STARTS), record)
            copied(data, done, begin, size, out)
            out += begin - done
            done = place(get(st, ENDS), record)
            put(get(st, MADE), record, out - first_out)
            continue
        for column in range(wanted if number >= 0 else 0):
            if byte(get(st, CHANGED), number * wanted + column) == 0:
                continue
            cell = 2 * (record * wanted + column)
            begin = place(get(st, FOUND), cell)
            end = place(get(st, FOUND), cell + 1)
            copied(data, done, begin, size, out)
            out += begin - done
            at = get(get(st, SHIFTS), column) + number
            first = get(get(st, PLACES), at)
            final = get(get(st, PLACES), at + 1)
            quoted = begin < end and byte(data, begin) == quote
            if not quoted and wants_quotes(texts, first, final, get(st, DELIMITER), quote):
                quoted = True
                if quote == 256:
                    put(st, USED, -1)
                    return
            if quoted:
                out = put_quoted(texts, first, final, quote, out)
            else:
                copied(texts, first, final, get(st, LENGTH), out)
                out += final - first
            done = end
        put(get(st, MADE), record, out - first_out + place(get(st, ENDS), record) - done)
    copied(data, done, size, size, out)
    put(st, USED, out - first_out + size - done)
