"""The small pieces of the scan, one by one."""

from __future__ import annotations

import io
import time
import zipfile

import pytest

from canary.scan import markup, tables
from canary.scan.budget import Budget, Metered, Refused, Rewound, Spent, held
from canary.scan.candidates import contacts
from canary.scan.confirm import Surroundings
from canary.scan.decode import Encoding, decode_bytes, decode_stream, detect_encoding
from canary.scan.places import addresses, names
from canary.scan.records import CSV, JSON, LINES_OF_TABLE, PROSE, SQL, blocks, detect_layout
from canary.scan.spellings import decoded64
from tests.scanlab import OTHER_PHONE, Lab, value, who_where


def found(text: str, form: str) -> set[str]:
    return {each.canonical for each in contacts(text) if each.form == form}


@pytest.mark.parametrize(
    ("text", "form", "plain"),
    [
        ("(415) 555-2671", "phone", "4155552671"),
        ("+1-415-555-2671", "phone", "14155552671"),
        ("+44 20 7183 8750", "phone", "442071838750"),
        ("0571-88888888", "phone", "057188888888"),
        ("10086", "phone", "10086"),
        ("2024-05-03 12:33:10 138 0013 8000", "phone", "13800138000"),
        ("6222 0212 3456 7890 123", "code", "6222021234567890123"),
        ("110101-19900307-123x", "code", "11010119900307123X"),
        ("SO-2024-001234", "code", "SO2024001234"),
        ("550e8400-e29b-41d4-a716-446655440000", "code", "550E8400E29B41D4A716446655440000"),
        ("京A·12345", "code", "京A12345"),
        ("abc12345def", "code", "ABC12345"),
        ("x" * 30 + "12345", "code", "XXXX12345"),
        ("deadbeefdeadbeefdeadbeefdeadbeef", "hash", "deadbeefdeadbeefdeadbeefdeadbeef"),
        (".a@b.cn", "email", "a@b.cn"),
    ],
)
def test_what_is_looked_up(text: str, form: str, plain: str) -> None:
    assert plain in found(f"x {text}; y", form)


def test_a_long_list_of_grouped_phones_is_read_to_its_end() -> None:
    text = " ".join(f"138 0013 {number:04d}" for number in range(500))
    assert "13800130499" in found(text, "phone")


def test_english_addresses_end_at_any_comma() -> None:
    text = "send to 123 Main Street, Apt 4B, Springfield, please"
    plain = {each.canonical for each in addresses(text, cells=False)}
    assert {"123 main st", "123 main st 4b", "123 main st 4b springfield"} <= plain
    assert dict(names("Ada King lives; 联系人：王小明", cells=False)).keys() >= {"Ada King", "王小", "王小明"}


def test_an_english_canary_is_found_in_prose_and_tables() -> None:
    lab = Lab()
    lab.issue(who_where("Ada King", "123 Main Street, Apt 4B"), row={"name": "Ada King"})
    for text in (
        "Ada King, 123 Main St #4B, Springfield",
        'id,name,addr\n1,Ada King,"123 MAIN ST, Apartment 4B"\n2,Bo Li,"9 Oak Ave"\n',
    ):
        assert lab.found(text)["c-1"].keys() == {"name_address", "name"}


def test_names_and_masks_beside_a_value() -> None:
    table = Surroundings("张伟先生,John  SMITH,138****8000,a***@b.cn", cells=True)
    assert table.holds_name("张伟")
    assert table.holds_name("Smith, John")
    assert not table.holds_name("伟先")
    assert not table.holds_name("")
    assert table.masked("phone", "13800138000")
    assert not table.masked("phone", "13900138000")
    assert table.masked("email", "abcd@b.cn")
    prose = Surroundings("收件人張 偉电话", cells=False)
    assert prose.holds_name("张伟")
    assert prose.spelling_of("张伟") == "separators"


