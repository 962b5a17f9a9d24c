"""Diagnoses made by hand, one for each thing that a report has to tell."""

from __future__ import annotations

import dataclasses
import enum
from typing import Any

from ifmatch.model.diagnosis import (
    Advice,
    Attempt,
    Because,
    Benign,
    Diagnosis,
    Incident,
    NextProbe,
    Outcome,
    Verdict,
)
from ifmatch.model.exchange import CaptureWarning, Provenance, Source, Vantage
from ifmatch.model.finding import Difficulty, Evidence, Finding, Fix, Repair, Role
from ifmatch.model.timeline import EventKind, Timeline, TimelineEvent, Version

T0 = 1773134051.003  # 2026-03-10T09:14:11.003Z
URL = "https://api.example.com/documents/7"
HAR = "bug.har"


def at(entry: int, source: str = HAR) -> Provenance:
    return Provenance(source, entry)


def refused() -> Diagnosis:
    """Somebody else wrote between read and write."""
    finding = Finding(
        "other-writer",
        0.94,
        "Ben stored a new version 2.4 s before Ann's PUT, which still named the version that Ann had read.",
        (
            Evidence('The read gave ETag "a1", the PUT sent If-Match: "a1".', 1.2, at(1), "ETag"),
            Evidence('Ben\'s PUT was answered 200 with ETag "b2" in between.', 3.4, at(2), "ETag"),
            Evidence("The content that Ann sent is unlike Ben's.", -0.3, at(3)),
        ),
        (
            Fix(
                "Read the current version, re-apply the edit to it, send it with that version's tag",
                Difficulty.MEDIUM,
                Role.CLIENT,
                Repair.ALLOWED,
                f"curl -fsS --etag-save base.tag -o base.json -H 'Cache-Control: no-cache' "
                f"-H \"Authorization: $TOKEN\" '{URL}' && ${{EDITOR:-vi}} base.json",
                f"curl -sS '{URL}' | diff - base.json",
            ),
            Fix(
                "Show both versions to the user when they changed the same field",
                Difficulty.MEDIUM,
                Role.CLIENT,
                Repair.ASK,
            ),
        ),
    )
    timeline = Timeline(
        URL,
        ("Ann", "Ben"),
        (
            Version("v1", ('"a1"',), T0 - 10),
            Version("v2", ('"b2"', "Tue, 10 Mar 2026 09:14:08 GMT"), T0 - 2.4, "Ben", at(2)),
        ),
        (
            TimelineEvent(T0 - 10, "Ann", EventKind.READ, "GET", 200, at(1), T0 - 9.9, "v1"),
            TimelineEvent(
                T0 - 2.4, "Ben", EventKind.WRITE, "PUT", 200, at(2), None, "v2", 'If-Match: "a1"', at(1), "v1"
            ),
            TimelineEvent(
                T0, "Ann", EventKind.REFUSED, "PUT", 412, at(3), T0 + 0.1, "v2", 'If-Match: "a1"', at(1), "v1"
            ),
        ),
    )
    incident = Incident(
        "1",
        Outcome.REFUSED,
        Verdict.CAUSE,
        URL,
        "PUT",
        412,
        at(3),
        T0,
        "Ann",
        (Attempt(at(3), 412, T0), Attempt(at(5), 0, None)),
        (finding,),
        (Because("blind-retry", "The second attempt repeated the first unchanged."),),
        (Because("stale-token", "The token is old because Ben wrote.", "other-writer"),),
        (Because("etag-suffix-rewrite", "No tag of this resource carries a suffix."),),
        Repair.ALLOWED,
        None,
        None,
        timeline,
    )
    return Diagnosis(
        (Source(HAR, "har", 14, Vantage.CLIENT, "Ann"),),
        (incident,),
        (Benign(at(9), 412, "If-None-Match: * asks for creation only; it exists already."),),
        (
            Advice(
                "PATCH at entry 11 carried no precondition; it may overwrite another change.",
                "unguarded-write",
                at(11),
            ),
        ),
    )


