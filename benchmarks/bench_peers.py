"""What REDbot, httplint and HTTPolice name on the captures that `ifmatch diagnose` is judged by.

    python -m benchmarks.bench_peers

All 43 recordings of `cases/lab` by the client's file, and one capture of the practice server for each
fault of a server. HTTPolice and httplint read the same files. REDbot reads no captures: it asks a live
server, so each fault is served to it (`ifmatch serve --quirk`); recordings are out of its reach. What each
note of a peer counts for is in `NOTES`, generously: a note that names the immediate reason counts as named
even if it cannot say who caused it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.processes import program
from ifmatch.capture import read
from ifmatch.diagnosis import diagnose

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).parents[1]
CASES = ROOT / "cases"
PEERS = ROOT / ".venvs" / "peers"
TOOLS = ("HTTPolice", "httplint", "REDbot")
NAMED, SYMPTOM, NOTHING, BLIND, CLEAN = "named", "symptom", "", "no input", "clean"
# Every fault of a server: what is wrong, the quirk that does it, and the causes that name it, if any does.
FAULTS = (
    ("weak tag accepted in If-Match", "weak-accepted", ("server-precondition-bug",)),
    ("If-Match ignored on PUT", "ignore-if-match", ("precondition-ignored",)),
    ("tag flips between nodes", "flapping-nodes", ("inconsistent-backends",)),
    ("`-gzip` suffix never matches", "suffix-gzip", ("etag-suffix-rewrite",)),
    ("412 without tag and content", "bare-412", ()),
    ("If-None-Match: * ignored on PUT", "ignore-create-guard", ("precondition-ignored",)),
    ("dates before tags", "date-beats-tag", ("server-precondition-bug",)),
    ("tag without quotes", "unquoted-tag", ("malformed-validator",)),
    ("Last-Modified is no HTTP date", "iso-last-modified", ("bad-date",)),
    ("no Vary on the gzip variant", "no-vary", ()),
    ("one strong tag for gzip and identity", "same-tag-gzip", ()),
    ("conditions ignored on GET", "ignore-on-read", ("precondition-ignored",)),
    ("304 without ETag, Vary, Cache-Control", "bare-304", ()),
    ("412 instead of 304 on GET", "412-on-read", ("server-precondition-bug",)),
    ("412 without a condition", "412-without-condition", ("nonprecondition-412",)),
    ("tag stays after a write", "constant-tag", ("server-precondition-bug", "precondition-ignored")),
    ("PUT gives a tag that GET never does", "put-tag-differs", ("etag-source-mismatch",)),
    ("check and write are two steps", "check-then-write", ("check-then-write-race",)),
    ("If-Match: * creates", "star-creates", ("server-precondition-bug", "precondition-ignored")),
    ("CORS hides ETag", "hidden-etag", ("cors-hidden-etag",)),
    ("Last-Modified in the future", "future-last-modified", ("clock-skew",)),
    ("409 where 412 is due", "409-for-412", ("status-dialect-mismatch",)),
    (
        "If-None-Match: * on GET gives 200",
        "star-on-read",
        ("precondition-ignored", "server-precondition-bug"),
    ),
)
_TAGS = {"malformed-validator", "null-token", "unquoted-tag"}
_DATES = {"bad-date", "iso-last-modified"}
_WEAK = {"weak-only-origin", "etag-weakened", "weak-until-settled", "weak-accepted"}
_NO_CONDITION = {"nonprecondition-412", "implicit-precondition", "412-without-condition"}
_IGNORED = {"precondition-ignored", "ignore-on-read", "star-on-read"}
_FUTURE = {"clock-skew", "future-last-modified"}
# Notes that have to do with conditional requests, and the causes and quirks that each of them names.
NOTES: dict[str, tuple[tuple[str, set[str]], ...]] = {
    "HTTPolice": (
        (r"1000 Syntax error in (ETag|If-Match|If-None-Match) ", _TAGS),
        (r"(1000 Syntax error in|1107 .* in) (Last-Modified|If-Unmodified-Since|If-Modified-Since)", _DATES),
        (r"1118 ", _FUTURE),
        (r"1120 ", _WEAK),
        (r"112[123] ", _IGNORED),
        (r"1125 ", _NO_CONDITION),
        (r"1087 .*412", {"bare-412"}),
        (r"1145 ", {"read-changed-mid-transfer", "cache-misevaluates", "precondition-ignored"}),
        (r"1(124|127|128|129|135|168|175|185|200|201|241) ", set()),
    ),
    "httplint": (
        (r"BAD_SYNTAX\w* .*(ETag|If-Match|If-None-Match)", _TAGS),
        (r"BAD_DATE_SYNTAX .*(Last-Modified|If-Unmodified-Since|If-Modified-Since)", _DATES),
        (r"LM_FUTURE ", _FUTURE),
        (r"STATUS_412_WITHOUT_PRECONDITION ", _NO_CONDITION),
        (r"STATUS_PRECONDITION_REQUIRED ", {"token-missing"}),
        (r"(STATUS_PRECONDITION_FAILED|STATUS_CONFLICT|IF_RANGE_WEAK|CURRENT_AGE) ", set()),
    ),
    "REDbot": (
        (r"The ETag field value doesn't conform", _TAGS),
        (r"The Last-Modified header's value isn't a valid date", _DATES),
        (r"The Last-Modified time is in the future", _FUTURE),
        (r"An If-\S+ conditional request returned the full content unchanged", {"ignore-on-read"}),
        (r"An If-\S+ conditional request returned a 412 status", {"412-on-read"}),
        (r"doesn't have an appropriate Vary header", {"no-vary"}),
        (r"The ETag doesn't change between negotiated representations", {"same-tag-gzip"}),
        (r"This response is missing required headers", {"bare-304"}),
    ),
}


@dataclass
class Row:
    """One capture: what is wrong in it, and what each tool says."""

    title: str
    keys: set[str]
    client: Path
    files: list[Path]
    verdicts: dict[str, str]


def judge(tool: str, notes: Iterable[str], keys: set[str]) -> str:
    """Tell what the notes of a peer amount to."""
    best = CLEAN if "none" in keys else NOTHING
    for note in notes:
        for pattern, names in NOTES[tool]:
            if re.match(pattern, note) or (tool == "REDbot" and re.search(pattern, note)):
                if names & keys:
                    return NAMED
                best = SYMPTOM
    return best


def httpolice(path: Path) -> list[str]:
    command = [PEERS / "bin" / "httpolice", "-i", "har", "-o", "text", path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"HTTPolice on {path.name}: {done.stderr[-500:]}")
    return [line[2:] for line in done.stdout.splitlines() if re.match(r"[ECD] \d{4} ", line)]


def httplint(paths: list[Path]) -> dict[str, list[str]]:
    script = ROOT / "benchmarks" / "peers" / "httplint_notes.py"
    command = [PEERS / "bin" / "python", script, *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def redbot(*options: str) -> list[str]:
    """Ask a live practice server with REDbot, and return its notes."""
    command = [program("ifmatch"), "serve", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            url = server.stdout.readline().split()[-1]
            asked = [PEERS / "bin" / "redbot", url]
            told = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=120).stdout
        finally:
            server.terminate()
    return [line.strip(" *") for line in told.splitlines() if line.startswith("  *")]


def ifmatch(files: list[Path], keys: set[str]) -> str:
    captures = []
    for path in files:
        with path.open("rb") as stream:
            captures.append(read(stream, path.name))
    incidents = diagnose(captures).incidents
    if not incidents:
        return CLEAN if "none" in keys else NOTHING
    first = incidents[0]
    said = {finding.cause for finding in first.findings[:1]} | {one.cause for one in first.contributing}
    return NAMED if said & keys else SYMPTOM


def rows_of_lab() -> list[Row]:
    rows = []
    for path in sorted((CASES / "lab").glob("*.label.json")):
        label = json.loads(path.read_text("utf-8"))
        files = sorted(path.parent.glob(f"{label['id']}.*.har"))
        client = next(one for one in files if one.name.endswith(".client.har"))
        keys = {label["cause"]}
        title = f"{label['id']} `{label['cause']}`"
        rows.append(Row(title, keys, client, files, {"REDbot": BLIND}))
    return rows


def rows_of_faults() -> list[Row]:
    rows = []
    for title, quirk, causes in FAULTS:
        files = sorted((CASES / "quirks").glob(f"q-{quirk}.*.har"))
        client = next(one for one in files if one.name.endswith(".client.har"))
        live = judge("REDbot", redbot("--quirk", quirk), {quirk, *causes})
        rows.append(Row(f"{title} (`{quirk}`)", {quirk, *causes}, client, files, {"REDbot": live}))
    return rows


def fill(rows: list[Row]) -> None:
    linted = httplint([row.client for row in rows])
    for row in rows:
        row.verdicts["HTTPolice"] = judge("HTTPolice", httpolice(row.client), row.keys)
        row.verdicts["httplint"] = judge("httplint", linted[str(row.client)], row.keys)
        row.verdicts["ifmatch"] = ifmatch([row.client], row.keys)
        row.verdicts["ifmatch, all files"] = ifmatch(row.files, row.keys)


def table(rows: list[Row], title: str) -> str:
    tools = (*TOOLS, "ifmatch", "ifmatch, all files")
    lines = [f"| {title} | {' | '.join(tools)} |", "|---" * (len(tools) + 1) + "|"]
    lines += [f"| {row.title} | {' | '.join(row.verdicts[tool] for tool in tools)} |" for row in rows]
    faulty = [row for row in rows if "none" not in row.keys]
    counts = {tool: Counter(row.verdicts[tool] for row in faulty) for tool in tools}
    totals = (f"{counts[tool][NAMED]} named, {counts[tool][SYMPTOM]} symptom" for tool in tools)
    return "\n".join([*lines, f"| **of {len(faulty)} with a fault** | {' | '.join(totals)} |"])


def versions() -> str:
    folders = [str(path) for path in PEERS.glob("lib/python3*/site-packages")]
    found = {one.name.lower(): one.version for one in metadata.distributions(path=folders)}
    return ", ".join(f"{tool} {found[tool.lower()]}" for tool in TOOLS)


def main() -> int:
    if not (PEERS / "bin" / "httpolice").exists():
        print("the peers are not installed; run: make setup-bench", file=sys.stderr)
        return 2
    lab, faults = rows_of_lab(), rows_of_faults()
    control = redbot()
    if judge("REDbot", control, {"none"}) != CLEAN:
        raise SystemExit(f"REDbot blames the practice server when nothing is wrong: {control}")
    fill(lab)
    fill(faults)
    print(f"# Peers of diagnosis on the same captures\n\n{versions()}.\n")
    print(__doc__.split("\n\n", 2)[2].strip() + "\n")
    print(
        "*named*: the cause or the fault itself; *symptom*: a note about the conditional request that does "
        "not say it; empty: nothing about it; *clean*: no fault, none blamed. ifmatch counts as named by its "
        "first finding or what it calls contributing; its last column has what other vantages recorded, "
        "which the peers cannot use.\n"
    )
    print("Faults of servers. Some of these captures hold no refusal and no damage: nothing to diagnose.\n")
    print(table(faults, "fault") + "\n\nRecordings with a known cause.\n\n" + table(lab, "recording"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
