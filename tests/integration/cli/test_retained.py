"""Successive exports of one recipient: comparing them shows no canary, since those of before stand in both."""

import csv
import io

import pytest

ROWS = 400


@pytest.fixture
def exports(canary, tmp_path):
    """Two exports of a table that has grown by a quarter meanwhile."""
    for one in ("acme", "globex"):
        canary("recipient", "add", one, "--kind", "partner")
    stock = ("--count", ROWS, "--seed", 5, "--mail-domain", "people.example")
    canary("generate", "waybill", *stock, "--output", "all.csv")
    lines = (tmp_path / "all.csv").read_text("utf-8").splitlines(keepends=True)
    (tmp_path / "may.csv").write_text("".join(lines[:301]), "utf-8")
    (tmp_path / "june.csv").write_text("".join(lines), "utf-8")
    return lines


def rows_of(path):
    return list(csv.reader(io.StringIO(path.read_text("utf-8"), newline="")))


def canaries_in(path, real):
    keys = {line.split(",", 1)[0] for line in real}
    return [row for row in rows_of(path)[1:] if row[0] not in keys]


def test_old_canaries_stand_again_unchanged_and_new_ones_join(canary, exports, tmp_path):
    options = ("--recipient", "acme", "--dataset", "waybills", "--canaries", 0.05)
    canary("tag", "may.csv", *options, "--output", "may-acme.csv")
    canary("tag", "june.csv", *options, "--output", "june-acme.csv")
    before, after = (canaries_in(tmp_path / name, exports) for name in ("may-acme.csv", "june-acme.csv"))
    assert (len(before), len(after)) == (15, 20)
    assert [row for row in before if row in after] == before
    keys = [row[0] for row in rows_of(tmp_path / "june-acme.csv")[1:]]
    assert keys == sorted(keys)


def test_the_next_export_is_the_same_again_and_others_have_canaries_of_their_own(canary, exports, tmp_path):
    options = ("--dataset", "waybills", "--canaries", 6)
    canary("tag", "may.csv", "-r", "acme", *options, "--output", "one.csv")
    canary("tag", "may.csv", "-r", "acme", *options, "--output", "two.csv", "--new")
    canary("tag", "may.csv", "-r", "globex", *options, "--output", "other.csv")
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    mine, others = canaries_in(tmp_path / "one.csv", exports), canaries_in(tmp_path / "other.csv", exports)
    assert len(mine) == len(others) == 6
    assert not {row[0] for row in mine} & {row[0] for row in others}
    found = canary("trace", tmp_path / "two.csv", "--json").json
    assert [one["recipient"] for one in found["suspects"]] == ["acme"]
    assert found["suspects"][0]["evidence"]["canaries"] == 6
    assert len(found["suspects"][0]["releases"]) == 2


def test_a_later_month_without_those_rows_has_none_of_them(canary, exports, tmp_path):
    (tmp_path / "tail.csv").write_text("".join([exports[0], *exports[301:]]), "utf-8")
    options = ("--recipient", "acme", "--dataset", "waybills", "--canaries", 5)
    canary("tag", "may.csv", *options, "--output", "may-acme.csv")
    canary("tag", "tail.csv", *options, "--output", "tail-acme.csv")
    before, after = (canaries_in(tmp_path / name, exports) for name in ("may-acme.csv", "tail-acme.csv"))
    assert not {row[0] for row in before} & {row[0] for row in after}
    assert len(after) == 5


def test_what_became_public_is_planted_no_more(canary, exports, tmp_path):
    options = ("--recipient", "acme", "--dataset", "waybills", "--canaries", 5)
    canary("tag", "may.csv", *options, "--output", "may-acme.csv")
    (tmp_path / "drop").mkdir()
    (tmp_path / "home" / "config.toml").write_text(
        (tmp_path / "home" / "config.toml").read_text("utf-8")
        + f'\n[monitors.dumps]\nkind = "drop"\npath = "{tmp_path / "drop"}"\n',
        "utf-8",
    )
    (tmp_path / "drop" / "leak.csv").write_bytes((tmp_path / "may-acme.csv").read_bytes())
    canary("watch", "--once")
    incident = canary("incident", "list", "--json").json[0]["id"]
    canary("incident", "close", incident)
    canary("tag", "june.csv", *options, "--output", "june-acme.csv")
    before, after = (canaries_in(tmp_path / name, exports) for name in ("may-acme.csv", "june-acme.csv"))
    assert not {row[0] for row in before} & {row[0] for row in after}