def undecided() -> Diagnosis:
    """Two candidates, and a probe that would settle it; several sources with a shifted clock."""
    findings = (
        Finding(
            "gzip-suffix",
            0.48,
            "The tag may have been changed on the way back.",
            (Evidence('The tag ends in "-gzip".', 0.9, Provenance("client.log", None, 17), "ETag"),),
        ),
        Finding("other-writer", 0.31, "Somebody may have written in between.", ()),
    )
    incident = Incident(
        "1",
        Outcome.REFUSED,
        Verdict.UNDECIDED,
        URL,
        "PATCH",
        412,
        Provenance("client.log", 4, 52),
        findings=findings,
        repair=Repair.ASK,
        next_probe=NextProbe(
            "Does the origin give the same tag when no compression is asked for?",
            f"curl -sS -o /dev/null -D - -H 'Accept-Encoding: identity' '{URL}'",
        ),
    )
    sources = (
        Source("client.log", "curl-verbose", 5, Vantage.CLIENT),
        Source(
            "nginx.har",
            "har",
            5,
            Vantage.UPSTREAM,
            None,
            "node-2",
            -1250,
            (
                CaptureWarning("the response has no status; it is taken as unanswered", 3),
                CaptureWarning("the file ends early", None, 88, 4096),
            ),
        ),
    )
    return Diagnosis(sources, (incident,))


def several() -> Diagnosis:
    """A lost update first, then one cause that hit three actors, then a recovered refusal."""
    lost = Incident(
        "1",
        Outcome.LOST_UPDATE,
        Verdict.CAUSE,
        URL,
        "PUT",
        200,
        at(4),
        T0,
        findings=(
            Finding(
                "precondition-ignored",
                0.81,
                "The server stored the PUT although its If-Match was false.",
                (Evidence('If-Match: "a1" was sent, ETag "b2" was current.', 2.5, at(4), "If-Match"),),
                (
                    Fix(
                        "Evaluate If-Match before the write",
                        Difficulty.HARD,
                        Role.SERVICE,
                        Repair.FORBIDDEN,
                    ),
                ),
            ),
        ),
        repair=Repair.FORBIDDEN,
    )
    rewritten = Incident(
        "2",
        Outcome.REFUSED,
        Verdict.CAUSE,
        URL + "/a",
        "PUT",
        412,
        at(6),
        T0 + 5,
        "Ann",
        findings=(Finding("etag-suffix-rewrite", 0.9, "The edge appended -gzip to every tag."),),
    )
    same = tuple(
        dataclasses.replace(
            rewritten,
            id=str(3 + number),
            actor=actor,
            at=T0 + 6 + number,
            exchange=at(7 + number),
            resource=f"{URL}/{actor.lower()}",
            same_cause_as="2",
        )
        for number, actor in enumerate(("Ben", "Cleo"))
    )
    recovered = Incident(
        "5",
        Outcome.RECOVERED,
        Verdict.CAUSE,
        URL,
        "PUT",
        412,
        at(11),
        T0 + 20,
        findings=(Finding("other-writer", 0.2, "Read again and sent again with the new tag."),),
    )
    return Diagnosis((Source(HAR, "har", 14),), (lost, rewritten, *same, recovered))


def nothing() -> Diagnosis:
    """Healthy traffic."""
    return Diagnosis(
        (Source(HAR, "har", 14), Source("edge.har", "har", 1, Vantage.EDGE)),
        (),
        (Benign(at(9), 412, "If-None-Match: * asks for creation only; it exists already."),),
    )


NASTY = (
    "\x1b[31mred\x1b]8;;http://evil.example\x07 `rm` ```\n# head | <script>alert(1)</script>"
    "\u202egnp\u2066\u200b\x00\x7f\x9b2J\u2028\ud800\ufffe]]>&\"'@team ![x](http://evil.example/y) \r\n\t- x"
)


def poisoned(value: Any) -> Any:
    """Append hostile text to every string of a record, whatever its depth."""
    if isinstance(value, enum.Enum):
        return value
    if isinstance(value, str):
        return value + NASTY
    if isinstance(value, tuple):
        return tuple(poisoned(member) for member in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return type(value)(
            **{part.name: poisoned(getattr(value, part.name)) for part in dataclasses.fields(value)}
        )
    return value


def hostile() -> Diagnosis:
    """Every string of the first two samples carries what an attacker would send."""
    first, second = poisoned(refused()), poisoned(undecided())
    return Diagnosis(
        first.sources + second.sources, first.incidents + second.incidents, first.benign, first.advice
    )


SAMPLES = {
    "refused": refused,
    "undecided": undecided,
    "several": several,
    "nothing": nothing,
    "hostile": hostile,
}
