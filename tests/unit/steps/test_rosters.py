import pytest

from canary.errors import OutsideError, UsageError
from canary.steps.recipients import checked, read_ids
from canary.steps.rosters import read_roster, truth


def roster(tmp_path, data, name="roster.csv"):
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_csv_is_read_in_every_encoding(tmp_path, encoding):
    path = roster(tmp_path, "id,name\nacme,顺达物流\n".encode(encoding))
    assert list(read_roster(path, ("id",))) == [{"id": "acme", "name": "顺达物流"}]


def test_json_lines_are_read_as_text(tmp_path):
    path = roster(tmp_path, '{"id": 7, "control": true, "name": null}\n\n{"id": "b"}\n', "r.jsonl")
    assert list(read_roster(path, ("id",))) == [{"id": "7", "control": "true", "name": ""}, {"id": "b"}]


@pytest.mark.parametrize("data", ["name\nx\n", "id,name\n,x\n", '{"name": "x"}'])
def test_a_missing_column_is_named(tmp_path, data):
    with pytest.raises(UsageError, match="has no 'id'"):
        list(read_roster(roster(tmp_path, data), ("id",)))


@pytest.mark.parametrize("data", ["{broken", '{"id": 1}\n[2]'])
def test_broken_json_is_told_by_its_line(tmp_path, data):
    with pytest.raises(UsageError, match="is not a JSON object"):
        list(read_roster(roster(tmp_path, data), ("id",)))


def test_missing_and_binary_files_are_told(tmp_path):
    with pytest.raises(OutsideError, match="cannot read"):
        list(read_roster(tmp_path / "none.csv", ("id",)))
    with pytest.raises(OutsideError, match="is not text"):
        list(read_roster(roster(tmp_path, b"\xff\xff\xff\xff\x80"), ("id",)))


def test_ids_come_once_each_in_order(tmp_path):
    assert read_ids(roster(tmp_path, "id\nb\na\n")) == ["b", "a"]
    with pytest.raises(UsageError, match="stands there twice"):
        read_ids(roster(tmp_path, "id\nb\nb\n"))
    with pytest.raises(UsageError, match="holds no recipient"):
        read_ids(roster(tmp_path, "id\n"))


@pytest.mark.parametrize(
    ("text", "meant"), [("", False), ("no", False), ("0", False), ("Yes", True), ("是", True)]
)
def test_truth_is_read_as_people_write_it(text, meant):
    assert truth(text) is meant


def test_anything_else_is_neither():
    with pytest.raises(UsageError, match="neither yes nor no"):
        truth("maybe")


@pytest.mark.parametrize("id", ["", "a b", "é", "a/b", "..", ".", "x" * 201, "ghost.1"])
def test_bad_ids_are_refused(id):
    with pytest.raises(UsageError):
        checked(id, "partner")


def test_an_unknown_kind_lists_the_known_ones():
    with pytest.raises(UsageError) as refused:
        checked("acme", "friend")
    assert refused.value.hint == "kinds: partner, account, insider, system"
