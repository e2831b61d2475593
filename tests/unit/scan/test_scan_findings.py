"""Offsets, records, counts and strengths of what a scan finds."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from canary.model.evidence import Candidates, Findings, Hit
from canary.scan.candidates import Candidate
from canary.scan.findings import joined
from canary.scan.hashes import hashed_forms
from canary.scan.index import ArrayIndex
from canary.scan.parts import TextPart
from canary.scan.search import Scan
from canary.scan.tally import Tally, candidates_of, shape_of
from tests.scanlab import KEYS, MAIL, NAME, OTHER_NAME, OTHER_PHONE, PHONE, WAYBILL, Lab, value


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16-le", "utf-8-sig"])
def test_the_offset_is_the_byte_offset_in_the_file(lab: Lab, encoding: str) -> None:
    text = "姓名，电话\n王五，13900000000\n某人 " + OTHER_PHONE + " 完\n"
    raw = text.encode(encoding)
    (hit,) = lab.scan(raw).hits
    assert raw[hit.offset :].decode(encoding.replace("-sig", "")).startswith(OTHER_PHONE)


def test_offsets_hold_across_blocks_and_behind_bytes_that_are_no_text(lab: Lab) -> None:
    raw = b"\xff\xfe!" * 3 + ("这是一行没有人的文字，\n" * 900).encode() + f"打 {OTHER_PHONE} 吧".encode()
    raw = b"x" + raw
    scan = Scan(lab.index, lab, KEYS, block_size=1000)
    text = raw.decode("utf-8", "surrogateescape")
    scan.text(TextPart("f", None, [text[at : at + 777] for at in range(0, len(text), 777)]))
    (hit,) = scan.findings().hits
    assert raw[hit.offset :].startswith(OTHER_PHONE.encode())
    assert hit.record == 900


def test_a_decoded_value_has_the_offset_of_its_spelling(lab: Lab) -> None:
    text = "aa %31%35%34" + OTHER_PHONE[3:]
    (hit,) = lab.scan(text).hits
    assert hit.offset == 3


@pytest.mark.parametrize(
    ("text", "record", "rows"),
    [
        (f"name,phone\nA,13900000000\nB,{OTHER_PHONE}\n", 2, 2),
        (f'"n","t"\n"a\nb",13900000000\n"c\nd",{OTHER_PHONE}\n', 2, 2),
        (json.dumps([{"a": "13900000000"}, {"a": OTHER_PHONE}]), 1, 2),
        ("\n".join(json.dumps({"n": n, "p": OTHER_PHONE if n == 2 else "x"}) for n in range(4)), 2, 4),
        (f"INSERT INTO t (a,b) VALUES ('x','1'),('y','2'),('{OTHER_PHONE}','3');\n", 2, 3),
        (f"hello\n\ncall {OTHER_PHONE}\n", 2, 2),
        (f"王五----13900000000\n赵六----{OTHER_PHONE}\n某某----13900000001\n", 1, 3),
    ],
)
def test_records_are_told_apart(lab: Lab, text: str, record: int, rows: int) -> None:
    findings = lab.scan(text)
    assert [hit.record for hit in findings.hits] == [record]
    assert findings.rows == rows


def test_fields_of_different_rows_are_not_one_record(lab: Lab) -> None:
    findings = lab.scan(f"{OTHER_NAME},13900000001,a\n王五,{OTHER_PHONE},b\n赵六,13900000000,c\n")
    assert [dict(hit.roles) for hit in findings.hits] == [{"phone": "plain"}]
    far = lab.scan(f"{WAYBILL}" + "。" * 1000 + MAIL)
    assert [dict(hit.roles) for hit in far.hits] == [{"waybill_no": "plain"}, {"email": "plain"}]


def test_a_passage_seen_by_two_blocks_is_one_hit(lab: Lab) -> None:
    text = ("这里什么也没有。\n" * 60 + f"电话 {OTHER_PHONE}\n") * 4
    scan = Scan(lab.index, lab, KEYS, block_size=500)
    scan.text(TextPart("f", None, [text]))
    assert len(scan.findings().hits) == 4


def test_a_lone_phone_is_weak_and_two_fields_are_strong(lab: Lab) -> None:
    (alone,) = lab.matches(lab.scan(f"tel {OTHER_PHONE}"))
    assert (alone.field, alone.strength, alone.transform) == ("phone", "weak", "plain")
    (both,) = lab.matches(lab.scan(f"{OTHER_NAME} {OTHER_PHONE}"))
    assert (both.strength, set(both.fields)) == ("strong", {"phone", "name"})
    (alias,) = lab.matches(lab.scan(MAIL))
    assert (alias.field, alias.strength) == ("email", "strong")
    assert alias.expected_chance_hits == 2.0**-40


def test_a_number_is_strong_only_while_few_could_hit_it(lab: Lab) -> None:
    few = lab.matches(lab.scan(WAYBILL))
    assert few[0].strength == "strong"
    many = lab.matches(lab.scan("\n".join([WAYBILL, *(f"YT{number:013d}" for number in range(200))])))
    assert (many[0].field, many[0].strength) == ("waybill_no", "weak")
    assert many[0].expected_chance_hits == pytest.approx(201 * 2.0**-23)


def test_a_masked_field_never_makes_a_match_strong(lab: Lab) -> None:
    findings = lab.scan(f"tel {PHONE} 张* YT711*****78901")
    (first,) = [match for match in lab.matches(findings) if match.canary == "c-first"]
    assert first.strength == "weak"
    assert first.field == "phone"


def test_matches_of_unknown_canaries_are_left_out(lab: Lab) -> None:
    hit = Hit("c-gone", {"phone": "plain"}, "f", None, 0, 0)
    assert lab.matches(replace(lab.scan(""), hits=(hit,))) == []


def test_candidates_count_what_was_looked_up_by_the_shape_that_was_hit(lab: Lab) -> None:
    findings = lab.scan(f"a,b,c\n{WAYBILL},{PHONE},x1234567\nYT0000000000002,13900000002,x\n")
    counted = findings.candidates
    assert counted.hit == {"code:15", "phone:mobile"}
    assert counted.single["code"] == 2
    assert counted.pair["code", "phone"] == 2
    assert counted.shaped["code:8",] == 1
    nothing = lab.scan("13900000001,x1234567\n13900000001,y1234567\n").candidates
    assert nothing.single["code"] == 3
    assert nothing.single["phone"] == 1


def test_names_count_for_every_way_to_read_one(lab: Lab) -> None:
    findings = lab.scan(f"王五,赵六六,{OTHER_PHONE}\n张三,{NAME},13900000000\n")
    assert (
        findings.candidates.pair["name", "phone"] == 8
    )  # two ends of two words, two rows of one mobile each


def test_digests_count_for_every_form_they_may_stand_for() -> None:
    counted = candidates_of({("hash",): 3, ("phone:mobile",): 2, ("hash", "phone:mobile"): 4}, frozenset())
    assert counted.single["phone"] == 5
    assert counted.pair["phone", "phone"] == 4
    hit = candidates_of({("hash",): 3, ("name",): 1, ("name", "hash"): 2}, frozenset({"email:3"}))
    assert hit.single["email"] == 3
    assert hit.pair["name", "email"] == 2


def test_joined_findings_add_up(lab: Lab) -> None:
    one, two = lab.scan(f"{WAYBILL} x1234567"), lab.scan("YT0000000000002 z7654321")
    both = joined([one, two])
    assert both.candidates.single["code"] == 2
    assert (both.files, both.rows, both.bytes) == (2, 2, one.bytes + two.bytes)
    assert both.hits == one.hits
    assert joined([]) == Findings(candidates=Candidates())


def test_shapes_tell_what_is_public_of_a_value() -> None:
    assert shape_of("phone", "13800138000") == "phone:mobile"
    assert shape_of("phone", "4155552671") == "phone:10"
    assert shape_of("code", "YT1") == "code:3"
    assert shape_of("email", "a@x.cn") == shape_of("email", "b@x.cn")
    assert shape_of("address", "x") == "address"


def test_many_keys_are_made_distinct_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("canary.scan.tally.COMPACTED", 10)
    tally = Tally()
    for start in (0, 5, 10):
        keyed = {("code", f"{number:05d}"): number for number in range(start, start + 10)}
        tally.add_keys(dict.fromkeys(keyed, "code:5"), keyed)
    assert tally.candidates([]).single["code"] == 20


def test_pairs_are_counted_by_record_and_by_reach() -> None:
    found = [
        Candidate("phone", "13900000001", 0, 11),
        Candidate("phone", "13900000002", 12, 23),
        Candidate("email", "a@b.cn", 2000, 2006),
    ]
    shaped = {(each.form, each.canonical): each.form for each in found}
    table, prose = Tally(), Tally()
    table.add_pairs(found, shaped, "x" * 2010, [0])
    prose.add_pairs(found, shaped, "x" * 2010, None)
    assert table.candidates([]).pair["email", "phone"] == 2
    assert table.candidates([]).pair["phone", "phone"] == 1
    assert ("email", "phone") not in prose.candidates([]).pair
    assert prose.candidates([]).pair["phone", "phone"] == 1


def test_the_index_gives_all_serials_of_a_key() -> None:
    index = ArrayIndex.build([(5, 1, "phone", 10.0), (5, 2, "phone", 10.0), (-7, 3, "email", 40.0)])
    assert index.lookup([5, -7, 6]) == {5: [1, 2], -7: [3]}
    assert index.issued == {"phone": 1, "email": 1}
    assert index.bits == {"phone": 10.0, "email": 40.0}
    assert index.lookup([]) == {}
    assert ArrayIndex.build([]).lookup([1]) == {}


def test_an_empty_registry_looks_nothing_up() -> None:
    findings = Lab().scan(f"{WAYBILL},{MAIL},d41d8cd98f00b204e9800998ecf8427e")
    assert findings.hits == ()
    assert findings.candidates.single.keys() == {"name"}


def test_hashed_forms_hold_the_common_variants() -> None:
    forms = hashed_forms("phone", "13800138000")
    assert len(forms) == len(set(forms))
    assert {len(form) for form in forms} == {32, 40, 64}
    assert len(hashed_forms("waybill_no", "YT1", "yt-1")) == 9
    assert len(hashed_forms("name_address", "a|b")) == 3


def test_a_canary_that_the_reader_does_not_know_is_passed_over() -> None:
    lab = Lab()
    lab.issue(value("email", MAIL, 40.0))
    lab.issue(value("email", "other@mail.acme.cn", 40.0))
    index = lab.index
    del lab.canaries[2]
    scan = Scan(index, lab, KEYS)
    scan.text(
        TextPart(
            "f", None, [f"{MAIL}\n" + "x\n" * 10 + "other@mail.acme.cn d41d8cd98f00b204e9800998ecf8427e"]
        )
    )
    assert [hit.canary for hit in scan.findings().hits] == ["c-1"]


def test_opened_canaries_are_kept_but_not_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("canary.scan.search.OPENED", 1)
    lab = Lab()
    lab.issue(value("email", MAIL, 40.0))
    lab.issue(value("email", "other@mail.acme.cn", 40.0))
    findings = lab.scan(f"a {MAIL}\n" + "x\n" * 10 + "b other@mail.acme.cn\n" + "x\n" * 10 + MAIL)
    assert [hit.canary for hit in findings.hits] == ["c-1", "c-2", "c-1"]
