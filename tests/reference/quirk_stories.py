"""One story for each quirk: it shows the quirk by raw requests, and what is recorded has to be diagnosed.

A story asserts what the quirk does. `STORIES` tells for each what the recording is to be diagnosed as; the
files are made by `python -m tests.reference.record_quirks`.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.reference.stage import BASE, Stage

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["STORIES", "Story"]


@dataclass(frozen=True)
class Story:
    """What happens under a quirk, and what it is to be diagnosed as.

    Attributes:
        quirk: as for `--quirk`, with a value where the default is not right for a test.
        play: acts and asserts.
        outcome: as the labels of the recordings name it: a status, `lost-update`, `healthy`, ...
        cause: what all files together have to give; "" stands for the cause of the quirk.
        alone: further first findings that are right for Ana's file alone.
        also: true as well.
        upstream: whether the server behind the quirk is a vantage of its own.
        text: the story in a sentence.
    """

    quirk: str
    play: Callable[[Stage], None]
    outcome: str
    text: str
    cause: str = ""
    alone: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    upstream: bool = False


STORIES: list[Story] = []


def story(quirk, outcome, text, *, cause="", alone=(), also=(), upstream=False):
    def register(play):
        STORIES.append(Story(quirk, play, outcome, text, cause, alone, also, upstream))
        return play

    return register


# --- encoders


def refused_with_the_tag_of_gzip(stage: Stage, coding: str, mark: Callable[[str], str]) -> None:
    """Read compressed, be refused, read plainly: the tags differ by the mark of the encoder."""
    read = stage.get(stage.ana, accept_encoding=coding)
    assert read.status == 200
    assert read.fields.text("content-encoding") == coding
    assert stage.edit(stage.ana, read, note="Meet at one.").status == 412
    again = stage.get(stage.ana, accept_encoding=coding)
    assert again.etag == read.etag
    assert stage.edit(stage.ana, again, note="Meet at one.").status == 412
    plain = stage.get(stage.ana, accept_encoding="identity")
    assert read.etag == mark(plain.etag)
    assert stage.truth["note"] == "Meet at noon."
    assert stage.edit(stage.ana, plain, note="Meet at one.").status == 204


def with_suffix(suffix: str) -> Callable[[str], str]:
    return lambda tag: f'{tag[:-1]}{suffix}"'


@story("suffix-gzip", "412", "The note is read compressed; the tag with -gzip is refused.", upstream=True)
def suffix_gzip(stage: Stage) -> None:
    refused_with_the_tag_of_gzip(stage, "gzip", with_suffix("-gzip"))


@story("suffix-br", "412", "The note is read in Brotli; the tag with -br is refused.", upstream=True)
def suffix_br(stage: Stage) -> None:
    refused_with_the_tag_of_gzip(stage, "br", with_suffix("-br"))


@story(
    "suffix-df", "412", "GET has the tag with -df, HEAD the bare one; the -df tag is refused.", upstream=True
)
def suffix_df(stage: Stage) -> None:
    got, head = stage.get(stage.ana, accept_encoding="gzip"), stage.head(stage.ana, accept_encoding="gzip")
    assert got.etag == with_suffix("-df")(head.etag)
    stage.open()
    refused_with_the_tag_of_gzip(stage, "gzip", with_suffix("-df"))


@story("suffix--gzip", "412", "The note is read compressed; the tag with --gzip is refused.", upstream=True)
def suffix_double(stage: Stage) -> None:
    refused_with_the_tag_of_gzip(stage, "gzip", with_suffix("--gzip"))


@story(
    "suffix-half-undone", "412", "Polling with the -gzip tag gives 304, saving with it 412.", upstream=True
)
def suffix_half_undone(stage: Stage) -> None:
    read = stage.get(stage.ana, accept_encoding="gzip")
    polled = stage.get(stage.ana, accept_encoding="gzip", if_none_match=read.etag)
    assert polled.status == 304
    refused_with_the_tag_of_gzip(stage, "gzip", with_suffix("-gzip"))


@story("weaken-gzip", "412", "The compressed note has a weak tag, which If-Match refuses.", upstream=True)
def weaken_gzip(stage: Stage) -> None:
    refused_with_the_tag_of_gzip(stage, "gzip", lambda tag: f"W/{tag}")


@story(
    "weaken-all",
    "412",
    "The tag is weak for a client that takes no gzip: nothing it can read ever passes.",
    alone=("weak-only-origin",),
    upstream=True,
)
def weaken_all(stage: Stage) -> None:
    read = stage.get(stage.ana)
    assert read.etag.startswith("W/")
    assert read.fields.text("content-encoding") is None
    assert stage.edit(stage.ana, read, note="Meet at one.").status == 412
    again = stage.get(stage.ana, accept_encoding="identity", cache_control="no-cache")
    assert again.etag == read.etag
    assert stage.edit(stage.ana, again, note="Meet at one.").status == 412
    stage.curtain()
    assert stage.edit(stage.ana, again, read.etag[2:], note="Meet at one.").status == 204


@story(
    "drop-gzip,required",
    "428",
    "The compressed note has no tag, and the service asks for one.",
    alone=("token-missing",),
    upstream=True,
)
def drop_gzip(stage: Stage) -> None:
    read = stage.get(stage.ana, accept_encoding="gzip")
    assert read.etag == ""
    changed = {**json.loads(read.octets), "note": "Meet at one."}
    assert stage.put(stage.ana, changed).status == 428
    plain = stage.get(stage.ana, accept_encoding="identity")
    assert plain.etag
    assert stage.edit(stage.ana, plain, note="Meet at one.").status == 204


@story(
    "same-tag-gzip",
    "healthy",
    "One strong tag for two codings; a client that takes one of them meets no harm.",
    cause="none",
)
def same_tag_gzip(stage: Stage) -> None:
    coded, plain = (
        stage.get(stage.ana, accept_encoding="gzip"),
        stage.get(stage.ana, accept_encoding="identity"),
    )
    assert coded.fields.text("content-encoding") == "gzip"
    assert coded.etag == plain.etag
    assert not coded.etag.startswith("W/")
    assert stage.edit(stage.ana, coded, note="Meet at one.").status == 204


@story("no-vary", "healthy", "Without a cache in between, the missing Vary does no harm.", cause="none")
def no_vary(stage: Stage) -> None:
    coded, plain = (
        stage.get(stage.ana, accept_encoding="gzip"),
        stage.get(stage.ana, accept_encoding="identity"),
    )
    assert coded.etag != plain.etag
    assert coded.fields.text("vary") is None
    assert stage.edit(stage.ana, plain, note="Meet at one.").status == 204


# --- tags


@story("weak-only", "412", "The service has weak tags only and compares strongly: every save is refused.")
def weak_only(stage: Stage) -> None:
    read = stage.get(stage.ana)
    assert read.etag.startswith('W/"')
    for _ in range(2):
        assert stage.edit(stage.ana, read, note="Meet at one.").status == 412
        read = stage.get(stage.ana, accept_encoding="identity", cache_control="no-cache")
    stage.curtain()
    assert stage.edit(stage.ana, read, read.etag[2:], note="Meet at one.").status == 412
    assert stage.put(stage.ana, {"note": "x"}, if_match="*").status == 204


@story("weak-accepted", "healthy", "Weak tags that If-Match accepts protect all the same.", cause="none")
def weak_accepted(stage: Stage) -> None:
    read = stage.get(stage.ana)
    assert read.etag.startswith('W/"')
    assert stage.edit(stage.ana, read, note="Meet at one.").status == 204


@story("unquoted-tag", "400", "The service forgets the quotes, and refuses its own tag as malformed.")
def unquoted_tag(stage: Stage) -> None:
    read = stage.get(stage.ana)
    assert '"' not in read.etag
    assert stage.edit(stage.ana, read, note="Meet at one.").status == 400
    again = stage.get(stage.ana)
    assert stage.edit(stage.ana, again, note="Meet at one.").status == 400
    assert stage.edit(stage.ana, again, f'"{again.etag}"', note="Meet at one.").status == 204


@story("unstable-tag", "412", "Each read gives another tag for the same note; no save ever passes.")
def unstable_tag(stage: Stage) -> None:
    tags = set()
    for _ in range(3):
        read = stage.get(stage.ana)
        tags.add(read.etag)
        assert stage.edit(stage.ana, read, note="Meet at one.").status == 412
    tags.add(stage.get(stage.ana).etag)
    assert len(tags) == 4


def lost_update(stage: Stage, mine: dict[str, object], theirs: dict[str, object]) -> None:
    """Both read, Ben saves, Ana saves what she made of her older read: it passes, Ben's change is gone."""
    read = stage.get(stage.ana)
    other = stage.get(stage.ben)
    assert stage.edit(stage.ben, other, **theirs).status == 204
    assert stage.edit(stage.ana, read, **mine).status == 204
    assert stage.get(stage.ben).status == 200
    for name, value in mine.items():
        assert stage.truth[name] == value
    for name, value in theirs.items():
        assert stage.truth[name] != value


