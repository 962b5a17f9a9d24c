"""Four times the exchanges cost about four times the work, whatever kind of traffic they are.

What is counted are calls of functions, which tell the same on a busy machine. To look at a few neighbours of
each exchange costs more once there are as many, so that the border lies above four; work as of the
square would be sixteen times as much.
"""

from __future__ import annotations

import cProfile
import io

import long_captures
import pytest
from test_long_captures import CACHES

from ifmatch.capture import read
from ifmatch.diagnosis import diagnose

LEAST = 32
MOST = 6
INCIDENTS = (
    long_captures.tagged_edits,
    long_captures.refused_at_one,
    long_captures.conflicts_at_many,
    long_captures.leases,
    long_captures.audits,
)


def diagnosed(kind, length):
    return diagnose([read(io.BytesIO(long_captures.capture_of(kind, length)), "client.har")])


def calls_for(kind, length):
    capture = read(io.BytesIO(long_captures.capture_of(kind, length)), "client.har")
    # What shorter captures left in caches would not be worked out again.
    for cached in CACHES:
        cached.cache_clear()
    profile = cProfile.Profile()
    profile.runcall(diagnose, [capture])
    return sum(entry.callcount for entry in profile.getstats())


@pytest.mark.parametrize("kind", long_captures.KINDS, ids=lambda one: one.__name__)
def test_four_times_the_exchanges_cost_about_four_times_the_work(kind):
    # Patterns are compiled when they are first asked for.
    diagnosed(kind, LEAST // 2)
    short, long = calls_for(kind, LEAST), calls_for(kind, 4 * LEAST)
    assert long < MOST * short


@pytest.mark.parametrize("kind", INCIDENTS, ids=lambda one: one.__name__)
def test_captures_show_what_is_looked_for(kind):
    assert diagnosed(kind, LEAST).incidents