def test_an_address_alone_is_weak_and_with_its_name_more() -> None:
    lab = Lab()
    lab.issue(value("address", "杭州市文一西路998号3幢501室", 40.0), row={"姓名": "张伟"})
    (alone,) = lab.matches(lab.scan("住在文一西路998号3幢501室的人"))
    assert (alone.field, alone.strength) == ("address", "weak")
    (both,) = lab.matches(lab.scan("张伟 文一西路998号3幢501室"))
    assert set(both.fields) == {"name", "address", "name_address"}
    assert both.field == "name_address"
    lab.issue(value("address", "杭州市文一西路998号3幢501室", 40.0), value("name", "李娜", 8.0))
    assert set(lab.found("张伟 文一西路998号3幢501室")) == {"c-1"}
    assert lab.found("李娜 文一西路998号3幢501室")["c-2"].keys() == {"name", "address", "name_address"}


@pytest.mark.parametrize(
    ("head", "layout"),
    [
        ("a,b\n1,2\n3,4\n", CSV),
        ("a\tb\n1\t2\n", PROSE),
        ("a\tb\tc\n1\t2\t3\n", CSV),
        ('"a","b"\n"x\ny","2"\n"z\nw","3"\n', CSV),
        ('{"a": 1}\n{"a": 2}\n', LINES_OF_TABLE),
        ('[{"a": 1}, {"a": 2}]', JSON),
        ("COPY t (a) FROM stdin;\n1\n", SQL),
        ("insert into t values (1)", SQL),
        ("hello there\nhow are you\n", PROSE),
        ("", PROSE),
    ],
)
def test_layouts(head: str, layout: object) -> None:
    assert detect_layout(head) == layout


def test_delimiters_within_quotes_divide_nothing():
    """A remark with a comma in some rows made prose of a table, and so too many candidates to name anybody."""
    remarks = ('"call first, please"', '"leave it, at the door, thanks"', "none")
    rows = [f"YT{number},{remarks[number % 3]},1.5" for number in range(60)]
    assert detect_layout("number,remark,weight\n" + "\n".join(rows)) == CSV


def test_a_stray_quote_does_not_join_the_rest(lab: Lab) -> None:
    text = "a,b\n" + 'x,"y\n' + "1,2\n" * 200
    assert len(CSV.starts(text)) > 100
    assert "".join(block.text for block in blocks([text], CSV, 100)) == text


def test_a_text_without_borders_is_cut_at_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("canary.scan.records.LONGEST_LINE", 300)
    for text in ("x" * 1000, "word " * 200):
        found = list(blocks([text], PROSE, 100))
        assert len(found) > 2
        assert "".join(block.text[block.skip :] for block in found) == text


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"abc", "utf-8"),
        ("张伟".encode(), "utf-8"),
        ("张伟,138".encode("gb18030"), "gb18030"),
        ("a,b\n1,2".encode("utf-16"), "utf-16-le"),
        (b"\xfe\xff\0a", "utf-16-be"),
        ("a,b\n1,2".encode("utf-32"), "utf-32-le"),
        ("张伟,138\n".encode("utf-16-be"), "utf-16-be"),
        (b"\xff\xff\xff", "utf-8"),
        (b"\0\0\0\0", "utf-8"),
    ],
)
def test_encodings(data: bytes, name: str) -> None:
    assert detect_encoding(data).name == name


def test_broken_utf16_is_read_as_far_as_it_goes() -> None:
    data = "ab12".encode("utf-16-le") + b"\x00\xd8" + "cd".encode("utf-16-le") + b"x"
    encoding = detect_encoding("ab".encode("utf-16-le"))
    text = "".join(decode_stream(io.BytesIO(data[6:]), data[:6], encoding))
    assert text.startswith("ab1")
    assert decode_bytes(b"\xef\xbb\xbfa") == "a"


def test_cells_are_written_as_text() -> None:
    rows = [[None, b"\xff1", 13800138000.0, 1.5, "a\nb\tc"]] * (tables.ROWS + 1)
    first, second = tables.lines(rows)
    assert first.splitlines()[0] == "\t\ufffd1\t13800138000\t1.5\ta b c"
    assert len(second.splitlines()) == 1


def test_sheets_of_the_old_kind_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    class Sheet:
        def to_python(self) -> list[list[object]]:
            return [["phone"], [13800138000.0]]

    class Book:
        sheet_names = ("one",)

        def get_sheet_by_name(self, _: str) -> Sheet:
            return Sheet()

    monkeypatch.setattr("python_calamine.CalamineWorkbook.from_filelike", lambda _: Book(), raising=False)
    ((name, lines),) = tables.spreadsheet(io.BytesIO(b""))
    assert (name, "".join(lines)) == ("one", "phone\n13800138000\n")