@story(
    "constant-tag",
    "lost-update",
    "The tag does not change with the note: an outdated save passes.",
    alone=("none", "precondition-ignored", "check-then-write-race"),
    also=("precondition-ignored",),
)
def constant_tag(stage: Stage) -> None:
    lost_update(stage, {"note": "Meet at one."}, {"title": "Plan B"})
    stage.curtain()
    assert stage.put(stage.ana, {"x": 1}, if_match='"never-issued"').status == 412


@story(
    "collection-tag",
    "412",
    "Ben saves another note; Ana's save of hers is refused, though nobody has touched it.",
    alone=("unstable-etag", "other-writer", "server-side-mutation"),
)
def collection_tag(stage: Stage) -> None:
    read = stage.get(stage.ana)
    neighbour = f"{BASE}/neighbour"
    made = stage.put(stage.ben, {"note": "Bring cake."}, neighbour, if_none_match="*")
    assert made.status == 201
    assert stage.put(stage.ben, {"note": "Bring tea."}, neighbour, if_match=made.etag).status == 204
    assert stage.edit(stage.ana, read, note="Meet at one.").status == 412
    now = stage.get(stage.ana)
    assert now.octets == read.octets
    assert now.etag == '"collection-1002"'
    assert stage.edit(stage.ana, now, note="Meet at one.").status == 204


@story("put-tag-differs", "412", "The tag in the answer to PUT is of another rule: the next save is refused.")
def put_tag_differs(stage: Stage) -> None:
    read = stage.get(stage.ana)
    saved = stage.edit(stage.ana, read, note="Meet at one.")
    assert saved.status == 204
    document = {**json.loads(read.octets), "note": "Meet at two."}
    assert stage.put(stage.ana, document, if_match=saved.etag).status == 412
    now = stage.get(stage.ana)
    assert now.etag != saved.etag
    assert json.loads(now.octets)["note"] == "Meet at one."
    assert stage.edit(stage.ana, now, note="Meet at two.").status == 204


