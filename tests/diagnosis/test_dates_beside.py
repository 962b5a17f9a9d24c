"""What a service does with the date of one resource speaks for its others, unless it did otherwise too."""

from __future__ import annotations

import pytest
from stories_reader import Story

from ifmatch.diagnosis import diagnose

REFUSED = (
    'A 0 GET /sheets/a => 200 ; Last-Modified: @-90000 ; ETag: "a1" | x',
    "A 1 PUT /sheets/a ; If-Unmodified-Since: @-90000 | xx => 412",
)
FRACTION = (
    'A 4 GET /sheets/c => 200 ; Last-Modified: @-70000 ; ETag: "c1" | z',
    "A 5 PUT /sheets/c ; If-Unmodified-Since: @-70000 | zz => 412",
    "A 6 PUT /sheets/c ; If-Unmodified-Since: @-69999 | zz => 204",
)
STILL_SERVED = (
    'A 4 GET /sheets/c => 200 ; Last-Modified: @-70000 ; ETag: "c1" | z',
    "A 5 PUT /sheets/c ; If-Unmodified-Since: @-70000 | zz => 412",
    'A 6 GET /sheets/c => 200 ; Last-Modified: @-70000 ; ETag: "c1" | z',
)
ANOTHER_TAG = (*STILL_SERVED[:2], 'A 6 GET /sheets/c => 200 ; Last-Modified: @-70000 ; ETag: "c2" | z')
TAKEN = (
    'A 7 GET /sheets/b => 200 ; Last-Modified: @-80000 ; ETag: "b1" | y',
    "A 8 PUT /sheets/b ; If-Unmodified-Since: @-80000 | yy => 204",
)


def of_a(*lines):
    diagnosis = diagnose(Story("dates", "beside", lines=[*REFUSED, *lines]).captures("all"))
    incident = next(one for one in diagnosis.incidents if one.resource.endswith("/sheets/a"))
    return incident.findings[0].cause


@pytest.mark.parametrize("beside", [FRACTION, STILL_SERVED])
def test_another_resource_shows_that_stored_times_have_fractions(beside) -> None:
    assert of_a(*beside) == "date-precision"


@pytest.mark.parametrize("beside", [(), TAKEN, (*FRACTION, *TAKEN), ANOTHER_TAG])
def test_an_echo_that_passed_elsewhere_or_nothing_at_all_shows_no_fraction(beside) -> None:
    assert of_a(*beside) == "other-writer"
