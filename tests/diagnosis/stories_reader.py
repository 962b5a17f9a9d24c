"""Read the stories of `stories/`: small pieces of traffic, one line an exchange, with what must be found.

A file holds stories of one cause and of its look-alikes:

    == name of the story
    alone: other-writer | none          first findings that are right from A's own file
    all: other-writer                   from all files; left out: as `alone`
    never: self-race                    causes that may be nobody's first finding on any view
    outcome: lost-update                on the view `all`
    each: other-writer, null-token      first findings of all incidents on the view `all`, in any order
    told: of ETag only                  it says too little, or something else, with its versions elsewhere
    A 0 GET /doc => 200 ; ETag: "1" | {"n": 1}
    B 5~0.2 PUT /doc ; If-Match: "1" | {"n": 2} => 204 ; ETag: "2"
    A 9 PUT /doc ; If-Match: "1" | {"n": 3} => -

A line is `actor seconds[~duration] method target [; Field: value]... [| content] => status
[; Field: value]... [| content]`; `-` as status is no answer. `@7` in a value is the HTTP-date seven seconds
after the start. The content `…` was there, and is not in the evidence.
Actors `O`, `O1`, `O2` are captures between an intermediary and an origin. `Date` is added; `Date: -` leaves
it out. A line that begins with `#` is a comment. `\\n` in a content that is no JSON, or
between two records of JSON, ends a line.
"""

from __future__ import annotations

import pathlib
import re
from dataclasses import dataclass, field
from email.utils import formatdate

from ifmatch.model.exchange import Capture, Exchange, Provenance
from ifmatch.model.message import Content, Fields, Request, Response
from ifmatch.model.unknown import UNKNOWN

FOLDER = pathlib.Path(__file__).parent / "stories"
START = 1773133200.0
AGENTS = {"A": "editor/2.1", "B": "sync-job/1.0", "C": "Importer/7", "D": "editor/2.1"}
_LINE = re.compile(
    r"(?P<who>[A-Z]\d?) (?P<at>-?[\d.]+)(?:~(?P<took>[\d.]+))? (?P<method>[A-Z]+) (?P<rest>.*)"
)
_KEYS = frozenset({"alone", "all", "never", "outcome", "repair", "each", "told"})
_BETWEEN = re.compile(r"\}\\n(?=\{|$)")
_DATE = re.compile(r"@(-?\d+)")


@dataclass
class Story:
    """Some traffic and what must be found in it."""

    file: str
    name: str
    expected: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def wanted(self, view):
        text = self.expected.get("alone", "") if view == "alone" else ""
        text = text or self.expected.get("all", "") or self.expected["alone"]
        return tuple(part.strip() for part in text.split("|"))

    @property
    def views(self):
        return [view for view in ("alone", "all") if view in self.expected or view == "all"]

    @property
    def different_views(self):
        """The views whose captures or expectations differ: A alone is all there is where nobody else acts."""
        alone = all(line.startswith("A ") for line in self.lines) and "all" not in self.expected
        return ["all"] if alone else self.views

    @property
    def never(self):
        return tuple(part.strip() for part in self.expected.get("never", "").split("|") if part.strip())

    def captures(self, view):
        """Return the captures of one view: A's own, or all."""
        groups: dict[str, list[Exchange]] = {}
        for line in self.lines:
            exchange = exchange_of(line, groups)
            groups[exchange.provenance.source].append(exchange)
        if view == "alone":
            groups = {"A": groups["A"]}
        return [Capture(f"{name}.har", "har", tuple(group)) for name, group in groups.items()]


def _dated(text):
    return _DATE.sub(lambda found: formatdate(START + int(found[1]), usegmt=True), text)


def _message(text):
    head, _, content = text.partition(" | ")
    first, *pairs = head.strip().split(" ; ")
    fields = []
    for pair in pairs:
        name, _, value = pair.partition(":")
        fields.append((name.strip(), _dated(value.strip())))
    if content.strip() == "…":
        return first.strip(), fields, UNKNOWN
    return first.strip(), fields, Content.from_text(_lines(content.strip())) if content else None


def _lines(text):
    """Return a text with the line ends that `\\n` stands for; in JSON only between documents."""
    return _BETWEEN.sub("}\n", text) if text[:1] in "{[" else text.replace("\\n", "\n")


def exchange_of(line, groups):
    found = _LINE.fullmatch(line)
    assert found, line
    asked, _, answered = found["rest"].partition(" => ")
    who, at = found["who"], float(found["at"])
    target, sent, body = _message(asked)
    host = f"http://10.0.0.{ord(who[-1])}:8080" if who[0] == "O" else "https://api.example.test"
    url = target if "://" in target else host + target
    names = {name.lower() for name, _ in sent}
    if "user-agent" not in names:
        sent.append(("User-Agent", AGENTS.get(who, "editor/2.1")))
    if isinstance(body, Content) and "content-type" not in names:
        kind = "application/json" if body.text[:1] in "{[" else "text/plain"
        sent.append(("Content-Type", "application/merge-patch+json" if found["method"] == "PATCH" else kind))
    status, received, content = _message(answered)
    response = None
    took = float(found["took"] or 0.04)
    if status != "-":
        names = {name.lower() for name, _ in received}
        if "date" not in names:
            received.append(("Date", formatdate(int(START + at + took), usegmt=True)))
        received = [(name, value) for name, value in received if value != "-"]
        if isinstance(content, Content) and "content-type" not in names:
            kind = "application/json" if content.text[:1] in "{[" else "text/plain"
            received.append(("Content-Type", kind))
        response = Response(int(status), "", Fields(received), content)
    group = groups.setdefault(who, [])
    request = Request(found["method"], url, Fields(sent), body)
    return Exchange(
        Provenance(who, len(group)),
        request,
        response,
        started=START + at,
        duration=took,
        error="" if response else "net::ERR_TIMED_OUT",
        resolution=0.001,
    )


def stories():
    """Return all stories of all files."""
    found = []
    for path in sorted(FOLDER.glob("*.txt")):
        for raw in path.read_text("utf-8").splitlines():
            line = raw.strip()
            if not line or line.startswith("#"):
                continue
            if line.startswith("== "):
                found.append(Story(path.stem, line[3:]))
            elif (key := line.partition(":")[0]) in {
                "alone",
                "all",
                "never",
                "outcome",
                "repair",
                "each",
                "told",
            }:
                found[-1].expected[key] = line.partition(":")[2].strip()
            else:
                found[-1].lines.append(line)
    return found