@story("head-tag-differs", "412", "HEAD gives a tag of another rule; a save with it is refused.")
def head_tag_differs(stage: Stage) -> None:
    read = stage.get(stage.ana)
    probe = stage.head(stage.ana)
    assert probe.etag != read.etag
    assert stage.edit(stage.ana, read, probe.etag, note="Meet at one.").status == 412
    again = stage.head(stage.ana)
    assert again.etag == probe.etag
    now = stage.get(stage.ana)
    assert now.etag == read.etag
    assert stage.edit(stage.ana, now, note="Meet at one.").status == 204


@story(
    "weak-until-settled=0.6",
    "412",
    "Two quick saves: the young tag is weak, so the second is refused; a moment later it passes.",
)
def weak_until_settled(stage: Stage) -> None:
    read = stage.get(stage.ana)
    assert stage.edit(stage.ana, read, note="Meet at one.").status == 204
    young = stage.get(stage.ana)
    assert young.etag.startswith("W/")
    assert stage.edit(stage.ana, young, note="Meet at two.").status == 412
    stage.clock.wait(0.7)
    settled = stage.get(stage.ana)
    assert young.etag == f"W/{settled.etag}"
    assert stage.edit(stage.ana, settled, note="Meet at two.").status == 204


@story(
    "one-second-tag",
    "lost-update",
    "Two saves in one second leave the tag as it was: the second overwrites the first.",
    alone=("none", "precondition-ignored", "check-then-write-race"),
    also=("precondition-ignored",),
)
def one_second_tag(stage: Stage) -> None:
    stage.clock.begin_a_second()
    assert stage.put(stage.ana, {"title": "Plan", "note": "Meet at noon.", "count": 1}).status == 204
    lost_update(stage, {"note": "Meet at one."}, {"title": "Plan B"})


@story(
    "ten-ms-tag",
    "healthy",
    "Saves that are further apart than ten milliseconds are told apart.",
    cause="none",
)
def ten_ms_tag(stage: Stage) -> None:
    read = stage.get(stage.ana)
    assert len(read.etag) <= 14
    stage.clock.wait(0.03)
    assert stage.edit(stage.ana, read, note="Meet at one.").status == 204
    assert stage.get(stage.ana).etag != read.etag


@story(
    "dates-only",
    "lost-update",
    "There are only dates; two saves in one second look like one, and the first is overwritten.",
    alone=("none",),
    also=("precondition-ignored",),
)
def dates_only(stage: Stage) -> None:
    stage.clock.begin_a_second()
    assert stage.put(stage.ana, {"title": "Plan", "note": "Meet at noon.", "count": 1}).status == 204
    read, other = stage.get(stage.ana), stage.get(stage.ben)
    assert read.etag == ""
    date = read.fields.text("last-modified") or ""
    theirs = {**json.loads(other.octets), "title": "Plan B"}
    assert stage.put(stage.ben, theirs, if_unmodified_since=date).status == 204
    mine = {**json.loads(read.octets), "note": "Meet at one."}
    assert stage.put(stage.ana, mine, if_unmodified_since=date).status == 204
    assert stage.truth["title"] == "Plan"
    stage.get(stage.ana)
    stage.get(stage.ben)


# --- evaluation


@story(
    "ignore-if-match",
    "lost-update",
    "The service never looks at If-Match: an outdated save passes.",
    alone=("none", "precondition-ignored"),
)
def ignore_if_match(stage: Stage) -> None:
    lost_update(stage, {"note": "Meet at one."}, {"title": "Plan B"})
    stage.curtain()
    assert stage.put(stage.ana, {"x": 1}, if_match='"never-issued"').status == 204


@story(
    "ignore-create-guard",
    "lost-update",
    "Two people book one slot with If-None-Match: *; the second booking overwrites the first.",
    alone=("none", "precondition-ignored"),
)
def ignore_create_guard(stage: Stage) -> None:
    path = f"{BASE}/slot-9"
    assert stage.put(stage.ben, {"by": "ben"}, path, if_none_match="*").status == 201
    assert stage.put(stage.ana, {"by": "ana"}, path, if_none_match="*").status == 204
    assert json.loads(stage.get(stage.ben, path).octets) == {"by": "ana"}


@story(
    "ignore-on-read",
    "wrong-200",
    "Polling with the current tag brings the whole content each time.",
    alone=("server-precondition-bug", "cache-misevaluates", "none"),
    also=("server-precondition-bug", "cache-misevaluates"),
)
def ignore_on_read(stage: Stage) -> None:
    read = stage.get(stage.ana)
    for _ in range(3):
        assert stage.get(stage.ana, if_none_match=read.etag).status == 200


@story(
    "date-beats-tag",
    "wrong-304",
    "If-Modified-Since decides although If-None-Match names an outdated tag: the change is never seen.",
    alone=("stale-cache-read", "cache-misevaluates"),
)
def date_beats_tag(stage: Stage) -> None:
    stage.clock.begin_a_second()
    read = stage.get(stage.ana)
    date = read.fields.text("last-modified") or ""
    assert stage.edit(stage.ben, stage.get(stage.ben), title="Plan B").status == 204
    far = "Fri, 01 Jan 2100 00:00:00 GMT"
    assert stage.get(stage.ana, if_none_match=read.etag, if_modified_since=date).status in {200, 304}
    assert stage.get(stage.ana, if_none_match=read.etag, if_modified_since=far).status == 304
    now = stage.get(stage.ana)
    assert json.loads(now.octets)["title"] == "Plan B"


