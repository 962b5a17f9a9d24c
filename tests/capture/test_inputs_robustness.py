"""No damage to a sample of any format makes its reader raise anything but InputError, or slow."""

from __future__ import annotations

import io
import pathlib
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ifmatch import capture
from ifmatch.errors import InputError
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from ifmatch.model.exchange import Capture

ROOT = pathlib.Path(__file__).parents[2] / "cases" / "inputs"
FORMATS = sorted(path.name for path in ROOT.iterdir() if path.is_dir())
SAMPLES = {
    name: [
        path.read_bytes()
        for path in sorted((ROOT / name).iterdir())
        if not path.name.endswith((".expected.json", ".md"))
    ]
    for name in FORMATS
}
# Much longer than any of them takes; a quadratic reader needs more.
SECONDS = 2.5


def use(captures: tuple[Capture, ...]) -> None:
    """Touch what a diagnosis touches."""
    for one in captures:
        # Damaged entries are passed over; those behind keep their number in the file.
        entries = [exchange.provenance.entry for exchange in one.exchanges]
        assert entries == sorted(set(entries))
        for exchange in one.exchanges:
            assert exchange.status == 0 or 100 <= exchange.status <= 599
            messages = [exchange.request, *([exchange.response] if exchange.response else [])]
            for message in messages:
                assert all(isinstance(value, str) for _, value in message.fields)
                if isinstance(message.content, Content):
                    assert isinstance(message.content.octets, bytes)
                    message.content.json()


@st.composite
def damaged(draw: st.DrawFn, samples: list[bytes]) -> bytes:
    """Draw a sample that was cut, doubled, and mixed with octets and pieces of the others."""
    data = draw(st.sampled_from(samples))
    for _ in range(draw(st.integers(0, 5))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 200)))
        other = draw(st.sampled_from(samples))
        begin = draw(st.integers(0, len(other)))
        middle = draw(
            st.one_of(
                st.binary(max_size=8),
                st.just(b""),
                st.sampled_from(
                    [b"\n", b"\0", b'"', b"{", b"[", b"}", b"99999999999", b"-1", b"null", b"\xff"]
                ),
                st.just(other[begin : begin + draw(st.integers(0, 400))]),
            )
        )
        data = data[:start] + middle + data[end:]
    return data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data


def read_or_refuse(data: bytes, form: str | None) -> None:
    try:
        use(capture.read_all(io.BytesIO(data), "x", format=form))
    except InputError as error:
        assert str(error).isprintable()  # noqa: PT017 - either outcome is right


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(draws=st.data())
def test_damaged_samples_give_captures_or_an_input_error(name: str, draws: st.DataObject) -> None:
    """Whatever happened to a file: what was whole, or an error that says what is wrong."""
    data = draws.draw(damaged(SAMPLES[name]))
    read_or_refuse(data, None)
    if name in {known.id for known in capture.FORMATS}:
        read_or_refuse(data, name)


@pytest.mark.parametrize("form", [known.id for known in capture.FORMATS])
@settings(max_examples=40, deadline=None)
@given(data=st.binary(max_size=400))
def test_any_octets_give_captures_or_an_input_error(form: str, data: bytes) -> None:
    """Octets that are nothing at all, for every reader."""
    read_or_refuse(data, form)


@pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.full)], ids=["some", "all"])
@pytest.mark.parametrize("name", FORMATS)
def test_much_of_the_same_is_read_in_bounded_time(name: str, every: int) -> None:
    """Many repetitions of the whole sample and of its pieces."""
    # What several samples have in common, as the line feed at their ends, is read once.
    pieces = dict.fromkeys(
        piece
        for sample in SAMPLES[name][::every]
        for piece in (
            sample,
            *(sample[at : at + 40] for at in range(0, len(sample), max(len(sample) // 2, 1))),
        )
    )
    for piece in pieces:
        begun = time.process_time()
        read_or_refuse(piece * (20_000 // len(piece) + 1), None)
        assert time.process_time() - begun < SECONDS


@pytest.mark.parametrize("begun", [b"", b"---", b"# a\nrequests:", b"- name: a\n  request:"])
@pytest.mark.parametrize("blank", [b"\n", b" ", b"\r\n", b" \n"])
def test_white_space_is_looked_at_once(begun: bytes, blank: bytes) -> None:
    """So much of it took ten seconds where each character was tried as the end of a run."""
    before = time.process_time()
    read_or_refuse(begun + blank * (65_536 // len(blank)), None)
    assert time.process_time() - before < SECONDS
