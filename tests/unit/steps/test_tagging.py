import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.errors import UsageError
from canary.steps.tagging import (
    TagRequest,
    check_canaries,
    check_recipients,
    count_of,
    fresh_identity,
    identity,
    outputs_of,
)

ARGUMENTS = {
    "sha256_in": "a" * 64, "recipient": "acme", "version": "b" * 64, "canaries": 0.002, "marks": True,
    "format": "csv", "table": None,
}  # fmt: skip


def request(**changes):
    return TagRequest(**({"input": "in.csv", "recipients": ("acme",), "output": "out.csv"} | changes))


@pytest.mark.parametrize("canaries", [0, 0.002, 0.999, 1, 7, 250_000])
def test_counts_and_shares_are_taken(canaries):
    assert check_canaries(canaries) == canaries


@pytest.mark.parametrize("canaries", [-1, -0.1, 1.5, 12.25, float("nan"), float("inf")])
def test_what_is_neither_count_nor_share_is_refused(canaries):
    with pytest.raises(UsageError) as refused:
        check_canaries(canaries)
    assert "whole number" in refused.value.hint


@pytest.mark.parametrize(
    ("canaries", "rows", "count"),
    [
        (0.002, 1_000, 2),
        (0.002, 1_001, 3),
        (0.002, 1, 1),
        (0.1, 30, 3),
        (5, 2, 5),
        (5, 0, 0),
        (0, 100, 0),
        (0.5, 0, 0),
    ],
)
def test_counts_are_exact_and_shares_rounded_up(canaries, rows, count):
    assert count_of(canaries, rows) == count


@given(st.floats(1e-6, 0.999), st.integers(1, 10**7))
def test_a_share_never_gives_less_than_its_part(share, rows):
    assert -1e-6 < count_of(share, rows) - share * rows < 1 + 1e-6


@pytest.mark.parametrize("name", sorted(ARGUMENTS))
def test_every_part_of_an_identity_matters(name):
    changed = {"canaries": 3.0, "marks": False, "table": "other"}.get(name, "c")
    assert identity(**ARGUMENTS) == identity(**ARGUMENTS)
    assert identity(**ARGUMENTS) != identity(**(ARGUMENTS | {name: changed}))


def test_new_forces_another_identity():
    same = identity(**ARGUMENTS)
    assert len({same, fresh_identity(same), fresh_identity(same)}) == 3


def test_no_recipient_and_a_doubled_one_are_refused():
    with pytest.raises(UsageError, match="no recipient"):
        check_recipients([])
    with pytest.raises(UsageError, match="'a' was given twice"):
        check_recipients(["a", "b", "a"])


def test_one_recipient_goes_to_the_path_several_into_a_folder(tmp_path):
    assert outputs_of(request(), ".csv") == ["out.csv"]
    many = request(recipients=("a", "b"), output=str(tmp_path / "new"))
    assert outputs_of(many, ".csv.gz") == [
        str(tmp_path / "new" / "a.csv.gz"),
        str(tmp_path / "new" / "b.csv.gz"),
    ]
    assert outputs_of(request(output=str(tmp_path)), ".csv") == [str(tmp_path / "acme.csv")]
    assert outputs_of(request(output=str(tmp_path / "x"), many=True), ".csv") == [
        str(tmp_path / "x" / "acme.csv")
    ]


def test_several_copies_need_a_folder(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="several copies"):
        outputs_of(request(recipients=("a", "b"), output=str(tmp_path / "file")), ".csv")
    with pytest.raises(UsageError, match="standard output"):
        outputs_of(request(recipients=("a", "b"), output="-"), ".csv")