@story("412-on-read", "412", "Polling with the current tag is answered with 412 in the place of 304.")
def refused_on_read(stage: Stage) -> None:
    read = stage.get(stage.ana)
    assert stage.get(stage.ana, if_none_match=read.etag).status == 412
    assert stage.get(stage.ana).etag == read.etag
    assert stage.get(stage.ana, if_none_match=read.etag).status == 412


@story("412-without-condition", "412", "A save without any condition gets 412 for a rule of the workflow.")
def refused_without_condition(stage: Stage) -> None:
    read = stage.get(stage.ana)
    changed = {**json.loads(read.octets), "note": "Meet at one."}
    assert stage.put(stage.ana, changed).status == 412
    assert stage.get(stage.ana).etag == read.etag
    assert stage.put(stage.ana, changed).status == 412


@story(
    "409-for-412",
    "409",
    "Ben saved first; Ana's outdated save is refused with 409.",
    cause="other-writer",
    alone=("other-writer", "status-dialect-mismatch"),
    also=("status-dialect-mismatch",),
)
def conflict_for_412(stage: Stage) -> None:
    read = stage.get(stage.ana)
    assert stage.edit(stage.ben, stage.get(stage.ben), title="Plan B").status == 204
    assert stage.edit(stage.ana, read, note="Meet at one.").status == 409
    assert stage.get(stage.ana).etag != read.etag


@story(
    "star-creates",
    "wrong-201",
    "Ben deleted the note; Ana's save that wants it to exist makes it anew.",
    alone=("precondition-ignored", "none"),
    also=("precondition-ignored",),
)
def star_creates(stage: Stage) -> None:
    read = stage.get(stage.ana)
    assert stage.ben.send("DELETE", BASE, {"If-Match": read.etag}).status == 204
    assert stage.get(stage.ana).status == 404
    assert stage.put(stage.ana, {"note": "Meet at one."}, if_match="*").status == 201
    assert stage.get(stage.ana).status == 200


@story(
    "star-on-read",
    "wrong-200",
    "Polling with the tag gives 304; If-None-Match: * on the same note gives 200 in the place of it.",
    alone=("precondition-ignored", "cache-misevaluates", "none"),
)
def star_on_read(stage: Stage) -> None:
    read = stage.get(stage.ana)
    assert stage.get(stage.ana, if_none_match=read.etag).status == 304
    assert stage.get(stage.ana, if_none_match="*").status == 200
    assert stage.head(stage.ana, if_none_match="*").status == 200


@story("no-lists", "412", "The service takes the whole field for one tag: * and lists are refused.")
def no_lists(stage: Stage) -> None:
    read = stage.get(stage.ana)
    changed = {**json.loads(read.octets), "note": "Meet at one."}
    assert stage.put(stage.ana, changed, if_match="*").status == 412
    assert stage.get(stage.ana).etag == read.etag
    assert stage.put(stage.ana, changed, if_match=f'"older", {read.etag}').status == 412
    assert stage.get(stage.ana).etag == read.etag
    assert stage.edit(stage.ana, read, note="Meet at one.").status == 204


@story(
    "first-line-only",
    "412",
    "The tag that holds stands on the second line of If-Match; only the first is read.",
)
def first_line_only(stage: Stage) -> None:
    read = stage.get(stage.ana)
    content = json.dumps({**json.loads(read.octets), "note": "Meet at one."}).encode()
    lines = [("Content-Type", "application/json"), ("If-Match", '"older"'), ("If-Match", read.etag)]
    assert stage.ana.send("PUT", BASE, lines, content).status == 412
    assert stage.get(stage.ana).etag == read.etag
    assert stage.ana.send("PUT", BASE, lines, content).status == 412
    assert stage.get(stage.ana).etag == read.etag
    assert stage.edit(stage.ana, read, note="Meet at one.").status == 204


@story(
    "duplicate-400",
    "400",
    "Two lines of If-Match are answered with 400; the same as one list passes.",
    alone=("malformed-validator",),
    also=("malformed-validator",),
)
def duplicate_400(stage: Stage) -> None:
    read = stage.get(stage.ana)
    content = json.dumps({**json.loads(read.octets), "note": "Meet at one."}).encode()
    kind = ("Content-Type", "application/json")
    lines = [kind, ("If-Match", '"older"'), ("If-Match", read.etag)]
    assert stage.ana.send("PUT", BASE, lines, content).status == 400
    assert stage.get(stage.ana).etag == read.etag
    assert stage.ana.send("PUT", BASE, [kind, ("If-Match", f'"older", {read.etag}')], content).status == 204


@story(
    "malformed-ignored",
    "lost-update",
    "Ana's client strips the quotes; what cannot be read counts as absent, and the outdated save passes.",
    alone=("precondition-ignored", "none"),
    also=("precondition-ignored",),
)
def malformed_ignored(stage: Stage) -> None:
    read = stage.get(stage.ana)
    assert stage.edit(stage.ben, stage.get(stage.ben), title="Plan B").status == 204
    assert stage.edit(stage.ana, read, read.etag.strip('"'), note="Meet at one.").status == 204
    assert stage.truth["title"] == "Plan"
    stage.get(stage.ana)
    stage.get(stage.ben)


@story(
    "quoted-star",
    "lost-update",
    'Ana\'s client sends "*" in quotes; the service takes it for the wildcard, and the outdated save passes.',
    alone=("precondition-ignored", "none", "server-precondition-bug"),
    also=("precondition-ignored", "server-precondition-bug"),
)
def quoted_star(stage: Stage) -> None:
    read = stage.get(stage.ana)
    assert stage.edit(stage.ben, stage.get(stage.ben), title="Plan B").status == 204
    assert stage.edit(stage.ana, read, '"*"', note="Meet at one.").status == 204
    assert stage.truth["title"] == "Plan"
    stage.get(stage.ana)
    stage.get(stage.ben)


