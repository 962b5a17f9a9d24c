"""The 43 recordings of the lab: every one right on both views, names and order of files without influence."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recordings import capture, first, found, recordings, right

from ifmatch.diagnosis import diagnose

if TYPE_CHECKING:
    from ifmatch.model.exchange import Provenance

LAB = recordings("lab")


def test_all_recordings_are_there() -> None:
    assert len(LAB) == 43


@pytest.mark.parametrize("recording", LAB, ids=lambda one: one.name)
def test_client_file_alone(recording) -> None:
    cause, _ = found(recording.client)
    assert right(recording, "client", cause), (cause, recording.alone)


@pytest.mark.parametrize("recording", LAB, ids=lambda one: one.name)
def test_all_files(recording) -> None:
    cause, _ = found(recording.files)
    assert right(recording, "all", cause), (cause, recording.cause)


def test_share_at_high() -> None:
    """At least 60 % of the right firsts are high from the client's file, 80 % with all files, none wrong."""
    for view, share in (("client", 0.6), ("all", 0.8)):
        rows = [(one, *found(one.client if view == "client" else one.files)) for one in LAB]
        faults = [row for row in rows if row[1] != "none"]
        high = [row for row in faults if row[2] >= 0.75]
        assert len(high) >= share * len(faults), view
        assert all(right(one, view, cause) for one, cause, _ in high)


def _renamed(one, name):
    exchanges = tuple(
        replace(exchange, provenance=replace(exchange.provenance, source=name)) for exchange in one.exchanges
    )
    return replace(one, name=name, exchanges=exchanges)


def _shape(diagnosis, names):
    """Return what a diagnosis says, sources by their old names."""

    def where(place: Provenance):
        return names.get(place.source, place.source), place.entry

    return [
        (
            incident.outcome,
            where(incident.exchange),
            incident.actor,
            incident.repair,
            [(finding.cause, finding.likelihood) for finding in incident.findings],
        )
        for incident in diagnosis.incidents
    ]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_names_and_order_of_files_change_nothing(data) -> None:
    """Vantages are inferred from content, never from names; the order of arguments does not matter."""
    recording = data.draw(st.sampled_from([one for one in LAB if len(one.files) > 1]))
    captures = [capture(path) for path in recording.files]
    order = data.draw(st.permutations(range(len(captures))))
    names = data.draw(
        st.lists(st.from_regex(r"[a-z]{1,8}\.har", fullmatch=True), min_size=4, max_size=4, unique=True)
    )
    renamed = [_renamed(captures[number], names[place]) for place, number in enumerate(order)]
    old = {names[place]: captures[number].name for place, number in enumerate(order)}
    before = diagnose(captures)
    after = diagnose(renamed)
    assert _shape(after, old) == _shape(before, {})
    vantages = {
        source.name: (source.vantage, source.node, source.clock_offset_ms) for source in before.sources
    }
    assert {old[one.name]: (one.vantage, one.node, one.clock_offset_ms) for one in after.sources} == vantages
    assert [one.name for one in after.sources] == names[: len(captures)]


def test_vantages_of_a_proxied_case() -> None:
    recording = next(one for one in LAB if one.name == "c061")
    diagnosis = diagnose([capture(path) for path in recording.files])
    vantages = {source.name.split(".")[1]: str(source.vantage) for source in diagnosis.sources}
    assert vantages == {"client": "client", "upstream1": "upstream", "upstream2": "upstream"}
    assert sorted(source.node for source in diagnosis.sources if source.node) == ["node 1", "node 2"]


def test_a_clock_that_differs_is_told() -> None:
    recording = next(one for one in LAB if one.name == "c078")
    diagnosis = diagnose([capture(path) for path in recording.files])
    offsets = {source.name.split(".")[1]: source.clock_offset_ms for source in diagnosis.sources}
    assert offsets["client"] == pytest.approx(30 * 60 * 1000, abs=1500)
    assert offsets["upstream"] == offsets["other"] == 0


def test_the_score_table(capsys) -> None:
    rows = []
    for one in LAB:
        alone, likely = found(one.client)
        everything, sure = found(one.files)
        rows.append(f"{one.name}  {one.cause:28} {alone:28} {likely:5.3f}  {everything:28} {sure:5.3f}")
    with capsys.disabled():
        print(f"\ncase  {'cause':28} {'client alone':28} p      {'all files':28} p")
        print("\n".join(rows))
    assert len(rows) == 43
    assert first(diagnose([]))[0] == "none"
