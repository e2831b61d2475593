"""The ledger in the registry: what is appended verifies, and what is tampered with is found, on both databases."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable

import pytest
from sqlalchemy import delete, insert, select, update

from canary.errors import OutsideError
from canary.ledger.entry import make_entry
from canary.ledger.merkle import Frontier, leaf_hash, verify_consistency, verify_inclusion
from canary.ledger.note import Signer, parse_and_verify
from canary.store import journal
from canary.store.registry import Registry
from canary.store.tables import ledger_entries as entries
from canary.store.tables import ledger_head as heads
from canary.store.tx import Tx

FORGER = Signer(bytes(32))


@pytest.fixture
def written(registry: Registry, signer: Signer) -> Registry:
    """A registry with 13 ledger entries."""
    with registry.begin() as tx:
        for number in range(13):
            journal.append(tx, "release", {"release": f"r-{number}", "名": "运单"}, signer, 1_000 + number)
    return registry


def check(registry: Registry, signer: Signer, note: str | None = None) -> journal.LedgerReport:
    with registry.read() as tx:
        return journal.verify(tx, signer.public, note)


def note_of(registry: Registry) -> str:
    with registry.read() as tx:
        return journal.head(tx).checkpoint


def tamper(registry: Registry, act: Callable[[Tx], object]) -> None:
    with registry.begin() as tx:
        act(tx)


def row(tx: Tx, index: int) -> dict[str, object]:
    return dict(tx.conn.execute(select(entries).where(entries.c.index == index)).mappings().one())


def change(index: int, **values: object) -> Callable[[Tx], object]:
    return lambda tx: tx.conn.execute(update(entries).where(entries.c.index == index).values(**values))


def remove(*indexes: int) -> Callable[[Tx], object]:
    return lambda tx: tx.conn.execute(delete(entries).where(entries.c.index.in_(indexes)))


def rewrite(tx: Tx, size: int, signer: Signer) -> None:
    """Do what somebody with the database does: make leaves, frontier and head agree with the rows again."""
    frontier = Frontier()
    for number in range(size):
        leaf = leaf_hash(str(row(tx, number)["body"]).encode())
        tx.conn.execute(update(entries).where(entries.c.index == number).values(leaf=leaf))
        frontier.append(leaf)
    note = signer.sign_checkpoint(size, frontier.root())
    tx.conn.execute(update(heads).values(size=size, frontier=frontier.to_bytes(), checkpoint=note))


def test_an_empty_ledger_is_sound(registry: Registry, signer: Signer) -> None:
    report = check(registry, signer)
    assert (report.entries, report.ok, report.first_bad, report.truncation) == (
        0,
        True,
        None,
        "not checkable",
    )
    assert report.root == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    with registry.read() as tx:
        assert journal.head(tx).size == 0
        assert list(journal.entries(tx)) == []


def test_what_was_appended_verifies(written: Registry, signer: Signer) -> None:
    with written.read() as tx:
        found, head = list(journal.entries(tx)), journal.head(tx)
        assert [each.index for each in journal.entries(tx, start=10)] == [10, 11, 12]
    said = json.loads(found[4].text)
    assert (said["index"], said["kind"], said["time_ms"]) == (4, "release", 1_004)
    assert said["body"] == {"release": "r-4", "名": "运单"}
    assert len({json.loads(each.text)["nonce"] for each in found}) == 13
    assert found[4].leaf == leaf_hash(found[4].text.encode())
    checkpoint = parse_and_verify(head.checkpoint, signer.public)
    assert (checkpoint.size, checkpoint.root) == (13, head.root) == (head.size, head.root)
    report = check(written, signer)
    assert (report.entries, report.root, report.ok, report.problems) == (13, head.root.hex(), True, ())


def test_many_entries_share_one_signature(written: Registry, signer: Signer) -> None:
    with written.begin() as tx:
        assert journal.append_many(tx, [("watch", {"n": 1}), ("watch", {"n": 2})], signer, 5) == [13, 14]
        assert journal.append_many(tx, [], signer, 5) == []
        assert journal.append(tx, "watch", {}, signer, 6) == 15
    assert check(written, signer).entries == 16


def test_an_entry_is_undone_with_what_it_records(written: Registry, signer: Signer) -> None:
    before = note_of(written)

    def record_and_fail() -> None:
        with written.begin() as tx:
            journal.append(tx, "release", {}, signer, 1)
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        record_and_fail()
    assert note_of(written) == before
    assert check(written, signer).ok


def test_proofs_hold_against_the_signed_roots(written: Registry, signer: Signer) -> None:
    old = parse_and_verify(note_of(written), signer.public)
    with written.begin() as tx:
        for _ in range(8):
            journal.append(tx, "watch", {}, signer, 1)
    with written.read() as tx:
        head, leaf = journal.head(tx), list(journal.entries(tx))[6].leaf
        assert verify_inclusion(leaf, 6, 21, journal.inclusion(tx, 6), head.root)
        assert verify_inclusion(leaf, 6, 13, journal.inclusion(tx, 6, size=13), old.root)
        assert verify_consistency(13, 21, old.root, head.root, journal.consistency(tx, 13))
        assert journal.consistency(tx, 13, size=13) == []


def test_a_remembered_checkpoint_that_fits_says_that_nothing_is_cut(
    written: Registry, signer: Signer
) -> None:
    note = note_of(written)
    assert check(written, signer, note).truncation == "none"
    with written.begin() as tx:
        journal.append(tx, "watch", {}, signer, 1)
    report = check(written, signer, note)
    assert (report.ok, report.truncation, report.entries) == (True, "none", 14)
    empty = signer.sign_checkpoint(0, Frontier().root())
    assert check(written, signer, empty).truncation == "none"


def edited_body(tx: Tx) -> None:
    text = str(row(tx, 5)["body"]).replace("r-5", "r-6")
    tx.conn.execute(update(entries).where(entries.c.index == 5).values(body=text))


def edited_body_and_leaf(tx: Tx) -> None:
    text = str(row(tx, 9)["body"]).replace("r-9", "r-8")
    values = {"body": text, "leaf": leaf_hash(text.encode())}
    tx.conn.execute(update(entries).where(entries.c.index == 9).values(values))


def swapped(tx: Tx) -> None:
    third, seventh = row(tx, 3), row(tx, 7)
    for index, other in ((3, seventh), (7, third)):
        values = {name: other[name] for name in ("kind", "body", "leaf")}
        tx.conn.execute(update(entries).where(entries.c.index == index).values(values))


def moved_up(tx: Tx) -> None:
    tx.conn.execute(delete(entries).where(entries.c.index == 5))
    for index in range(6, 13):
        tx.conn.execute(update(entries).where(entries.c.index == index).values(index=index - 1))


@pytest.mark.parametrize(
    ("act", "first_bad", "truncation", "said"),
    [
        (edited_body, 5, "not checkable", "entry 5 was changed: its text does not hash to its leaf"),
        (edited_body_and_leaf, 8, "not checkable", "an entry of 8 to 11 was replaced with its leaf"),
        (change(5, leaf=bytes(32)), 5, "not checkable", "entry 5 was changed"),
        (change(5, kind="trace"), 5, "not checkable", "entry 5 was changed or moved"),
        (change(5, body="no json"), 5, "not checkable", "entry 5 was changed or moved"),
        (change(5, body="[1]"), 5, "not checkable", "entry 5 was changed or moved"),
        (swapped, 3, "not checkable", "entry 3 was changed or moved"),
        (remove(4, 5), 4, "truncated", "entries 4 to 5 are missing"),
        (remove(0), 0, "truncated", "entries 0 to 0 are missing"),
        (moved_up, 5, "truncated", "entry 5 was changed or moved"),
        (remove(12), 12, "truncated", "12 entries are there, 13 were signed"),
        (remove(*range(13)), 0, "truncated", "0 entries are there, 13 were signed"),
    ],
)  # fmt: skip
def test_tampering_with_entries_is_found_from_the_log_alone(
    written: Registry, signer: Signer, act: Callable[[Tx], object], first_bad: int, truncation: str, said: str
) -> None:
    tamper(written, act)
    report = check(written, signer)
    assert not report.ok
    assert report.first_bad == first_bad
    assert report.truncation == truncation
    assert any(said in problem for problem in report.problems)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"checkpoint": "nonsense"}, "not a signed note"),
        ({"checkpoint": FORGER.sign_checkpoint(13, bytes(32))}, "not signed with this key"),
        ({"size": 12}, "the head says 12 entries"),
        ({"frontier": b"short"}, None),
    ],
)
def test_a_damaged_head_is_found(
    written: Registry, signer: Signer, values: dict[str, object], said: str | None
) -> None:
    tamper(written, lambda tx: tx.conn.execute(update(heads).values(values)))
    report = check(written, signer)
    assert report.ok == (said is None)
    assert said is None or any(said in problem for problem in report.problems)


def test_a_damaged_frontier_locates_nothing_and_stops_appends(written: Registry, signer: Signer) -> None:
    tamper(written, edited_body_and_leaf)
    tamper(written, lambda tx: tx.conn.execute(update(heads).values(frontier=bytes(96))))
    report = check(written, signer)
    assert report.problems == ("the entries do not hash to the signed root",)
    assert report.first_bad is None
    tamper(written, lambda tx: tx.conn.execute(update(heads).values(frontier=bytes(5))))
    assert not check(written, signer).ok
    with pytest.raises(OutsideError, match="head is damaged"), written.begin() as tx:
        journal.append(tx, "watch", {}, signer, 1)


def test_a_missing_head_is_found_and_stops_appends(written: Registry, signer: Signer) -> None:
    tamper(written, lambda tx: tx.conn.execute(delete(heads)))
    report = check(written, signer)
    assert report.problems == ("the ledger's head is missing",)
    with pytest.raises(OutsideError, match="head is missing"), written.begin() as tx:
        journal.append(tx, "watch", {}, signer, 1)
    with pytest.raises(OutsideError, match="head is missing"), written.read() as tx:
        journal.head(tx)


def test_entries_past_the_signed_head_are_found(written: Registry, signer: Signer) -> None:
    text = make_entry("watch", {}, 1, bytes(16), 13)
    added = {"index": 13, "kind": "watch", "body": text.decode(), "leaf": leaf_hash(text)}
    tamper(written, lambda tx: tx.conn.execute(insert(entries).values(added)))
    report = check(written, signer)
    assert (report.ok, report.first_bad) == (False, 13)
    assert report.problems == ("entries from 13 on are not signed",)


def test_a_rebuild_without_the_signing_key_is_found(written: Registry, signer: Signer) -> None:
    def rebuild(tx: Tx) -> None:
        edited_body(tx)
        rewrite(tx, 13, FORGER)

    tamper(written, rebuild)
    report = check(written, signer)
    assert not report.ok
    assert any("not signed with this key" in problem for problem in report.problems)
    assert check(written, FORGER).ok


def test_a_cut_back_log_shows_only_against_what_was_remembered(written: Registry, signer: Signer) -> None:
    note = note_of(written)

    def cut_back(tx: Tx) -> None:
        remove(*range(9, 13))(tx)
        rewrite(tx, 9, signer)

    tamper(written, cut_back)
    alone = check(written, signer)
    assert (alone.ok, alone.truncation) == (True, "not checkable")
    report = check(written, signer, note)
    assert (report.ok, report.truncation, report.first_bad) == (False, "truncated", 9)
    assert report.problems == ("9 entries are there, 13 were remembered",)


def test_a_rewritten_past_shows_against_what_was_remembered(written: Registry, signer: Signer) -> None:
    note = note_of(written)

    def rewrite_all(tx: Tx) -> None:
        edited_body_and_leaf(tx)
        rewrite(tx, 13, signer)

    tamper(written, rewrite_all)
    assert check(written, signer).ok
    report = check(written, signer, note)
    assert (report.ok, report.truncation) == (False, "none")
    assert report.problems == ("the first 13 entries are not those that were remembered",)


def test_a_remembered_checkpoint_that_is_foreign_proves_nothing(written: Registry, signer: Signer) -> None:
    report = check(written, signer, FORGER.sign_checkpoint(13, bytes(32)))
    assert (report.ok, report.truncation) == (False, "not checkable")
    assert report.problems == ("the remembered checkpoint: the note is not signed with this key",)


def test_many_problems_are_counted_not_listed(registry: Registry, signer: Signer) -> None:
    with registry.begin() as tx:
        journal.append_many(tx, [("watch", {})] * 150, signer, 1)
        tx.conn.execute(update(entries).values(leaf=bytes(32)))
    report = check(registry, signer)
    assert len(report.problems) == 101
    assert report.problems[-1] == "50 more problems"


def test_appends_of_several_writers_follow_one_another(registry: Registry, signer: Signer) -> None:
    def write(writer: int) -> None:
        for number in range(15):
            with registry.begin() as tx:
                journal.append(tx, "watch", {"writer": writer, "n": number}, signer, number)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    report = check(registry, signer)
    assert (report.ok, report.entries) == (True, 60)