@story("strict-dates", "400", "Ana's client writes the date in ISO 8601, which the service answers with 400.")
def strict_dates(stage: Stage) -> None:
    read = stage.get(stage.ana)
    changed = {**json.loads(read.octets), "note": "Meet at one."}
    iso = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    assert stage.put(stage.ana, changed, if_unmodified_since=iso).status == 400
    date = stage.get(stage.ana).fields.text("last-modified") or ""
    assert stage.put(stage.ana, changed, if_unmodified_since=date).status == 204


@story("sub-second", "412", "The date of the read never passes, though nobody wrote; the tag does.")
def sub_second(stage: Stage) -> None:
    read = stage.get(stage.ana)
    changed = {**json.loads(read.octets), "note": "Meet at one."}
    date = read.fields.text("last-modified") or ""
    assert stage.put(stage.ana, changed, if_unmodified_since=date).status == 412
    again = stage.get(stage.ana)
    assert (again.etag, again.fields.text("last-modified")) == (read.etag, date)
    assert stage.put(stage.ana, changed, if_unmodified_since=date).status == 412
    assert stage.edit(stage.ana, again, note="Meet at one.").status == 204


@story("required", "428", "The service asks for a condition; Ana has the tag and sends none.")
def required(stage: Stage) -> None:
    read = stage.get(stage.ana)
    told = stage.put(stage.ana, {**json.loads(read.octets), "note": "Meet at one."})
    assert told.status == 428
    # It explains how to send the request again (RFC 6585 section 3).
    assert "If-Match" in " ".join(json.loads(told.octets)["advice"])
    assert stage.edit(stage.ana, read, note="Meet at one.").status == 204


@story("412-before-404", "412", "Ben deleted the note; Ana's deletion of it is refused, where 404 is due.")
def refused_before_missing(stage: Stage) -> None:
    read = stage.get(stage.ana)
    assert stage.ben.send("DELETE", BASE, {"If-Match": stage.get(stage.ben).etag}).status == 204
    assert stage.ana.send("DELETE", BASE, {"If-Match": read.etag}).status == 412
    assert stage.get(stage.ana).status == 404


@story("304-on-write", "304", "Ana creates with If-None-Match: * what Ben has made; the answer is 304.")
def not_modified_on_write(stage: Stage) -> None:
    path = f"{BASE}/slot-9"
    assert stage.put(stage.ben, {"by": "ben"}, path, if_none_match="*").status == 201
    assert stage.put(stage.ana, {"by": "ana"}, path, if_none_match="*").status == 304
    assert json.loads(stage.get(stage.ana, path).octets) == {"by": "ben"}


@story("conditional-501", "501", "The service does no conditional writes: 501 to any tag, 204 without one.")
def conditional_501(stage: Stage) -> None:
    read = stage.get(stage.ana)
    assert stage.edit(stage.ana, read, note="Meet at one.").status == 501
    again = stage.get(stage.ana)
    assert again.etag == read.etag
    assert stage.edit(stage.ana, again, note="Meet at one.").status == 501
    assert stage.put(stage.ana, {**json.loads(read.octets), "note": "Meet at one."}).status == 204


@story(
    "strict-variant", "412", "Ana reads German; her save without Accept-Language is compared with English."
)
def strict_variant(stage: Stage) -> None:
    path = f"{BASE}-negotiated"
    read = stage.get(stage.ana, path, accept_language="de", accept="application/json")
    document = {**json.loads(read.octets), "note": "Meet at one."}
    assert stage.put(stage.ana, document, path, if_match=read.etag).status == 412
    again = stage.get(stage.ana, path, accept_language="de", accept="application/json")
    assert again.etag == read.etag
    assert stage.put(stage.ana, document, path, if_match=read.etag).status == 412
    plain = stage.get(stage.ana, path)
    assert plain.etag != read.etag
    assert stage.put(stage.ana, document, path, if_match=plain.etag).status == 204


@story(
    "if-range-ignored",
    "wrong-206",
    "A download in two parts; the note changed in between, If-Range is ignored, the halves do not fit.",
    alone=("read-changed-mid-transfer", "cache-misevaluates", "server-precondition-bug"),
    also=("read-changed-mid-transfer",),
)
def if_range_ignored(stage: Stage) -> None:
    first = stage.get(stage.ana, range="bytes=0-19")
    assert first.status == 206
    assert stage.edit(stage.ben, stage.get(stage.ben), title="Plan B").status == 204
    second = stage.get(stage.ana, range="bytes=20-", if_range=first.etag)
    assert second.status == 206
    assert second.etag != first.etag


@story(
    "range-first",
    "wrong-206",
    "A part is asked for with the current tag in If-None-Match: 206 where 304 is due.",
    alone=("precondition-ignored", "cache-misevaluates", "none"),
)
def range_first(stage: Stage) -> None:
    read = stage.get(stage.ana)
    assert stage.get(stage.ana, range="bytes=0-9", if_none_match=read.etag).status == 206
    assert stage.get(stage.ana, if_none_match=read.etag).status == 304


# --- fields of answers


@story("bare-412", "412", "Ben saved first; the 412 says neither why nor what is current.")
def bare_412(stage: Stage) -> None:
    read = stage.get(stage.ana)
    assert stage.edit(stage.ben, stage.get(stage.ben), title="Plan B").status == 204
    refused = stage.edit(stage.ana, read, note="Meet at one.")
    assert (refused.status, refused.etag, refused.octets) == (412, "", b"")
    assert stage.get(stage.ana).etag != read.etag


