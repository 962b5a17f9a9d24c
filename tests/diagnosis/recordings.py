"""Load recorded cases: captures, labels, and which first findings are right on which view."""

from __future__ import annotations

import json
import pathlib
from dataclasses import dataclass
from functools import cache

from ifmatch.capture import read
from ifmatch.diagnosis import diagnose

CASES = pathlib.Path(__file__).parents[2] / "cases"


@dataclass(frozen=True)
class Recording:
    """A labelled case: files and what may be found."""

    name: str
    folder: str
    cause: str
    outcome: str
    alone: tuple[str, ...]
    also: tuple[str, ...]
    files: tuple[pathlib.Path, ...]

    @property
    def client(self):
        own = [path for path in self.files if path.name.endswith(".client.har")]
        return tuple(own or self.files[:1])


@cache
def hars(folder: pathlib.Path):
    """Return the HARs of one folder by case: one look at thousands of files for all."""
    found = {}
    for path in sorted(folder.glob("*.har")):
        found.setdefault(path.name.partition(".")[0], []).append(path)
    return {stem: tuple(paths) for stem, paths in found.items()}


def recordings(folder: str):
    """Return the cases of one folder, `lab`, `driven`, `apis` or a holdout."""
    found = []
    # Simulated cases lie one folder deeper, by family.
    pattern = "*/*.label.json" if folder.startswith(("diagnosis/", "healthy")) else "*.label.json"
    for path in sorted((CASES / folder).glob(pattern)):
        label = json.loads(path.read_text())
        stem = path.name.removesuffix(".label.json")
        files = hars(path.parent).get(stem, ())
        if files:
            found.append(
                Recording(
                    stem,
                    folder,
                    label["cause"],
                    str(label.get("outcome", "")),
                    tuple(label.get("acceptable_from_client_alone") or [label["cause"]]),
                    tuple(label.get("also_true") or []),
                    files,
                )
            )
    return found


@cache
def capture(path: pathlib.Path):
    with path.open("rb") as stream:
        return read(stream, path.name)


def first(diagnosis):
    """Return the first cause and its likelihood; `none` without an incident."""
    if not diagnosis.incidents:
        return "none", 0.0
    findings = diagnosis.incidents[0].findings
    return (findings[0].cause, findings[0].likelihood) if findings else ("undecided", 0.0)


def found(paths):
    return first(diagnose([capture(path) for path in paths]))


def right(recording, view, cause):
    """Tell whether a first finding is right: expected control flow may also be told as benign."""
    wanted = recording.alone if view == "client" else (recording.cause,)
    if "expected-control-flow" in wanted and cause == "none":
        return True
    if recording.outcome == "recovered" and recording.cause == "other-writer" and cause == "none":
        # A conflict that its client handled as it ought to is benign: docs/decisions/007.
        return True
    return cause in wanted
