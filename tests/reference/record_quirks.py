"""Record the stories of the quirks: `python -m tests.reference.record_quirks [--only NAME]`.

The files go to cases/quirks/: what Ana's client saw, what Ben's saw, what the server behind an intermediary
saw, and the label.
"""

from __future__ import annotations

import io
import json
import pathlib
import sys

from ifmatch.capture.har_writer import write_har
from ifmatch.reference.quirks import QUIRKS
from tests.reference.quirk_stories import STORIES
from tests.reference.stage import staged

FOLDER = pathlib.Path(__file__).parents[2] / "cases" / "quirks"


def har(exchanges) -> bytes:
    stream = io.BytesIO()
    write_har(stream, exchanges, creator="ifmatch practice server")
    return stream.getvalue()


def record(story) -> None:
    """Play a story and write its files."""
    name = f"q-{story.quirk.partition(',')[0].partition('=')[0]}"
    quirk = QUIRKS[name.removeprefix("q-")]
    with staged(*story.quirk.split(","), pace=0.03) as stage:
        story.play(stage)
        ana, ben, upstream = stage.recorded
        seen = {"client": ana, "other": ben}
        if story.upstream:
            seen["upstream"] = upstream
    cause = story.cause or quirk.cause
    label = {
        "id": name,
        "slug": quirk.name,
        "cause": cause,
        "outcome": story.outcome,
        "acceptable_from_client_alone": list(dict.fromkeys([cause, *story.alone])),
        "also_true": list(story.also),
        "description": story.text,
        "servers": {"origin": "ifmatch practice server"},
        "config": [f"ifmatch serve --quirk {story.quirk}"],
        "notes": [],
        "files": {
            role: {
                "har": f"{name}.{role}.har",
                "entries": len(exchanges),
                "statuses": [exchange.status for exchange in exchanges],
            }
            for role, exchanges in seen.items()
            if exchanges
        },
    }
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in FOLDER.glob(f"{name}.*"):
        path.unlink()
    for role, exchanges in seen.items():
        if exchanges:
            (FOLDER / f"{name}.{role}.har").write_bytes(har(exchanges))
    (FOLDER / f"{name}.label.json").write_text(json.dumps(label, indent=1) + "\n", "utf-8")


def main() -> None:
    only = sys.argv[2] if sys.argv[1:2] == ["--only"] else ""
    for story in STORIES:
        if only and not story.quirk.startswith(only):
            continue
        record(story)


if __name__ == "__main__":
    main()