@story(
    "bare-304", "healthy", "A 304 without its fields does no harm to a client without a cache.", cause="none"
)
def bare_304(stage: Stage) -> None:
    read = stage.get(stage.ana)
    polled = stage.get(stage.ana, if_none_match=read.etag)
    assert (polled.status, polled.etag, polled.fields.text("vary")) == (304, "", None)


@story(
    "strip-validators,required",
    "428",
    "A filter takes ETag and Last-Modified off; the service asks for a condition.",
    alone=("token-missing",),
    upstream=True,
)
def strip_validators(stage: Stage) -> None:
    read = stage.get(stage.ana)
    assert read.etag == ""
    assert read.fields.text("last-modified") is None
    assert stage.put(stage.ana, {**json.loads(read.octets), "note": "Meet at one."}).status == 428
    assert stage.get(stage.ana).etag == ""


PAGE = {"origin": "https://app.example", "sec_fetch_mode": "cors", "sec_fetch_site": "cross-site"}


@story(
    "hidden-etag",
    "412",
    "A page of another origin cannot read ETag, gets null from it and sends that.",
    alone=("null-token",),
    also=("null-token",),
)
def hidden_etag(stage: Stage) -> None:
    read = stage.get(stage.ana, **PAGE)
    assert read.fields.text("access-control-allow-origin") == "*"
    assert read.fields.text("access-control-expose-headers") is None
    changed = {**json.loads(read.octets), "note": "Meet at one."}
    assert stage.put(stage.ana, changed, **PAGE, if_match="null").status == 400
    assert stage.get(stage.ana, **PAGE).etag == read.etag


@story(
    "hidden-412",
    "412",
    "Ben saved first; the 412 lacks the CORS fields, so the page only sees a network error.",
    cause="other-writer",
    alone=("cors-hidden-etag",),
    also=("cors-hidden-etag",),
)
def hidden_412(stage: Stage) -> None:
    read = stage.get(stage.ana, **PAGE)
    assert stage.edit(stage.ben, stage.get(stage.ben), title="Plan B").status == 204
    changed = {**json.loads(read.octets), "note": "Meet at one."}
    refused = stage.put(stage.ana, changed, **PAGE, if_match=read.etag)
    assert refused.status == 412
    assert refused.fields.text("access-control-allow-origin") is None
    assert stage.get(stage.ana, **PAGE).etag != read.etag


@story(
    "iso-last-modified",
    "lost-update",
    "Last-Modified is an ISO date; sent back it is no date, is ignored, and the outdated save passes.",
    alone=("none",),
    also=("precondition-ignored",),
)
def iso_last_modified(stage: Stage) -> None:
    read = stage.get(stage.ana)
    date = read.fields.text("last-modified") or ""
    assert "T" in date.split("G")[0]
    assert stage.edit(stage.ben, stage.get(stage.ben), title="Plan B").status == 204
    changed = {**json.loads(read.octets), "note": "Meet at one."}
    assert stage.put(stage.ana, changed, if_unmodified_since=date).status == 204
    assert stage.truth["title"] == "Plan"
    stage.get(stage.ana)
    stage.get(stage.ben)


@story(
    "future-last-modified=3",
    "412",
    "Last-Modified lies an hour ahead of Date; the time of the read in If-Unmodified-Since is refused.",
)
def future_last_modified(stage: Stage) -> None:
    read = stage.get(stage.ana)
    changed = {**json.loads(read.octets), "note": "Meet at one."}
    date = read.fields.text("date") or ""
    assert stage.put(stage.ana, changed, if_unmodified_since=date).status == 412
    again = stage.get(stage.ana)
    assert again.etag == read.etag
    assert stage.put(stage.ana, changed, if_unmodified_since=again.fields.text("date") or "").status == 412


@story(
    "wrong-clock=3",
    "412",
    "The server's clock is an hour ahead; Ana's own time in If-Unmodified-Since is refused.",
)
def wrong_clock(stage: Stage) -> None:
    read = stage.get(stage.ana)
    changed = {**json.loads(read.octets), "note": "Meet at one."}
    own = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())
    assert stage.put(stage.ana, changed, if_unmodified_since=own).status == 412
    assert stage.get(stage.ana).etag == read.etag
    date = read.fields.text("last-modified") or ""
    assert stage.put(stage.ana, changed, if_unmodified_since=date).status == 204


# --- intermediaries


@story(
    "strip-conditions",
    "lost-update",
    "The proxy takes If-Match off: an outdated save passes.",
    alone=("none", "precondition-ignored"),
    upstream=True,
)
def strip_conditions(stage: Stage) -> None:
    lost_update(stage, {"note": "Meet at one."}, {"title": "Plan B"})


@story(
    "anticache",
    "lost-update",
    "A recording proxy takes If-None-Match off: two bookings of one slot both pass.",
    alone=("none", "precondition-ignored"),
    upstream=True,
)
def anticache(stage: Stage) -> None:
    path = f"{BASE}/slot-9"
    assert stage.put(stage.ben, {"by": "ben"}, path, if_none_match="*").status == 201
    assert stage.put(stage.ana, {"by": "ana"}, path, if_none_match="*").status == 204
    assert json.loads(stage.get(stage.ben, path).octets) == {"by": "ana"}


