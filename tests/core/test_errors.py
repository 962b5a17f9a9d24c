"""Messages say where, what was expected and what to do; exceptions survive a process boundary."""

from __future__ import annotations

import pickle

import pytest

from ifmatch import errors
from ifmatch.errors import (
    IfmatchError,
    InputError,
    MissingExtraError,
    StoreUnavailableError,
    TargetUnreachableError,
)

INPUT = InputError(
    "the text is cut off",
    source="bug.har",
    offset=812,
    line=3,
    expected="a closing brace",
    advice="Export it again",
)
MISSING = MissingExtraError("live", "ifmatch audit")
UNREACHABLE = TargetUnreachableError("connection refused", target="127.0.0.1:1", advice="Start the service.")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            INPUT,
            "bug.har, line 3, octet 812: the text is cut off. Expected: a closing brace. Export it again.",
        ),
        (InputError("it is empty", source="-"), "-: it is empty."),
        (InputError("it is empty", source="-", offset=0), "-, octet 0: it is empty."),
        (MISSING, "ifmatch audit needs the extra 'live'. Install it: pip install 'ifmatch[live]'"),
        (UNREACHABLE, "127.0.0.1:1: connection refused. Start the service."),
        (TargetUnreachableError("no answer"), "no answer."),
        (
            StoreUnavailableError("it failed: Connection refused.", store="Redis"),
            "Redis: it failed: Connection refused.",
        ),
    ],
)
def test_message(error: IfmatchError, message: str) -> None:
    assert str(error) == message


@pytest.mark.parametrize("error", [INPUT, MISSING, UNREACHABLE], ids=lambda error: type(error).__name__)
def test_is_pickled_with_all_it_says(error: IfmatchError) -> None:
    restored = pickle.loads(pickle.dumps(error))  # noqa: S301 -- of our own making
    assert type(restored) is type(error)
    assert str(restored) == str(error)
    assert vars(restored) == vars(error)


def test_every_exception_has_the_same_root_and_stands_in_the_drawing() -> None:
    for name in errors.__all__:
        assert issubclass(getattr(errors, name), IfmatchError)
        assert name in (errors.__doc__ or "")
