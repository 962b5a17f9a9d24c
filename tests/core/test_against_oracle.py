"""The engine and the oracle agree on whatever is generated; the trace and the decision do, too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st

from ifmatch import Representation, evaluate
from ifmatch.core.entity_tag import parse_entity_tag
from ifmatch.core.http_date import format_http_date, parse_http_date
from ifmatch.core.list_syntax import ANY, parse_entity_tags, well_formed_members
from ifmatch.core.malformed import Malformed
from ifmatch.core.trace import Condition
from tests.core import oracle
from tests.core.strategies import (
    LAST_MODIFIED,
    NOW,
    any_tags,
    dates,
    field_sections,
    methods,
    tag_fields,
    well_formed_tags,
)

states = st.none() | st.builds(
    oracle.State,
    st.none() | well_formed_tags,
    st.none() | st.integers(-1, 1).map(lambda seconds: int(LAST_MODIFIED.timestamp()) + seconds),
    st.booleans(),
)
NOW_S = int(NOW.timestamp())
MANY = settings(max_examples=1500, deadline=None)


def representation(state: oracle.State | None) -> Representation | None:
    if state is None:
        return None
    seconds = state.last_modified
    return Representation(
        etag=state.etag,
        last_modified=None if seconds is None else datetime.fromtimestamp(seconds, UTC),
        last_modified_is_strong=state.strong_date,
    )


@MANY
@given(
    method=methods, fields=field_sections, state=states, creates=st.sampled_from([None, None, True, False])
)
@example("GET", [(b"If-None-Match", b'x "a",, "b"')], oracle.State(b'"b"', None, False), None)
def test_decision_is_that_of_the_oracle(
    method: str, fields: list[tuple[bytes, bytes]], state: oracle.State | None, creates: bool | None
) -> None:
    """RFC 9110 section 13, for octets, for text, and for the steps of the trace."""
    expected = oracle.evaluate(method, fields, state, creates=creates, now=NOW_S)
    current = representation(state)
    decision = evaluate(method, fields, current, creates=creates, now=NOW)
    assert (decision.status, decision.use_range, decision.malformed) == (
        expected.status,
        expected.use_range,
        expected.malformed,
    )
    as_text = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in fields]
    assert evaluate(method, iter(as_text), current, creates=creates, now=lambda: NOW) == decision

    trace = decision.trace
    assert trace.status == decision.status
    assert (trace.deciding is None) is (decision.status is None)
    numbers = [step.number for step in trace.steps]
    assert numbers == sorted(set(numbers))
    named = {step.field for step in trace.steps if step.malformed and "Since" not in step.field}
    assert named == set(decision.malformed)
    range_step = next((step for step in trace.steps if step.field == "If-Range"), None)
    if range_step is not None and range_step.condition is not Condition.NOT_APPLICABLE:
        assert decision.use_range is (range_step.condition is Condition.TRUE)


@MANY
@given(any_tags | st.binary(max_size=8))
def test_an_entity_tag_is_what_the_grammar_says(octets: bytes) -> None:
    """RFC 9110 section 8.8.3; what is read is written back octet for octet."""
    tag = parse_entity_tag(octets)
    assert isinstance(tag, Malformed) is not oracle.is_tag(octets)
    if isinstance(tag, Malformed):
        assert 0 <= tag.position <= len(tag.text)
        assert tag.reason
    else:
        assert str(tag).encode("latin-1") == octets


@MANY
@given(tag_fields)
def test_a_list_is_what_the_grammar_says(octets: bytes) -> None:
    """RFC 9110 sections 13.1.1 and 5.6.1.2."""
    value = octets.strip(b" \t")
    tags = parse_entity_tags(octets)
    members = tuple(str(tag).encode("latin-1") for tag in well_formed_members(value.decode("latin-1")))
    assert members == tuple(oracle.readable_members(value))
    condition, malformed = oracle.if_none_match(value, oracle.State(b'"a"', None, False))
    assert isinstance(tags, Malformed) is malformed
    if tags is ANY:
        assert value == b"*"
    elif isinstance(tags, tuple):
        assert tuple(str(tag).encode("latin-1") for tag in tags) == members
        assert condition is not any(tag.opaque == "a" for tag in tags)
    else:
        assert 0 <= tags.position <= len(tags.text)


@MANY
@given(dates(), st.timedeltas(timedelta(days=-20000), timedelta(days=20000)))
def test_a_date_is_what_the_grammar_says(octets: bytes, shift: timedelta) -> None:
    """RFC 9110 section 5.6.7, against whatever present."""
    now = (NOW + shift).replace(microsecond=0)
    expected = oracle.date(octets, int(now.timestamp()))
    found = parse_http_date(octets.decode("latin-1"), now=now)
    if expected is None:
        assert isinstance(found, Malformed)
        assert 0 <= found.position <= len(found.text)
    else:
        assert found == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=expected)


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_date_written_is_read_back(moment: datetime) -> None:
    """RFC 9110 section 5.6.7: IMF-fixdate holds whole seconds."""
    assert parse_http_date(format_http_date(moment), now=NOW) == moment.replace(microsecond=0)