@story(
    "stale-cache",
    "412",
    "After Ana's own save the cache still gives the old note and the old tag, whatever she asks.",
    upstream=True,
)
def stale_cache(stage: Stage) -> None:
    read = stage.get(stage.ana)
    assert stage.edit(stage.ana, read, note="Meet at one.").status == 204
    again = stage.get(stage.ana)
    assert again.etag == read.etag
    assert again.fields.text("x-cache") == "HIT"
    assert stage.edit(stage.ana, again, note="Meet at two.").status == 412
    fresh = stage.get(stage.ana, cache_control="no-cache")
    assert fresh.etag == read.etag
    assert stage.edit(stage.ana, fresh, note="Meet at two.").status == 412


@story(
    "stale-cache-obeying",
    "412",
    "Ben writes past the cache; Ana reads the stored note and is refused; no-cache brings the true tag.",
    also=("other-writer",),
    upstream=True,
)
def stale_cache_obeying(stage: Stage) -> None:
    stage.get(stage.ben)
    stage.write_past_the_quirk(title="Plan B")
    read = stage.get(stage.ana)
    assert read.fields.text("x-cache") == "HIT"
    assert stage.edit(stage.ana, read, note="Meet at one.").status == 412
    fresh = stage.get(stage.ana, cache_control="no-cache")
    assert fresh.etag != read.etag
    assert stage.edit(stage.ana, fresh, note="Meet at one.").status == 204


@story(
    "cache-412",
    "412",
    "After her own save Ana reads the note back pinned with If-Match; the cache compares with its old copy.",
    alone=("stale-cache-read",),
    upstream=True,
)
def cache_412(stage: Stage) -> None:
    read = stage.get(stage.ana)
    saved = stage.edit(stage.ana, read, note="Meet at one.")
    assert saved.status == 204
    pinned = stage.get(stage.ana, if_match=saved.etag)
    assert pinned.status == 412
    assert b"<html>" in pinned.octets
    assert stage.get(stage.ana, if_match=saved.etag).status == 412


@story(
    "cache-200=0",
    "wrong-200",
    "The cache revalidates and then answers 200 though Ana's tag is that of what it sends.",
    alone=("precondition-ignored", "server-precondition-bug", "none"),
    upstream=True,
)
def cache_200(stage: Stage) -> None:
    read = stage.get(stage.ana)
    for _ in range(2):
        again = stage.get(stage.ana, if_none_match=read.etag)
        assert (again.status, again.etag) == (200, read.etag)


@story(
    "replica-lag=0.6",
    "412",
    "After her own save Ana reads the old note from the replica and is refused; a moment later all is well.",
    alone=("stale-cache-read",),
)
def replica_lag(stage: Stage) -> None:
    read = stage.get(stage.ana)
    saved = stage.edit(stage.ana, read, note="Meet at one.")
    assert saved.status == 204
    behind = stage.get(stage.ana)
    assert behind.etag == read.etag
    assert stage.edit(stage.ana, behind, note="Meet at two.").status == 412
    while (now := stage.get(stage.ana)).etag == read.etag:
        stage.clock.wait(0.2)
    assert now.etag == saved.etag
    assert stage.edit(stage.ana, now, note="Meet at two.").status == 204


@story(
    "flapping-nodes", "412", "Two nodes take turns; the tag of one is unknown to the other.", upstream=True
)
def flapping_nodes(stage: Stage) -> None:
    for _ in range(2):
        read = stage.get(stage.ana)
        assert read.fields.text("x-served-by") == "node1"
        assert stage.edit(stage.ana, read, note="Meet at one.").status == 412
    one, two = stage.get(stage.ana), stage.get(stage.ana)
    assert one.etag != two.etag
    assert one.octets == two.octets


@story(
    "silent-nodes",
    "412",
    "Two nodes take turns and no field tells so; the tags alternate.",
    alone=("unstable-etag",),
    upstream=True,
)
def silent_nodes(stage: Stage) -> None:
    tags = []
    for _ in range(3):
        read = stage.get(stage.ana)
        tags.append(read.etag)
        assert stage.edit(stage.ana, read, note="Meet at one.").status == 412
    one, two = stage.get(stage.ana), stage.get(stage.ana)
    assert len(set(tags)) == 1
    assert {one.etag, two.etag} > set(tags)


# --- delivery


@story(
    "lost-response", "412", "Ana's save is stored, but no answer comes; her second try meets her own write."
)
def lost_response(stage: Stage) -> None:
    read = stage.get(stage.ana)
    assert stage.edit(stage.ana, read, note="Meet at one.", run="7f3a").status == 0
    assert stage.truth["note"] == "Meet at one."
    assert stage.edit(stage.ana, read, note="Meet at one.", run="7f3a").status == 412
    now = stage.get(stage.ana)
    assert json.loads(now.octets)["run"] == "7f3a"


@story(
    "lost-request",
    "recovered",
    "Ana's save is lost on its way; her second try passes.",
    cause="none",
    alone=("none",),
)
def lost_request(stage: Stage) -> None:
    read = stage.get(stage.ana)
    assert stage.edit(stage.ana, read, note="Meet at one.", run="7f3a").status == 0
    assert stage.truth["note"] == "Meet at noon."
    assert stage.edit(stage.ana, read, note="Meet at one.", run="7f3a").status == 204


@story(
    "gateway-timeout", "412", "The gateway gives up with 504 while the save is stored; the retry gets 412."
)
def gateway_timeout(stage: Stage) -> None:
    read = stage.get(stage.ana)
    assert stage.edit(stage.ana, read, note="Meet at one.", run="7f3a").status == 504
    assert stage.edit(stage.ana, read, note="Meet at one.", run="7f3a").status == 412
    assert json.loads(stage.get(stage.ana).octets)["run"] == "7f3a"


