"""Write docs/quirks.md from the quirks themselves.

Run `python tools/generate_quirk_page.py`; with `--check` it only says whether the page is current.
"""

from __future__ import annotations

import pathlib
import sys

from ifmatch.reference.quirks import (
    QUIRKS,
    delivery,
    encoders,
    evaluation,
    fields,
    intermediaries,
    races,
    tags,
)

PAGE = pathlib.Path(__file__).parents[1] / "docs" / "quirks.md"
HEAD = """\
# Quirks

Written by `python tools/generate_quirk_page.py` from the quirks; `ifmatch serve --quirks` says the same.

`ifmatch serve --quirk NAME` is right in every respect but one. Names can be combined: the first is the
outermost, as the order of proxies is. `--quirk-rate 5%` touches only that share of the requests. `$URL` is
what the server prints when it listens. Each quirk has a recording in `cases/quirks/` (`q-NAME`); what a
client suffers from it is told on the page of its cause.

Races between processes cannot be asked for by a quirk, as they need several: see `examples/racy/`.
"""
# The faults of servers that an audit has to name, and the quirk that has each.
FAULTS = (
    ("weak ETag accepted in If-Match", "weak-accepted"),
    ("If-Match ignored on PUT", "ignore-if-match"),
    ("ETag flips between GETs (two nodes)", "flapping-nodes"),
    ("`-gzip` suffix never matches", "suffix-gzip"),
    ("412 with no ETag and no content", "bare-412"),
    ("If-None-Match: * ignored on PUT", "ignore-create-guard"),
    ("precedence wrong: the date beats the tag", "date-beats-tag"),
    ("unquoted ETag", "unquoted-tag"),
    ("Last-Modified is no HTTP date", "iso-last-modified"),
    ("Vary missing on the gzip variant", "no-vary"),
    ("one strong ETag for gzip and identity", "same-tag-gzip"),
    ("If-None-Match and If-Modified-Since ignored on GET", "ignore-on-read"),
    ("304 without ETag, Vary, Cache-Control", "bare-304"),
    ("412 in the place of 304 on GET", "412-on-read"),
    ("412 with no precondition sent", "412-without-condition"),
    ("ETag does not change after a write", "constant-tag"),
    ("PUT gives an ETag that GET never gives", "put-tag-differs"),
    ("check-then-write race", "check-then-write"),
    ("If-Match: * on a missing resource creates", "star-creates"),
    ("CORS hides ETag", "hidden-etag"),
    ("Last-Modified in the future", "future-last-modified"),
    ("409 where 412 is due", "409-for-412"),
    ("If-None-Match: * on GET gives 200", "star-on-read"),
)
GROUPS = (
    ("Encoders", encoders),
    ("Tags", tags),
    ("Evaluation", evaluation),
    ("Fields of answers", fields),
    ("Intermediaries", intermediaries),
    ("Delivery", delivery),
    ("Races", races),
)


def page() -> str:
    """Return the text of the page."""
    rows = "".join(
        f"| {number} | {fault} | `{QUIRKS[name].name}` |\n" for number, (fault, name) in enumerate(FAULTS, 1)
    )
    parts = [HEAD, f"\n## The common faults of servers\n\n| no. | fault | quirk |\n|---|---|---|\n{rows}"]
    for title, module in GROUPS:
        parts.append(f"\n## {title}\n")
        for quirk in module.QUIRKS:
            takes = f"={quirk.default}`, {quirk.value}" if quirk.value else "`"
            parts.append(
                f"\n### `{quirk.name}`\n\n{quirk.summary}\n\n"
                f"- ask for it: `--quirk {quirk.name}{takes}\n"
                f"- cause: [{quirk.cause}](causes/{quirk.cause}.md), {quirk.section}\n"
                f"- seen in: {quirk.seen_in}\n"
                f"- see it: `{quirk.curl}`\n"
            )
    assert sum(len(module.QUIRKS) for _, module in GROUPS) == len(QUIRKS)  # noqa: S101 - no group is forgotten
    return "".join(parts)


def main() -> int:
    """Write the page, or check it."""
    text = page()
    if "--check" in sys.argv:
        return 0 if PAGE.exists() and PAGE.read_text("utf-8") == text else 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