def test_hostile_sheets_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "CHUNK", 4)
    with pytest.raises(Refused, match="of a sheet"):
        list(tables._pieces(io.BytesIO(b"<row>" + b"x" * 100), "</row>"))
    monkeypatch.setattr(tables, "SHARED_LIMIT", 3)
    with pytest.raises(Refused, match="shared strings"):
        tables._shared_strings(io.BytesIO(b"<si><t>abcd</t></si>"))
    assert tables._whole("1.3E+10") == "13000000000"
    assert tables._whole("1E+40") == "1E+40"
    assert tables._plain("_x0041_&amp;") == "A&"


def test_pages_become_text() -> None:
    page = "<table><tr><td>a</td><td title='t'>b</td></tr></table><p>x<br/>y <at> z</p>"
    text = markup.plain_text(page)
    assert "a\t" in text
    assert "t b" in text.replace("  ", " ")
    assert "x\ny <at> z" in text
    assert markup.is_markup(b"\xef\xbb\xbf <?xml ?>")
    assert not markup.is_markup(b"a < b")


def test_metered_and_rewound_streams() -> None:
    spent = Spent(Budget(free=10, ratio=1))
    stream = Metered(io.BytesIO(b"x" * 8), spent, 1)
    assert stream.readable()
    assert stream.read() == b"x" * 8
    with pytest.raises(Refused):
        Metered(io.BytesIO(b"x" * 20), spent, 1).read(20)
    again = Rewound(b"ab", io.BytesIO(b"cd"))
    assert again.readable()
    assert again.read(1) + again.read(5) + again.read(5) == b"abcd"
    assert Rewound(b"ab", io.BytesIO(b"cd")).read() == b"abcd"
    assert held(b"ab", io.BytesIO(b"cd"), 4) == b"abcd"


def test_only_what_decodes_to_text_is_base64() -> None:
    assert decoded64("MTM4MDAxMzgwMDA=") == "13800138000"
    assert decoded64("MTM4MDAxMzgwMDA") == "13800138000"
    assert decoded64("AAECAwQFBgcICQ==") is None
    assert decoded64("not base64!") is None
    assert decoded64("MQAzADgAMAAwADEAMwA4ADAAMAAwAA==") == "13800138000"
    assert decoded64("MTM4M") == "138"


HOSTILE = [
    "<!--" * 50_000 + "<html>",
    "<a '" * 50_000,
    "a" * 300_000 + "@",
    "1-" * 20_000,
    "(" + " " * 200_000 + "at",
    "@" + " " * 200_000,
    "a@" + "a." * 100_000 + "1",
    "x*" * 50_000,
    "=\n" * 50_000,
    "MTM4MDAx" * 30_000,
    "1 " * 20_000,
    "一" * 200_000,
    "1 Main " * 30_000,
    '"' * 100_000,
    "From: a\nTo: b\n" + "x: y\n" * 20_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:6].strip())
def test_hostile_texts_take_no_long_time(lab: Lab, text: str) -> None:
    began = time.process_time()
    lab.scan(f"{text} {OTHER_PHONE} 154****5699")
    assert time.process_time() - began < 20


def test_hostile_workbooks_take_no_long_time(lab: Lab) -> None:
    for sheet in (
        b"<row>" * 100_000,
        b"<row>" + b"<c>" * 100_000 + b"</row>",
        b"<row><c>" + b"<v>" * 100_000 + b"</c></row>",
    ):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("xl/workbook.xml", b"<x/>")
            archive.writestr("xl/worksheets/sheet1.xml", sheet)
            archive.writestr("xl/sharedStrings.xml", b"<si/>" + sheet.replace(b"row", b"si"))
        began = time.process_time()
        assert lab.scan(packed.getvalue()).hits == ()
        assert time.process_time() - began < 10


def test_halves_of_characters_have_a_size() -> None:
    assert Encoding("utf-8").size("a\ud800b") == 5
    assert Encoding("gb18030").size("\ude5e") == 3
