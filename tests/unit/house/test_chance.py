"""Tests are repeatable: randomness follows from a test's name."""

import os
import secrets
import uuid
from random import SystemRandom

import numpy as np

from tests.chance import chance


def drawn() -> tuple[bytes, bytes, float, int]:
    return (
        os.urandom(8),
        secrets.token_bytes(8),
        SystemRandom().random(),
        int(np.random.default_rng().integers(2**60)),
    )


def test_the_same_name_draws_the_same_and_another_name_something_else():
    with chance("one"):
        first = drawn()
    with chance("one"):
        again = drawn()
    with chance("two"):
        other = drawn()
    assert first == again
    assert all(mine != theirs for mine, theirs in zip(first, other, strict=True))


def test_the_system_draws_again_when_a_block_ends():
    before = os.urandom
    with chance("one"):
        assert os.urandom is not before
    assert os.urandom is before


SEEN: list[tuple[bytes, bytes, float, int]] = []


def test_two_tests_draw_differently():
    SEEN.append(drawn())
    assert len(set(SEEN)) == len(SEEN)


def test_two_tests_draw_differently_whichever_comes_first():
    SEEN.append(drawn())
    assert len(set(SEEN)) == len(SEEN)


def test_names_of_cache_files_take_nothing_from_the_stream():
    with chance("one"):
        first = drawn()
    with chance("one"):
        names = {uuid.uuid4(), uuid.uuid4()}
        assert drawn() == first
    assert len(names) == 2
