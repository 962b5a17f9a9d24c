"""Silent damage in the language of each API family: four kinds of it, and healthy work beside them.

`dialect_damages.toml` says how a family reads and writes; the stories are the same for all.
"""

from __future__ import annotations

import pytest
from dialect_forms import families, filled, message

from ifmatch.diagnosis import diagnose
from ifmatch.model.exchange import Capture, Exchange, Provenance
from ifmatch.model.message import Content, Fields, Request, Response

FAMILIES = families()
BASE = {"limit": 10, "note": "the note of last week"}
THEIRS = {"limit": 25, "note": "the note of last week"}
MINE = {"limit": 10, "note": "the note of this week"}
REBASED = {"limit": 25, "note": "the note of this week"}
FIRST, SECOND, THIRD = "41", "42", "43"


class _Traffic:
    def __init__(self, family):
        self.family = family
        self.files = {}
        self.made = FIRST

    def _add(self, actor, second, request, answer, status=200):
        line, sent = request
        method, url = line.split(" ", 1)
        fields, content = message(sent)
        received, body = message(answer)
        names = {name.lower() for name, _ in fields}
        if content and "content-type" not in names:
            fields.append(("Content-Type", "application/json"))
        fields.append(("User-Agent", f"client-{actor}/1"))
        if body and "content-type" not in {name.lower() for name, _ in received}:
            received.append(("Content-Type", "application/json"))
        file = self.files.setdefault(actor, [])
        file.append(
            Exchange(
                Provenance(actor, len(file)),
                Request(method, url, Fields(fields), Content.from_text(content) if content else None),
                Response(status, "", Fields(received), Content.from_text(body) if body else None),
                started=1_773_133_200.0 + second,
                duration=0.02,
            )
        )

    def read(self, actor, second, version, state):
        line, asked = (filled(self.family.get(name, ""), version, state) for name in ("read", "asked"))
        self._add(actor, second, (line, asked), filled(self.family["shown"], version, state))

    def write(self, actor, second, guard, state, status=200):
        """Add a write; `guard` is the version that it names, None for none, "null" for a word for none."""
        made = str(int(self.made) + 1)
        told = ""
        if guard is not None:
            told = self.family["null"] if guard == "null" else filled(self.family["with"], guard, state)
        if told[:1].isalpha() and ": " in told:
            told = told.rstrip("\n") + "\n"
        base = guard if guard in {FIRST, SECOND} else FIRST
        line, sent = (filled(self.family[name], base, state, told) for name in ("write", "sent"))
        answer = filled(self.family.get("done", self.family["shown"]), made, state)
        if status >= 400:
            self._add(actor, second, (line, sent), '{"error": "no"}', status)
            return
        self.made = made
        self._add(actor, second, (line, sent), answer, status)

    def capture(self):
        """Return the exchanges of the first actor."""
        return Capture("A.har", "har", tuple(self.files["A"]))

    def first(self):
        """Return the first finding's cause, "none" without an incident, and what came of it."""
        captures = [Capture(f"{actor}.har", "har", tuple(file)) for actor, file in self.files.items()]
        incidents = diagnose(captures).incidents
        if not incidents:
            return "none", "healthy"
        findings = incidents[0].findings
        return (findings[0].cause if findings else "undecided"), str(incidents[0].outcome)


def _another_writes(family):
    traffic = _Traffic(family)
    traffic.read("A", 0, FIRST, BASE)
    traffic.read("B", 5, FIRST, BASE)
    traffic.write("B", 6, FIRST, THEIRS)
    return traffic


def unconditional(family):
    traffic = _another_writes(family)
    traffic.write("A", 20, None, MINE)
    return traffic


def blind(family):
    traffic = _another_writes(family)
    traffic.read("A", 19, SECOND, THEIRS)
    traffic.write("A", 20, SECOND, MINE)
    return traffic


def ignored(family):
    traffic = _another_writes(family)
    traffic.write("A", 20, FIRST, MINE)
    traffic.read("A", 21, THIRD, MINE)
    return traffic


def null(family):
    traffic = _another_writes(family)
    traffic.write("A", 20, "null", MINE)
    return traffic


def null_refused(family):
    traffic = _Traffic(family)
    traffic.read("A", 0, FIRST, BASE)
    traffic.write("A", 20, "null", MINE, status=400)
    traffic.write("A", 30, FIRST, MINE)
    return traffic


def healthy(family):
    traffic = _another_writes(family)
    traffic.read("A", 19, SECOND, THEIRS)
    traffic.write("A", 20, SECOND, REBASED)
    traffic.read("A", 21, THIRD, REBASED)
    return traffic


def alone(family):
    traffic = _Traffic(family)
    traffic.read("A", 0, FIRST, BASE)
    traffic.write("A", 5, FIRST, THEIRS)
    traffic.read("A", 6, SECOND, THEIRS)
    traffic.write("A", 20, SECOND, REBASED)
    return traffic


DAMAGES = {
    unconditional: ("unconditional-write",),
    blind: ("blind-refresh",),
    ignored: ("precondition-ignored",),
    null: ("null-token", "precondition-ignored"),
    null_refused: ("null-token",),
    healthy: ("none",),
    alone: ("none",),
}
OUTCOMES = {healthy: "healthy", alone: "healthy", null_refused: "recovered"}
CASES = [
    (family, story)
    for family in FAMILIES
    for story in DAMAGES
    if story.__name__ not in family.get("untold", ())
]


@pytest.mark.parametrize(
    ("family", "story"), CASES, ids=lambda one: one["id"] if isinstance(one, dict) else one.__name__
)
def test_damage_is_found_where_the_family_carries_its_version(family, story) -> None:
    found, _ = story(family).first()
    assert found in DAMAGES[story]
