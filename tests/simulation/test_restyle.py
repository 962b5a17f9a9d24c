"""The style of traffic (hosts, tags, fields, clients, days) never changes what comes first."""

from __future__ import annotations

import json
import pathlib
import re
from email.utils import parsedate_to_datetime

import pytest

from ifmatch.capture import read
from ifmatch.diagnosis import diagnose
from tools.simulation.restyle import Style

CASES = pathlib.Path(__file__).parents[2] / "cases"
LABELS = sorted(
    path for folder in ("lab", "driven", "apis") for path in (CASES / folder).glob("*.label.json")
)
# Where the name or the tag is a checksum of the content, another spelling is another story.
CHECKSUMS = re.compile(r"checksum|content-addressed|sha-?(?:1|256)|md5|digest|hash", re.IGNORECASE)
QUICK = LABELS[::12]


def _captures(label):
    stem = label.name.removesuffix(".label.json")
    found = []
    for path in sorted(label.parent.glob(f"{stem}.*.har")):
        with path.open("rb") as stream:
            found.append(read(stream, path.name))
    return found


def _first(captures):
    incidents = diagnose(captures).incidents
    if not incidents:
        return "none"
    return incidents[0].findings[0].cause if incidents[0].findings else "undecided"


def _changed(labels, seed):
    changed = []
    for label in labels:
        told = json.loads(label.read_text())
        seen = _captures(label)
        text = f"{told['description']} {told.get('notes')} {told['cause']}"
        style = Style(f"{seed}/{label.name}", tags=not CHECKSUMS.search(text))
        before, after = _first(seen), _first([style.capture(one) for one in seen])
        if before != after:
            changed.append((label.name, before, after))
    return changed


def test_another_style_is_other_text() -> None:
    one = _captures(CASES / "lab" / "c082.label.json")[0]
    told = Style("x").capture(one)
    before, after = one.exchanges[0], told.exchanges[0]
    assert before.request.url != after.request.url
    assert before.response.fields.text("etag") != after.response.fields.text("etag")
    assert before.response.fields.text("last-modified") != after.response.fields.text("last-modified")
    assert [name for name, _ in before.response.fields] != [name for name, _ in after.response.fields]


def test_the_time_in_a_tag_moves_with_the_days() -> None:
    """Tomcat makes tags of size and time in milliseconds: that of Last-Modified."""
    read_again = Style("x").capture(_captures(CASES / "apis" / "b695.label.json")[0]).exchanges[1].response
    time = int(read_again.fields.text("etag").strip('W/"').partition("-")[2])
    modified = parsedate_to_datetime(read_again.fields.text("last-modified")).timestamp()
    assert time // 1000 == modified


def test_a_percent_encoded_quote_is_no_digit_of_a_tag() -> None:
    steps = Style("x").capture(_captures(CASES / "apis" / "a726.label.json")[0]).exchanges
    sent = next(text for step in steps if (text := step.request.fields.text("if-match")) is not None)
    assert sent.startswith("%22")
    assert sent.endswith("%22")
    assert {f'"{sent[3:-3]}"'} & {step.response.fields.text("etag") for step in steps}


def test_style_changes_nothing() -> None:
    assert not _changed(QUICK, 1)


# Each recording is told once, in one of three styles: the seconds are spent on recordings, not on styles.
@pytest.mark.full
@pytest.mark.parametrize("seed", range(2, 5))
def test_style_changes_nothing_anywhere(seed) -> None:
    assert not _changed(LABELS[seed - 2 :: 3], seed)
