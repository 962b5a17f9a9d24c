"""`ifmatch diagnose` on a HAR of 28 MB and 20,000 entries, in a fresh process."""

from __future__ import annotations

import json
import random
import statistics
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.processes import ROOT, Usage, measure, program

if TYPE_CHECKING:
    from collections.abc import Iterator

ENTRIES = 20_000
OCTETS = 28_000_000
RUNS = 5
START = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
SITE = "https://app.example.com"
USUAL = {
    "Accept": "application/json, text/plain, */*",
    "Accept-Language": "en-GB,en;q=0.9",
    "Cookie": "session=0123456789abcdef; theme=dark",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/141.0.0.0 Safari/537.36",
}

Step = tuple[str, str, int, dict[str, str], dict[str, str], str, str]


def tag(number: int, version: int) -> str:
    return f'"{number:04x}-{version:08x}"'


def article(number: int, version: int) -> str:
    words = "a page of text that somebody works on, in several paragraphs of which this is the first " * 2
    return json.dumps({"id": number, "version": version, "title": f"Article {number}", "body": words})


def asset(rng: random.Random) -> Iterator[Step]:
    number = rng.randrange(600)
    url, validator = f"{SITE}/static/chunk-{number}.js", tag(number, 1)
    known = {"ETag": validator, "Cache-Control": "max-age=60", "Content-Type": "text/javascript"}
    if rng.random() < 0.4:
        yield "GET", url, 304, {"If-None-Match": validator}, known, "", ""
    else:
        yield "GET", url, 200, {}, known, "", f"export const part{number} = 1;" * 8


def poll(rng: random.Random) -> Iterator[Step]:
    body = json.dumps({"unread": rng.randrange(9)})
    yield "GET", f"{SITE}/api/notifications?after={rng.randrange(9999)}", 200, {}, {}, "", body


class Articles:
    """The service: articles with versions, changed now and then by somebody who is not recorded."""

    def __init__(self) -> None:
        self.versions = dict.fromkeys(range(900), 1)
        self.refused = 0

    def read(self, number: int) -> Step:
        version = self.versions[number]
        answer = {"ETag": tag(number, version), "Cache-Control": "no-cache"}
        return "GET", f"{SITE}/api/articles/{number}", 200, {}, answer, "", article(number, version)

    def write(self, number: int, seen: int) -> Step:
        url, condition = f"{SITE}/api/articles/{number}", {"If-Match": tag(number, seen)}
        if seen != self.versions[number]:
            self.refused += 1
            return "PUT", url, 412, condition, {}, article(number, seen), '{"error": "precondition failed"}'
        self.versions[number] += 1
        answer = {"ETag": tag(number, self.versions[number])}
        return "PUT", url, 200, condition, answer, article(number, seen), article(number, seen + 1)

    def edit(self, rng: random.Random) -> Iterator[Step]:
        number = rng.randrange(len(self.versions))
        yield self.read(number)
        seen = self.versions[number]
        if rng.random() < 0.03:
            self.versions[number] += 1
            yield self.write(number, seen)
            # Half of the clients read again and go on; the others send the same once more.
            if rng.random() < 0.5:
                yield self.write(number, seen)
                return
            yield self.read(number)
            seen = self.versions[number]
        yield self.write(number, seen)


def steps(rng: random.Random, service: Articles, edits: float) -> Iterator[Step]:
    while True:
        chance = rng.random()
        yield from (asset(rng) if chance < 0.55 else poll(rng) if chance < 1 - edits else service.edit(rng))


