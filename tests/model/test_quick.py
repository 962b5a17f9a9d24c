"""Records that are made quickly are the frozen ones that they were."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, dataclass, field, replace

import pytest

from ifmatch.model.quick import quick
from ifmatch.update import Answer, State


@quick
@dataclass(frozen=True, slots=True)
class Record:
    name: str
    size: int = 3
    parts: list[int] = field(default_factory=list)


def test_members_come_by_position_by_name_and_by_default() -> None:
    one, other = Record("a", 4, [1]), Record(name="a")
    assert (one.name, one.size, one.parts) == ("a", 4, [1])
    assert (other.name, other.size, other.parts) == ("a", 3, [])
    assert other.parts is not Record("a").parts
    assert other == Record("a")
    assert type(one) is Record
    assert repr(one) == "Record(name='a', size=4, parts=[1])"


def test_they_stay_frozen() -> None:
    one = Record("a")
    with pytest.raises(FrozenInstanceError):
        one.name = "b"
    with pytest.raises(FrozenInstanceError):
        del one.size
    with pytest.raises(TypeError, match="name"):
        Record()
    with pytest.raises(TypeError, match="other"):
        Record("a", other=1)


def test_copies_and_pickles_are_equal() -> None:
    one = Record("a", parts=[2])
    assert replace(one, size=5) == Record("a", 5, [2])
    for again in (copy.deepcopy(one), pickle.loads(pickle.dumps(one))):  # noqa: S301 - our own
        assert again == one
        assert type(again) is Record


def test_the_records_of_an_update_are_made_so() -> None:
    answer = Answer(200, octets=b"x")
    with pytest.raises(FrozenInstanceError):
        answer.status = 201
    assert hash(State(b"x", ("1",))) == hash(State(b"x", ("1",), "", answer.fields))
