"""Resources of one actor each of whose versions is given out right before what is made of it."""

from __future__ import annotations

import pytest
from stories_reader import exchange_of

from ifmatch.diagnosis.case.reconstruction import build
from ifmatch.model.exchange import Capture

READ_1 = 'A 0 GET /x => 200 ; ETag: "1" | {"a": 1}'
READ_2 = 'A 2 GET /x => 200 ; ETag: "2" | {"a": 2}'
WRITE = 'A 1 PUT /x ; If-Match: "1" | {"a": 2} => 200 ; ETag: "2"'
NEXT = 'A 3 PUT /x ; If-Match: "2" | {"a": 3} => 204 ; ETag: "3"'


def in_turn(*lines):
    groups = {}
    exchanges = tuple(exchange_of(line, groups) for line in lines)
    actors = {one.provenance.source for one in exchanges}
    captures = [
        Capture(f"{actor}.har", "har", tuple(one for one in exchanges if one.provenance.source == actor))
        for actor in sorted(actors)
    ]
    (history,) = build(captures).histories.values()
    return history.in_turn


@pytest.mark.parametrize(
    "lines",
    [
        (READ_1, WRITE, READ_2, NEXT),
        (READ_1, WRITE, NEXT),
        (READ_1, READ_2, NEXT),
    ],
)
def test_versions_that_are_made_of_what_was_given_last_go_on_in_turn(lines) -> None:
    assert in_turn(*lines)


@pytest.mark.parametrize(
    "lines",
    [
        # The write names no version that was given.
        (WRITE, READ_2),
        # It is refused.
        (READ_1, WRITE.replace("200", "412")),
        # It names an older version.
        (READ_1, READ_2, NEXT.replace('"2"', '"1"')),
        # It has no condition, or two.
        (READ_1, WRITE.replace(' ; If-Match: "1"', "")),
        (READ_1, WRITE.replace('If-Match: "1"', 'If-Match: "1" ; If-None-Match: "9"')),
        # The next look shows another version, or an old one once more.
        (READ_1, WRITE, READ_2.replace('"2"', '"4"')),
        (READ_1, READ_2, READ_1.replace("A 0", "A 3")),
        # It makes the version that it was made of.
        (READ_1, WRITE.replace('ETag: "2"', 'ETag: "1"')),
        # Another actor is seen.
        (READ_1, WRITE, READ_2.replace("A 2", "B 2")),
        # The look is conditional, or has no version.
        (READ_1, WRITE, READ_2.replace("/x", '/x ; If-None-Match: "1"')),
        (READ_1, READ_2.replace(' ; ETag: "2"', "")),
    ],
)
def test_whatever_leaves_room_for_another_write_does_not(lines) -> None:
    assert not in_turn(*lines)
