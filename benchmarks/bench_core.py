"""Compare `ifmatch.evaluate` with what frameworks do, on the form in which each hands a request over.

    python -m benchmarks.bench_core [--rounds N]

Twelve usual fields plus the condition. Look-up, parsing and comparing are counted, for each peer with its own
look-up; making the request is not, and each request is evaluated once, so that no cache helps anyone. Rounds
are short and interleaved; a ratio is that of two candidates within one round, and the median over all rounds
is shown. The case files of cases/rfc9110 run in the same process before anything is timed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import aiohttp.web_fileresponse
import etag as etag_package
import webob
from aiohttp.test_utils import make_mocked_request
from django.conf import settings
from django.http import HttpRequest
from django.utils.cache import get_conditional_response
from starlette.datastructures import Headers
from starlette.staticfiles import StaticFiles
from werkzeug.http import is_resource_modified, parse_etags

from ifmatch import Representation, evaluate
from ifmatch.core.http_date import format_http_date, parse_http_date

ROOT = Path(__file__).parents[1]
COMMAND = "python -m benchmarks.bench_core"
settings.configure()

USUAL = [
    ("Host", "api.example.com"),
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    ("Accept", "application/json, text/plain, */*"),
    ("Accept-Encoding", "gzip, deflate, br, zstd"),
    ("Accept-Language", "en-GB,en;q=0.5"),
    ("Authorization", "Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.x"),
    ("Cache-Control", "no-cache"),
    ("Connection", "keep-alive"),
    ("Content-Type", "application/json"),
    ("Cookie", "session=0123456789abcdef0123456789abcdef; theme=dark"),
    ("Referer", "https://app.example.com/articles/17"),
    ("X-Request-Id", "b6a0a3a6-0d5f-4c43-9c38-3b6b2c7d7c11"),
]
TAG = '"33a64df551425fcc55e4d42a148795d9f25f89d4"'
MODIFIED = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
TEN = ", ".join(
    [f'"{n}3a64df551425fcc55e4d42a148795d9f25f89d4"' for n in (0, 1, 2, 4, 5, 6, 7, 8, 9)] + [TAG]
)
CURRENT = Representation(etag=TAG, last_modified=MODIFIED)

Form = Any
Judge = Callable[[Form], int | None]


@dataclass(frozen=True)
class Case:
    title: str
    method: str
    condition: tuple[tuple[str, str], ...]
    status: int | None

    @property
    def fields(self) -> list[tuple[str, str]]:
        return [*USUAL, *self.condition]


CASES = (
    Case("GET, If-None-Match, one tag", "GET", (("If-None-Match", TAG),), 304),
    Case("PUT, If-Match, one tag", "PUT", (("If-Match", TAG),), None),
    Case("PUT, If-Match, ten tags, last matches", "PUT", (("If-Match", TEN),), None),
    Case("GET, If-Modified-Since", "GET", (("If-Modified-Since", format_http_date(MODIFIED)),), 304),
    Case("GET, no condition", "GET", (), None),
)


def octets(text: str) -> bytes:
    """A copy of its own, as it comes off the wire: no hash is computed yet."""
    return text.encode("latin-1")


def asgi_pairs(case: Case) -> Form:
    return case.method, [(octets(name.lower()), octets(value)) for name, value in case.fields]


def asgi_scope(case: Case) -> Form:
    return {"type": "http", "method": case.method, "headers": asgi_pairs(case)[1]}


def environ(case: Case) -> Form:
    keys = {name: "HTTP_" + name.upper().replace("-", "_") for name, _ in case.fields}
    keys["Content-Type"] = "CONTENT_TYPE"
    return {"REQUEST_METHOD": case.method} | {keys[name]: value for name, value in case.fields}


def django_request(case: Case) -> Form:
    request = HttpRequest()
    request.method = case.method
    request.META = environ(case)
    return request


def aiohttp_request(case: Case) -> Form:
    return make_mocked_request(case.method, "/", headers=dict(case.fields))


def webob_request(case: Case) -> Form:
    return webob.Request(environ(case))


# --- ifmatch on every form


def ours_held(form: Form) -> int | None:
    return evaluate(form[0], form[1], CURRENT).status


def ours_built(form: Form) -> int | None:
    return evaluate(form[0], form[1], Representation(etag=TAG, last_modified=MODIFIED)).status


def new_tag(case: Case) -> Form:
    """A request about a tag that nobody has seen before: no memory of tags could help."""
    tag = f'"{uuid.uuid4().hex}{TAG[33:]}'
    fields = [(name, value.replace(TAG, tag)) for name, value in case.fields]
    return case.method, [(octets(name.lower()), octets(value)) for name, value in fields], tag


def ours_built_new_tag(form: Form) -> int | None:
    return evaluate(form[0], form[1], Representation(etag=form[2], last_modified=MODIFIED)).status


def ours_environ_built(form: Form) -> int | None:
    fields = [(name, form[key]) for key, name in ENVIRON_NAMES if key in form]
    state = Representation(etag=TAG, last_modified=MODIFIED)
    return evaluate(form["REQUEST_METHOD"], fields, state).status


ENVIRON_NAMES = tuple(
    ("HTTP_" + name.upper().replace("-", "_"), name)
    for name in ("if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range", "range")
)


def ours_environ(form: Form) -> int | None:
    fields = [(name, form[key]) for key, name in ENVIRON_NAMES if key in form]
    return evaluate(form["REQUEST_METHOD"], fields, CURRENT).status


def ours_multidict(form: Form) -> int | None:
    return evaluate(form.method, form.headers, CURRENT).status


# --- peers


def starlette(form: Form) -> int | None:
    return 304 if STATIC.is_not_modified(RESPONSE_HEADERS, Headers(scope=form)) else None


STATIC = StaticFiles(directory=ROOT)
RESPONSE_HEADERS = Headers({"etag": TAG, "last-modified": format_http_date(MODIFIED)})


def werkzeug(form: Form) -> int | None:
    if form["REQUEST_METHOD"] == "PUT":  # is_resource_modified answers for GET and HEAD only
        tags = parse_etags(form.get("HTTP_IF_MATCH"))
        return 412 if tags and not tags.contains(TAG[1:-1]) else None
    if not is_resource_modified(form, TAG, last_modified=MODIFIED):
        return 412 if parse_etags(form.get("HTTP_IF_MATCH")) else 304
    return None


def django(form: Form) -> int | None:
    response = get_conditional_response(form, etag=TAG, last_modified=MODIFIED_S)
    return None if response is None else response.status_code


MODIFIED_S = int(MODIFIED.timestamp())


def aiohttp_file(form: Form) -> int | None:
    # The conditions of aiohttp.web_fileresponse.FileResponse, in its order.
    tags = form.if_match
    if tags is not None and not MATCHES(TAG[1:-1], tags, weak=False):
        return 412
    since = form.if_unmodified_since
    if since is not None and tags is None and since.timestamp() < MODIFIED_S:
        return 412
    others = form.if_none_match
    if others is not None and MATCHES(TAG[1:-1], others, weak=True):
        return 304
    since = form.if_modified_since
    if since is not None and others is None and since.timestamp() >= MODIFIED_S:
        return 304
    return None


MATCHES = aiohttp.web_fileresponse.FileResponse._etag_match  # noqa: SLF001 -- its only evaluator


def webob_conditions(form: Form) -> int | None:
    # As webob.Response.conditional_response_app; If-Match as its documentation shows.
    if "HTTP_IF_MATCH" in form.environ and TAG[1:-1] not in form.if_match:
        return 412
    if form.method not in ("GET", "HEAD"):
        return None
    if form.if_none_match:
        return 304 if TAG[1:-1] in form.if_none_match else None
    since = form.if_modified_since
    return 304 if since and since >= MODIFIED else None


def etag(form: Form) -> int | None:
    method, pairs = form
    match = [value for name, value in pairs if name == b"if-match"]
    none_match = [value for name, value in pairs if name == b"if-none-match"]
    return etag_package.evaluate_preconditions(method, TAG, if_match=match, if_none_match=none_match)


@dataclass(frozen=True)
class Candidate:
    title: str
    make: Callable[[Case], Form]
    judge: Judge
    ours: bool = False
    lacks: tuple[str, ...] = ()


OURS = "ifmatch"
OURS_BUILT = "ifmatch, state built anew"
CANDIDATES = (
    Candidate(OURS, asgi_pairs, ours_held, ours=True),
    Candidate(OURS_BUILT, asgi_pairs, ours_built, ours=True),
    Candidate("ifmatch, state built anew from a new tag", new_tag, ours_built_new_tag, ours=True),
    Candidate("ifmatch on WSGI environ", environ, ours_environ, ours=True),
    Candidate("ifmatch on WSGI environ, state built anew", environ, ours_environ_built, ours=True),
    Candidate("ifmatch on multidict", aiohttp_request, ours_multidict, ours=True),
    Candidate("starlette", asgi_scope, starlette, lacks=("If-Match",)),
    Candidate("aiohttp", aiohttp_request, aiohttp_file),
    Candidate("werkzeug", environ, werkzeug),
    Candidate("webob", webob_request, webob_conditions),
    Candidate("django", django_request, django),
    Candidate("etag", asgi_pairs, etag, lacks=("If-Modified-Since",)),
)


def candidates_for(case: Case) -> list[Candidate]:
    names = {name for name, _ in case.condition}
    return [candidate for candidate in CANDIDATES if not names & set(candidate.lacks)]


def run_strict_cases() -> int:
    """Every case of cases/rfc9110 holds in this process; otherwise speed would say nothing."""
    count = 0
    for path in sorted((ROOT / "cases" / "rfc9110").glob("*.json")):
        for case in json.loads(path.read_text())["cases"]:
            state, expected = case["current"], case["expected"]
            current = None
            if state is not None:
                modified = state["last_modified"] and instant(state["last_modified"])
                strong = state["last_modified_is_strong"]
                current = Representation(
                    etag=state["etag"], last_modified=modified, last_modified_is_strong=strong
                )
            options = {"creates": case.get("creates"), "now": instant(case["now"]) if "now" in case else None}
            fields = [(octets(name.lower()), octets(value)) for name, value in case["request"]["fields"]]
            decision = evaluate(case["request"]["method"], fields, current, **options)
            found = [decision.status, decision.use_range, list(decision.malformed)]
            if found != [expected["status"], expected["use_range"], expected["malformed"]]:
                raise SystemExit(f"{case['id']} fails: {found}. Nothing was timed.")
            count += 1
    return count


def instant(text: str) -> datetime:
    moment = parse_http_date(text, now=datetime.now(UTC))
    assert isinstance(moment, datetime)
    return moment


def time_once(candidate: Candidate, case: Case, number: int) -> float:
    """Microseconds a request, over `number` requests that nobody has looked at."""
    forms = [candidate.make(case) for _ in range(number)]
    judge = candidate.judge
    clock = time.perf_counter_ns
    start = clock()
    for form in forms:
        judge(form)
    return (clock() - start) / number / 1000


def measure(case: Case, rounds: int) -> dict[str, list[float]]:
    candidates = candidates_for(case)
    for candidate in candidates:
        answer = candidate.judge(candidate.make(case))
        if answer != case.status:
            raise SystemExit(f"{candidate.title} answers {answer} to {case.title}, not {case.status}")
    times: dict[str, list[float]] = {candidate.title: [] for candidate in candidates}
    for turn in range(rounds):
        # Another order each round, so that nobody always runs behind the same neighbour.
        shift = turn % len(candidates)
        for candidate in candidates[shift:] + candidates[:shift]:
            times[candidate.title].append(
                time_once(
                    candidate,
                    case,
                    20 if "aiohttp" in candidate.title or "multidict" in candidate.title else 60,
                )
            )
    return times


def table(results: dict[str, dict[str, list[float]]]) -> Iterable[str]:
    yield "| case | candidate | median µs | least µs | time of ifmatch ÷ its time | with state built anew |"
    yield "|---|---|---|---|---|---|"
    for title, times in results.items():
        for name, values in times.items():
            held = statistics.median(a / b for a, b in zip(times[OURS], values, strict=True))
            built = statistics.median(a / b for a, b in zip(times[OURS_BUILT], values, strict=True))
            yield (
                f"| {title} | {name} | {statistics.median(values):.2f} | {min(values):.2f} |"
                f" {held:.2f} | {built:.2f} |"
            )


def verdicts(results: dict[str, dict[str, list[float]]]) -> Iterable[str]:
    titles = {candidate.title for candidate in CANDIDATES if not candidate.ours}
    for title, times in results.items():
        peers = {name: values for name, values in times.items() if name in titles}
        fastest = min(peers, key=lambda name: statistics.median(peers[name]))
        ratios = {
            ours: statistics.median(a / b for a, b in zip(times[ours], peers[fastest], strict=True))
            for ours in (OURS, OURS_BUILT)
        }
        mark = ""
        if title != "GET, no condition":
            built = judged(ratios[OURS_BUILT], 1.0)
            mark = f"figure ≤ 1.0: {judged(ratios[OURS], 1.0)}; with state built anew: {built}"
        yield f"| {title} | {fastest} | {ratios[OURS]:.2f} | {ratios[OURS_BUILT]:.2f} | {mark} |"


def judged(value: float, limit: float) -> str:
    return "reached" if value <= limit else "**missed**"


def summary(results: dict[str, dict[str, list[float]]]) -> Iterable[str]:
    yield "| case | fastest peer | ifmatch ÷ it | with state built anew ÷ it | |"
    yield "|---|---|---|---|---|"
    yield from verdicts(results)
    times = results["GET, no condition"][OURS]
    middle = statistics.median(times)
    yield ""
    yield (
        f"Without a condition, on ASGI pairs: median {middle:.2f} µs, least {min(times):.2f} µs"
        f" (figure ≤ 1 µs: {judged(middle, 1.0)})."
    )


def preamble(count: int, rounds: int) -> Iterable[str]:
    packages = ("starlette", "aiohttp", "Werkzeug", "WebOb", "Django", "etag")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    yield "# Evaluating preconditions: speed"
    yield ""
    yield f"{versions}."
    yield f"Repeat with `{COMMAND} --rounds {rounds}`."
    yield f"The {count} strict cases of `cases/rfc9110` passed in the same process before."
    yield ""
    yield "Twelve usual fields plus the condition, each request evaluated once, look-up counted."
    yield "Starlette has no If-Match, `etag` no dates; werkzeug and WebOb only compare If-Match."
    yield "State built anew: `Representation(etag=…, last_modified=…)` is counted, too, its tag checked each"
    yield "time; the row `from a new tag` has another tag in each request."
    yield "Ratios are medians of those within one round."


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=200, help="interleaved rounds a case (default: 200)")
    options = parser.parse_args()
    count = run_strict_cases()
    results = {case.title: measure(case, options.rounds) for case in CASES}
    lines = [*preamble(count, options.rounds), "", *summary(results), ""]
    lines.extend(table(results))
    print("\n".join(lines))


if __name__ == "__main__":
    sys.exit(main())