def pairs(fields: dict[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in fields.items()]


def entry(step: Step, number: int, at: datetime, padding: int) -> str:
    method, url, status, sent, received, body, content = step
    kind = {"Content-Type": "application/json", "Date": f"{at:%a, %d %b %Y %H:%M:%S} GMT"}
    request: dict[str, object] = {
        "method": method,
        "url": url,
        "httpVersion": "http/2.0",
        "headers": pairs({**USUAL, **sent, **({"Content-Type": "application/json"} if body else {})}),
        "queryString": [],
        "cookies": [],
        "headersSize": -1,
        "bodySize": len(body),
    }
    if body:
        request["postData"] = {"mimeType": "application/json", "text": body}
    # The same tag, the same content: only what has no tag is filled up.
    filled = content + " " * padding if content and "ETag" not in received else content
    response = {
        "status": status,
        "statusText": "",
        "httpVersion": "http/2.0",
        "headers": pairs({**kind, **received}),
        "cookies": [],
        "content": {"size": len(filled), "mimeType": "application/json", "text": filled},
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": len(filled),
    }
    timings = {"blocked": 1.1, "dns": -1, "connect": -1, "send": 0.2, "wait": 31.5, "receive": 0.9, "ssl": -1}
    record = {
        "startedDateTime": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "time": 33.7,
        "request": request,
        "response": response,
        "cache": {},
        "timings": timings,
        "connection": str(400 + number // 500),
        "pageref": "page_1",
        "serverIPAddress": "203.0.113.7",
    }
    return json.dumps(record)


def write_har(
    path: Path, *, entries: int = ENTRIES, octets: int = OCTETS, seed: int = 412, edits: float = 0.25
) -> int:
    """Write the same HAR every time; the number of its refused writes is returned."""
    rng, service = random.Random(seed), Articles()
    stream = steps(rng, service, edits)
    with path.open("w", encoding="utf-8") as file:
        file.write('{"log": {"version": "1.2", "creator": {"name": "WebInspector", "version": "537.36"}, ')
        file.write('"pages": [], "entries": [\n')
        for number in range(entries):
            step, at = next(stream), START + timedelta(milliseconds=180 * number)
            # Contents are filled up so that the file has the wanted size however long the steps are.
            short = octets - 100 - file.tell() - (entries - number) * (octets // entries)
            file.write(",\n" * bool(number) + entry(step, number, at, max(0, min(short + 300, 9000))))
        file.write("\n]}}\n")
    return service.refused


def median(runs: list[Usage]) -> str:
    wall = statistics.median(run.wall for run in runs)
    cpu = statistics.median(run.cpu for run in runs)
    return f"{wall:.2f} | {cpu:.2f} | {max(run.peak for run in runs):.0f}"


def commands(path: Path) -> dict[str, list[str]]:
    decode = "import sys, {0}; {0}.loads(open(sys.argv[1], 'rb').read())"
    msgspec = "import sys, msgspec; msgspec.json.decode(open(sys.argv[1], 'rb').read())"
    found = {
        "`ifmatch diagnose` (JSON report)": [program("ifmatch"), "diagnose", str(path), "--format", "json"],
        "`ifmatch diagnose` (text report)": [program("ifmatch"), "diagnose", str(path)],
        "for comparison: msgspec decoding alone": [sys.executable, "-c", msgspec, str(path)],
        "for comparison: json decoding alone": [sys.executable, "-c", decode.format("json"), str(path)],
    }
    peer = ROOT / ".venvs" / "httpolice" / "bin" / "httpolice"
    if peer.exists():
        found["HTTPolice (`httpolice -i har`)"] = [str(peer), "-i", "har", "-o", "text", str(path)]
    return found


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "big.har"
        refused = write_har(path)
        size = path.stat().st_size / 1e6
        measure([program("ifmatch"), "diagnose", str(path)])  # keeps byte code
        runs: dict[str, list[Usage]] = {}
        for turn in range(RUNS):
            for name, command in commands(path).items():
                if turn == 0 or not name.startswith("HTTPolice"):
                    runs.setdefault(name, []).append(measure(command))
    print("# Diagnosing a big HAR\n")
    print(f"{size:.1f} MB, {ENTRIES:,} entries, {refused} of them refused writes; made with a fixed seed.")
    print(f"Each in a fresh process, medians of {RUNS} turns (HTTPolice: one), peak memory the highest.")
    print("Figure to reach: < 2 s, < 200 MB. Judged by CPU seconds, which are the wall time of a free core:")
    print("the process has one thread, and the cores were shared with other work.\n")
    print("| what | wall s | CPU s | peak MB | exit status | figure |\n|---|---|---|---|---|---|")
    for name, used in runs.items():
        ours = name.startswith("`ifmatch")
        good = statistics.median(run.cpu for run in used) < 2 and max(run.peak for run in used) < 200
        mark = ("reached" if good else "**missed**") if ours else ""
        print(f"| {name} | {median(used)} | {used[-1].status} | {mark} |")


if __name__ == "__main__":
    main()
