"""From a leaked file to an answer, through the command line."""

import csv
import json
import random

import pytest


@pytest.fixture
def copies(canary, tmp_path, made_once):
    """Copies of one export for three partners, 20 canaries each, and the leaker's tools."""

    def work():
        for one in ("acme", "globex", "initech"):
            canary("recipient", "add", one, "--kind", "partner")
        canary("contact", "add", "email-domain", "post.example.net")
        stock = ("--count", 2_000, "--seed", 9, "--mail-domain", "people.example")
        canary("generate", "waybill", *stock, "--output", "w.csv")
        (tmp_path / "to.csv").write_text("id\nacme\nglobex\ninitech\n")
        canary("tag", "w.csv", "--recipients", "to.csv", "--output", "out", "--canaries", 20)

    made_once(work)
    return {one: read(tmp_path / "out" / f"{one}.csv") for one in ("acme", "globex", "initech")}


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def written(path, rows, columns=None):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns or list(rows[0]), extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


def named(answer):
    return sorted(one["recipient"] for one in answer["suspects"] if one["status"] == "named")


def test_the_answer_has_the_contracts_shape(canary, copies, tmp_path):
    answer = canary("trace", "out/acme.csv", "--json").json
    assert set(answer) == {
        "outcome", "suspects", "unknown_source", "registry_compromised", "rows", "rows_recognised", "errors",
        "explanation", "seconds",
    }  # fmt: skip
    suspect = answer["suspects"][0]
    assert set(suspect) == {
        "recipient", "status", "probability", "contributed", "false_accusation", "grade", "releases", "evidence",
    }  # fmt: skip
    assert set(suspect["evidence"]) == {"canaries", "fields", "marks_read", "marks_agreeing", "rows_held"}
    assert suspect["evidence"]["canaries"] == 20
    assert answer["rows_recognised"] is None
    assert suspect["false_accusation"] <= 1e-6
    total = (
        sum(one["probability"] for one in answer["suspects"])
        + answer["unknown_source"]
        + answer["registry_compromised"]
    )
    assert total <= 1 + 1e-9


def test_a_shuffled_part_without_numbers_names_its_source(canary, copies, tmp_path):
    rng = random.Random(1)
    rows = rng.sample(copies["globex"], 900)
    columns = ["收件人姓名", "收件人电话", "收件地址"]
    answer = canary("trace", written(tmp_path / "leak.csv", rows, columns), "--json").json
    assert named(answer) == ["globex"]


def test_two_guilty_in_one_dump_are_both_named(canary, copies, tmp_path):
    rows = copies["acme"][:1_000] + copies["initech"][1_000:]
    random.Random(2).shuffle(rows)
    assert named(canary("trace", written(tmp_path / "leak.csv", rows), "--json").json) == ["acme", "initech"]


def test_clean_foreign_and_empty_input_name_nobody(canary, copies, tmp_path):
    canary("generate", "waybill", "--count", 3_000, "--seed", 77, "--output", "foreign.csv")
    (tmp_path / "empty.txt").touch()
    (tmp_path / "noise.bin").write_bytes(random.Random(3).randbytes(200_000))
    for path in ("w.csv", "foreign.csv", "empty.txt", "noise.bin"):
        answer = canary("trace", path, "--json").json
        assert (answer["outcome"], answer["suspects"]) == ("inconclusive", []), path


def test_another_homes_copies_name_nobody_here(canary, copies, say, tmp_path):
    other = tmp_path / "other"
    say("init", "--home", other)
    say("recipient", "add", "acme", "--kind", "partner", "--home", other)
    assert (
        say("trace", tmp_path / "out" / "acme.csv", "--home", other, "--json").json["outcome"]
        == "inconclusive"
    )


def test_every_trace_is_in_the_ledger(canary, copies):
    before = canary("ledger", "verify", "--json").json["entries"]
    canary("trace", "out/acme.csv")
    assert canary("ledger", "verify", "--json").json["entries"] == before + 1
    assert canary("ledger", "show", "--last", "1", "--json").json[0]["kind"] == "trace"


def test_several_paths_and_unreadable_members(canary, copies, tmp_path):
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04broken")
    answer = canary("trace", "out/acme.csv", "broken.zip", "--json").json
    assert named(answer) == ["acme"]
    assert any("broken.zip" in error for error in answer["errors"])


def test_a_missing_path_is_an_error(canary, copies):
    assert "no file or folder" in canary("trace", "none.csv", status=3).error


def test_scan_lists_matches_by_the_contract(canary, copies, tmp_path):
    row = next(row for row in copies["acme"] if row["收件人邮箱"].endswith("@post.example.net"))
    text = f"你好\n联系 {row['收件人邮箱'].upper()} 谢谢\n电话 {row['收件人电话']}"
    (tmp_path / "note.txt").write_text(text, "utf-8")
    said = canary("scan", "note.txt", "--json", "--exit-code", status=1)
    match = next(one for one in said.json["matches"] if one["field"] == "email")
    assert set(match) == {
        "canary", "release", "recipients", "field", "transform", "strength", "file", "member", "offset",
        "expected_chance_hits",
    }  # fmt: skip
    assert match["recipients"] == ["acme"]
    assert match["strength"] == "strong"
    assert match["expected_chance_hits"] <= 1e-6
    assert match["offset"] == text.encode().index(row["收件人邮箱"].upper().encode())
    assert canary("status", "--json").json["sightings"] == 0


def test_scan_finds_nothing_in_innocent_data(canary, copies):
    said = canary("scan", "w.csv", "--json", "--exit-code")
    assert [one for one in said.json["matches"] if one["strength"] == "strong"] == []
    assert said.json["files"] == 1


def test_opened_canaries_are_noted(canary, copies):
    release = canary("release", "list", "--recipient", "acme", "--json").json[0]["release"]
    rows = canary("release", "show", release, "--canaries", "--json").json["canary_rows"]
    assert len(rows) == 20
    assert canary("ledger", "show", "--last", "1", "--json").json[0]["kind"] == "open"


def test_human_readable_answers_name_and_explain(canary, copies):
    out = canary("trace", "out/acme.csv").out
    assert out.startswith("outcome: named\nnamed: acme,")
    assert out.count("\n- ") >= 2
    assert json.loads(canary("trace", "w.csv", "--json").out)["outcome"] == "inconclusive"
