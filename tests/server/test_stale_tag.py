"""The answer from pieces made beforehand is, octet for octet, the one that is worked out from nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ifmatch import Representation, evaluate
from ifmatch.server import problem
from ifmatch.server.answers import Current, RequestFacts
from ifmatch.server.problem import Disclosure
from ifmatch.server.stale_tag import stale_tag

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
PAST = datetime(2026, 3, 9, 9, 0, tzinfo=UTC)
OPEN = Disclosure()
OPAQUE = st.one_of(
    st.text("abc-_.:/+=*{}~!#$%&'\\;\x93é", min_size=0, max_size=12),
    st.sampled_from(["v2", "v2-gzip", "v2;br", "null", "NULL", "{{etag}}", "*", "undefined", "x" * 600]),
)
TAGS = st.builds(lambda weak, opaque: f'{weak}"{opaque}"', st.sampled_from(["", "", "", "W/"]), OPAQUE)
OTHER = st.sampled_from(
    [
        ("If-None-Match", '"v1"'),
        ("If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:37.5 GMT"),
        ("If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("Range", "bytes=0-1"),
        ("If-Range", '"v1"'),
        ("Accept", "*/*"),
    ]
)


def both(facts: RequestFacts, current: Current | None, disclosure: Disclosure = OPEN):
    decision = evaluate(facts.method, facts.fields, None if current is None else current.representation)
    if decision.status != 412:
        return None, None
    whole = problem.precondition_failed(decision, facts, current, disclosure=disclosure, now=NOW)
    return stale_tag(decision, facts, current, disclosure=disclosure, now=NOW), whole


@given(
    tag=TAGS,
    presented=TAGS,
    more=st.lists(OTHER, max_size=2),
    target=st.sampled_from(["/notes/1", '/notes/"1"?a=%22&b=é\\', "/%s/%(tag)s"]),
    modified=st.sampled_from([None, PAST, NOW + timedelta(days=1)]),
    disclosure=st.sampled_from(
        [OPEN, Disclosure(docs="https://example.com/50%/docs"), Disclosure(current=False)]
    ),
    hides=st.booleans(),
)
def test_it_says_what_the_whole_evaluation_says(
    *, tag, presented, more, target, modified, disclosure, hides
) -> None:
    representation = Representation(etag=tag, last_modified=modified)
    current = Current(representation=representation, hides_date=hides)
    facts = RequestFacts("PUT", target, (("If-Match", presented), *more))
    short, whole = both(facts, current, disclosure)
    if short is not None:
        assert short == whole


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "POST", "GET"])
def test_the_usual_refusal_takes_the_short_way(method) -> None:
    current = Current(representation=Representation(etag='"v2"', last_modified=PAST))
    facts = RequestFacts(method, "/notes/1?draft=true", ((b"if-match", b'"v1"'), (b"accept", b"*/*")))
    short, whole = both(facts, current)
    assert short is not None
    assert short == whole
    short, whole = both(facts, replace(current, representation=Representation(etag='"v2"')))
    assert short is not None
    assert short == whole


@pytest.mark.parametrize(
    ("presented", "current"),
    [
        ('"v2-gzip"', Current(representation=Representation(etag='"v2"'))),
        ('"null"', Current(representation=Representation(etag='"v2"'))),
        ('"*"', Current(representation=Representation(etag='"v2"'))),
        ('"v1"', Current(representation=Representation(etag='W/"v2"'))),
        ('"v1"', Current(representation=Representation(etag='"v2"'), other_tags=('"v1"',))),
        ('"v1", "v0"', Current(representation=Representation(etag='"v2"'))),
        ('"v1"', Current(representation=Representation())),
        ('"v1"', None),
    ],
)
def test_whatever_shows_more_takes_the_long_way(presented, current) -> None:
    short, whole = both(RequestFacts("PUT", "/", (("If-Match", presented),)), current)
    assert short is None
    assert whole is not None