@story(
    "replay",
    "412",
    "The proxy sends Ana's save twice and gives her the second answer.",
    alone=("post-commit-412", "lost-response-replay"),
    upstream=True,
)
def replay(stage: Stage) -> None:
    read = stage.get(stage.ana)
    assert stage.edit(stage.ana, read, note="Meet at one.", run="7f3a").status == 412
    now = stage.get(stage.ana)
    assert json.loads(now.octets)["run"] == "7f3a"
    assert now.etag != read.etag


@story(
    "phantom-412",
    "412",
    "The save is stored and then refused: the server compares with the state that it has just made.",
    alone=("intermediary-replay", "lost-response-replay"),
)
def phantom_412(stage: Stage) -> None:
    read = stage.get(stage.ana)
    assert stage.edit(stage.ana, read, note="Meet at one.", run="7f3a").status == 412
    now = stage.get(stage.ana)
    assert json.loads(now.octets)["run"] == "7f3a"
    assert stage.edit(stage.ana, now, note="Meet at two.", run="7f3b").status == 412
    assert json.loads(stage.get(stage.ana).octets)["run"] == "7f3b"


@story("firewall-412", "412", "A firewall refuses a note that holds the word select, with a page of HTML.")
def firewall_412(stage: Stage) -> None:
    read = stage.get(stage.ana)
    refused = stage.edit(stage.ana, read, note="Please select a time.")
    assert refused.status == 412
    assert b"Request blocked" in refused.octets
    assert stage.get(stage.ana).etag == read.etag
    assert stage.edit(stage.ana, read, note="Please pick a time.").status == 204


@story(
    "redirect-writes",
    "lost-write",
    "The save is redirected with 302; the client follows with GET, sees 200, and nothing is stored.",
)
def redirect_writes(stage: Stage) -> None:
    read = stage.get(stage.ana)
    moved = stage.edit(stage.ana, read, note="Meet at one.")
    assert moved.status == 302
    target = moved.fields.text("location") or ""
    assert stage.get(stage.ana, target, if_match=read.etag).status == 200
    assert stage.get(stage.ana).etag == read.etag
    assert stage.truth["note"] == "Meet at noon."


@story(
    "server-mutation",
    "412",
    "The service fills in members after each save; the tag of the answer is outdated.",
)
def server_mutation(stage: Stage) -> None:
    read = stage.get(stage.ana)
    saved = stage.edit(stage.ana, read, note="Meet at one.")
    assert saved.status == 204
    document = {**json.loads(read.octets), "note": "Meet at two."}
    assert stage.put(stage.ana, document, if_match=saved.etag).status == 412
    now = stage.get(stage.ana)
    assert json.loads(now.octets)["modifiedBy"] == "system-indexer"
    assert json.loads(now.octets)["note"] == "Meet at one."


# --- races


def both_at_once(stage: Stage) -> list[int]:
    """Ana and Ben save at the same time with the tag that both have read."""
    read, other = stage.get(stage.ana), stage.get(stage.ben)
    assert read.etag == other.etag
    statuses: list[int] = []
    barrier = threading.Barrier(2)

    def save(who, reply, **changes) -> None:
        barrier.wait(120)
        statuses.append(stage.edit(who, reply, **changes).status)

    writers = [
        threading.Thread(target=save, args=(stage.ana, read), kwargs={"note": "Meet at one."}),
        threading.Thread(target=save, args=(stage.ben, other), kwargs={"title": "Plan B"}),
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
    stage.get(stage.ana)
    stage.get(stage.ben)
    return statuses


@story(
    "check-then-write=150",
    "lost-update",
    "Two saves with one tag at the same time: both are checked before either is stored, one is gone.",
    alone=("none",),
)
def check_then_write(stage: Stage) -> None:
    assert both_at_once(stage) == [204, 204]
    assert (stage.truth["note"], stage.truth["title"]) in {
        ("Meet at one.", "Plan"),
        ("Meet at noon.", "Plan B"),
    }
    stage.curtain()
    # One after the other is refused as it should be.
    assert stage.put(stage.ana, {"x": 1}, if_match='"never-issued"').status == 412


@story(
    "check-at-headers",
    "lost-update",
    "Ben's save is checked, its content is slow; Ana's passes in between and is overwritten.",
    alone=("none",),
)
def check_at_headers(stage: Stage) -> None:
    read = stage.get(stage.ana)
    assert stage.get(stage.ben).etag == read.etag
    before = stage.store.reads
    end = stage.slow_put(stage.ben, {**json.loads(read.octets), "title": "Plan B"}, read.etag)
    # The server has to be at the content before Ana comes.
    deadline = time.monotonic() + 60
    while stage.store.reads == before and time.monotonic() < deadline:
        time.sleep(0.005)
    assert stage.edit(stage.ana, read, note="Meet at one.").status == 204
    assert end() == 204
    assert stage.truth["title"] == "Plan B"
    assert stage.truth["note"] == "Meet at noon."
    now = stage.get(stage.ana)
    assert json.loads(now.octets)["note"] == "Meet at noon."


@story(
    "cached-check=2000",
    "lost-update",
    "The check is made against a copy from before Ben's save, so Ana's outdated one passes.",
    cause="precondition-ignored",
    alone=("none", "check-then-write-race"),
    also=("check-then-write-race",),
)
def cached_check(stage: Stage) -> None:
    lost_update(stage, {"note": "Meet at one."}, {"title": "Plan B"})
    stage.curtain()
    assert stage.put(stage.ana, {"x": 1}, if_match='"never-issued"').status == 412
