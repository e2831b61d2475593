"""The runner of the documents' examples finds what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs import runner

TEXT = """
# A title

```console
$ canary --version
canary ...
$ canary recipient add \\
>   acme
added acme
```

```sh
$ rm -rf everything
```

1. an item

   ```console
   $ echo one; echo two
   one
   two
   ```
"""


def test_examples_are_found_in_order() -> None:
    assert list(runner.examples(TEXT)) == [
        runner.Example(5, "canary --version", "canary ..."),
        runner.Example(7, "canary recipient add acme", "added acme"),
        runner.Example(19, "echo one; echo two", "one\ntwo"),
    ]


@pytest.mark.parametrize(
    ("expected", "printed", "same"),
    [
        ("a", "a\n", True),
        ("a", "b", False),
        ("a", "a\nb", False),
        ("a\n...\nz", "a\nb\nc\nz", True),
        ("a ... z", "a b z", True),
        ("took ... s", "took 3 s (1+1)", False),
        ("a.c", "abc", False),
        ("a  b", "a b", False),
        ("", "", True),
        ("a\nb", "a   \nb ", True),
    ],
)
def test_output_is_compared(expected: str, printed: str, same: bool) -> None:
    assert runner.agrees(expected, printed) is same


def test_a_wrong_output_is_told_with_its_line(tmp_path: Path) -> None:
    found = runner.faults("```console\n$ echo 2\n1\n```\n", tmp_path)
    assert [text.splitlines()[0] for text in found] == ["line 2: $ echo 2"]


def test_a_failure_must_be_expected(tmp_path: Path) -> None:
    assert len(runner.faults("```console\n$ sh -c 'exit 3'\n```\n", tmp_path)) == 1
    said = "```console\n$ sh -c 'echo error: no; exit 3'\nerror: no\n```\n"
    assert runner.faults(said, tmp_path) == []


def test_commands_run_in_the_folder_and_in_this_process(tmp_path: Path) -> None:
    text = "```console\n$ echo one > file\n$ cat file\none\n$ canary --version\ncanary ...\n```\n"
    assert runner.faults(text, tmp_path) == []
    assert (tmp_path / "file").read_text() == "one\n"


def test_talk_may_be_shown_or_left_out(tmp_path: Path) -> None:
    text = "```console\n$ canary init --home {}\n{}\n```\n"
    assert (
        runner.faults(text.format("one", "made a home at .../one\nkeep a copy of ...\nnext: ..."), tmp_path)
        == []
    )
    assert runner.faults(text.format("two", "made a home at .../two"), tmp_path) == []
    assert len(runner.faults(text.format("three", "made a home at .../four"), tmp_path)) == 1
