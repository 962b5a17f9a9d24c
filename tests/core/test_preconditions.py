"""The interface of `evaluate`, `Representation` and `Decision`; what they decide is in the case files."""

from __future__ import annotations

import copy
import enum
import pickle
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from ifmatch import Decision, EntityTag, Representation, evaluate
from ifmatch.core.entity_tag import is_entity_tag

MODIFIED = datetime(2025, 7, 1, 10, 0, 0, tzinfo=UTC)
STALE = [(b"if-match", b'"old"')]


def test_without_conditions_the_request_is_performed() -> None:
    decision = evaluate("PUT", [(b"host", b"a.example")], Representation())
    assert (decision.status, decision.use_range, decision.malformed) == (None, False, ())
    assert decision.trace.steps == ()
    assert str(decision.trace) == "perform the request"


@pytest.mark.parametrize("etag", ['W/"é"', b'W/"\xe9"', EntityTag("é", weak=True)])
def test_a_tag_may_be_text_octets_or_a_tag(etag: EntityTag | str | bytes) -> None:
    assert Representation(etag=etag).etag == EntityTag("é", weak=True)


@pytest.mark.parametrize("octet", range(257))
def test_the_check_of_a_state_is_the_grammar(octet: int) -> None:
    """With each character at each place, around the length at which the quick check ends."""
    tag = '"' + "a" * 124 + '"'
    for text in (tag[:2] + '"', tag, tag[:-1] + 'aa"', tag[:-1] + 'aaa"', f"W/{tag}", 'a"b"', 'w/"a"', ""):
        for at in range(0, len(text) + 1, max(len(text) // 4, 1)):
            changed = text[:at] + chr(octet) + text[at:]
            if is_entity_tag(changed):
                assert Representation(etag=changed).etag_field == changed
            else:
                with pytest.raises(ValueError, match="no entity tag"):
                    Representation(etag=changed)


def test_a_member_of_a_text_enumeration_is_its_value() -> None:
    class Tag(str, enum.Enum):  # noqa: UP042 -- the kind whose str() is the name
        ONE = '"1"'

    assert Representation(etag=Tag.ONE).etag_field == '"1"'


@pytest.mark.parametrize("etag", ["", "abc", '"a', 'w/"a"', '"a" ', '"a b"', b"abc", '"a", "b"', "*", '"Ā"'])
def test_a_text_that_is_no_tag_is_the_callers_mistake(etag: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"is no entity tag.*quotes included"):
        Representation(etag=etag)


def test_another_type_is_the_callers_mistake() -> None:
    with pytest.raises(TypeError, match="not int"):
        Representation(etag=1)  # type: ignore[arg-type]


def test_a_date_without_zone_is_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        Representation(last_modified=MODIFIED.replace(tzinfo=None))


def test_a_date_is_kept_in_utc_and_whole_seconds() -> None:
    west = MODIFIED.replace(microsecond=999_999).astimezone(timezone(-timedelta(hours=3)))
    kept = Representation(last_modified=west).last_modified
    assert kept == MODIFIED
    assert kept is not None
    assert kept.tzinfo is UTC
    fields = [("If-Modified-Since", "Tue, 01 Jul 2025 10:00:00 GMT")]
    assert evaluate("GET", fields, Representation(last_modified=west)).status == 304


def test_representations_compare_by_value_and_are_frozen() -> None:
    one = Representation(etag='"a"', last_modified=MODIFIED, last_modified_is_strong=True)
    other = Representation(etag=EntityTag("a"), last_modified=MODIFIED, last_modified_is_strong=True)
    assert one == other
    assert hash(one) == hash(other)
    assert one.last_modified_is_strong
    assert one not in (Representation(etag='W/"a"', last_modified=MODIFIED), Representation(), '"a"')
    assert pickle.loads(pickle.dumps(one)) == one  # noqa: S301 -- of our own making
    assert copy.deepcopy(one) == one
    with pytest.raises(AttributeError):
        one.etag = None  # type: ignore[misc]
    assert (
        repr(one) == "Representation(etag='\"a\"', last_modified='Tue, 01 Jul 2025 10:00:00 GMT',"
        " last_modified_is_strong=True)"
    )
    assert repr(Representation()) == "Representation()"


def test_a_decision_is_frozen_compares_by_value_and_can_be_pickled() -> None:
    decision = evaluate("PUT", STALE, Representation(etag='"a"'))
    assert isinstance(decision, Decision)
    assert repr(decision) == "Decision(status=412, use_range=False, malformed=())"
    with pytest.raises(AttributeError, match="frozen"):
        decision.status = None
    with pytest.raises(AttributeError, match="frozen"):
        del decision.status
    with pytest.raises(TypeError, match=r"made by ifmatch\.evaluate"):
        Decision()
    same = evaluate("DELETE", STALE, Representation())
    assert decision == same
    assert hash(decision) == hash(same)
    assert decision != evaluate("PUT", STALE, Representation(etag='"old"'))
    assert decision != 412
    restored = pickle.loads(pickle.dumps(decision))  # noqa: S301 -- of our own making
    assert restored == decision
    assert str(restored.trace) == str(decision.trace)
    assert copy.copy(decision) == decision


def test_the_shared_decision_cannot_be_changed() -> None:
    decision = evaluate("GET", [], None)
    with pytest.raises(AttributeError):
        decision.use_range = True
    assert not evaluate("GET", [], None).use_range


def test_wire_data_of_any_kind_never_raises() -> None:
    lines = [
        (name, value)
        for name in ("if-match", "IF-NONE-MATCH", "if-range", "Range")
        for value in ("\udce9", "Ā", "\0")
    ]
    assert evaluate("GET", lines, Representation(etag='"a"')).status == 412


def test_the_present_may_be_given_as_a_function_that_is_rarely_called() -> None:
    def clock() -> datetime:
        asked.append(1)
        return datetime(2026, 1, 1, tzinfo=UTC)

    asked: list[int] = []
    state = Representation(last_modified=MODIFIED)
    evaluate("GET", [("If-Modified-Since", "Tue, 01 Jul 2025 10:00:00 GMT")], state, now=clock)
    assert asked == []
    late = evaluate("GET", [("If-Modified-Since", "Tuesday, 01-Jul-75 10:00:00 GMT")], state, now=clock)
    assert (late.status, asked) == (304, [1])


def test_without_a_current_representation_there_is_nothing_to_take_a_range_of() -> None:
    assert not evaluate("GET", [("Range", "bytes=0-1")], None).use_range
    assert not evaluate("GET", [("Range", "bytes=0-1")], None, creates=True).use_range


def test_a_date_without_a_time_is_no_modification_date() -> None:
    with pytest.raises(ValueError, match="expected an aware datetime"):
        Representation(last_modified=date(2026, 3, 10))  # type: ignore[arg-type]
