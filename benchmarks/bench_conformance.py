"""Put every adapter and its peers to the table of tests/server/conformance.py, over raw sockets.

    python -m benchmarks.bench_conformance [--docs] [NAME...]

Each peer serves the same note in its documented way. A row that a peer has nothing for (a file server has no
arbitrary tags) is not applicable and does not count. `--docs` writes docs/server/conformance.md too.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from tests.server.conformance import ALL_FEATURES, Target, Verdict, run
from tests.server.conformance_answers import CASES
from tests.server.servers import serving, wait_for
from tests.server.test_conformance import FAULTS_OF_SERVERS, FEATURES, STACKS
from tools.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "server" / "conformance.md"
COMMON = frozenset({"writes", "missing", "forbidden", "moved", "private"})
PEERS = {
    "django_condition": ("gunicorn", COMMON | {"tagged", "dated"}),
    "flask_werkzeug": ("gunicorn", COMMON | {"tagged", "dated", "range"}),
    "aiohttp_properties": ("aiohttp", COMMON | {"tagged", "dated"}),
    "fastapi_etag_dependency": ("uvicorn", COMMON | {"tagged"}),
    "asgi_etags_middleware": ("uvicorn", COMMON),
    "flask_smorest_etag": ("gunicorn", COMMON),
    "drf_extensions_etag": ("gunicorn", COMMON | {"tagged"}),
    "starlette_static": ("static", frozenset({"range"})),
}
DEMANDING = frozenset({"flask_smorest_etag"})
FILES = {
    "nginx": frozenset({"writes", "missing", "range"}),
    "apache2": frozenset({"writes", "missing", "range"}),
    "tomcat": frozenset({"writes", "missing", "range"}),
    "caddy": frozenset({"range"}),
}
SECTIONS = (
    ("If-Match", ("m-",)),
    ("If-None-Match", ("n-",)),
    ("dates", ("u-", "s-")),
    ("any tag", ("t-",)),
    ("order", ("p-",)),
    ("Range", ("r-",)),
    ("what wins", ("o-",)),
    ("answers", ("a-", "headers")),
)


@dataclass
class Column:
    name: str
    verdicts: list[Verdict]

    def counted(self, level: str, starts: tuple[str, ...] = ("",)) -> str:
        chosen = [
            verdict
            for verdict in self.verdicts
            if verdict.case.level == level
            and verdict.case.id.startswith(starts)
            and verdict.status != "not-applicable"
        ]
        if not chosen:
            return "-"
        return f"{sum(verdict.status == 'pass' for verdict in chosen)}/{len(chosen)}"

    @property
    def share(self) -> str:
        passed, whole = (int(part) for part in self.counted("MUST").split("/"))
        return f"{100 * passed / whole:.0f} %"


def adapters(names: list[str]) -> Iterator[Column]:
    for stack, (server, module, environment) in STACKS.items():
        if names and stack not in names:
            continue
        with serving(server, f"tests.server.apps.{module}", environment) as port:
            cases = [case for case in CASES if case.id not in FAULTS_OF_SERVERS.get(stack, ())]
            yield Column(
                f"**ifmatch, {stack}** ({server})", list(run(Target(port, features=FEATURES), cases))
            )


@contextlib.contextmanager
def started(name: str, server: str, folder: Path) -> Iterator[int]:
    module = f"benchmarks.peers.{name}"
    environment = {"FOLDER": str(folder)}
    if server == "aiohttp":
        port = free_port()
        command = [sys.executable, "-m", module, str(port)]
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        try:
            wait_for(process, port, 20)
            yield port
        finally:
            process.terminate()
            process.wait(10)
        return
    with serving("uvicorn" if server == "static" else server, module, environment) as port:
        yield port


def version_of(name: str) -> str:
    text = (ROOT / "benchmarks" / "peers" / f"{name}.py").read_text("utf-8")
    expression = re.search(r"^VERSION = (.*)$", text, re.MULTILINE)
    assert expression is not None
    scope = {"version": version, "django": import_module("django")}
    return str(eval(expression[1], scope))  # the line of our own file


def peers(names: list[str]) -> Iterator[Column]:
    for name, (server, features) in PEERS.items():
        if names and name not in names:
            continue
        with tempfile.TemporaryDirectory() as directory:
            from benchmarks.peers.fileservers import folder_with_file

            folder = folder_with_file(Path(directory))
            with started(name, server, folder) as port:
                target = Target(port, features=features, demands_match=name in DEMANDING)
                yield Column(f"{version_of(name)}", list(run(target, CASES)))


def file_servers(names: list[str]) -> Iterator[Column]:
    from benchmarks.peers.fileservers import FILE_SERVERS, folder_with_file
    from tools.recording.components import MissingProgramError, program_version

    for name, start in FILE_SERVERS.items():
        if names and name not in names:
            continue
        with tempfile.TemporaryDirectory() as made:
            directory = Path(made)
            directory.chmod(0o755)
            folder = folder_with_file(directory)
            try:
                running = start(directory, folder)
            except MissingProgramError as error:
                print(error, file=sys.stderr)
                continue
            try:
                target = Target(running.port, features=FILES[name], settles=True)
                verdicts = list(run(target, CASES))
            finally:
                running.stop()
            title = "Tomcat 10.1 `DefaultServlet`, strong tags" if name == "tomcat" else program_version(name)
            yield Column(title, verdicts)


def table(columns: list[Column]) -> str:
    head = ["implementation", "MUST", "", "SHOULD", *(title for title, _ in SECTIONS)]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for column in columns:
        cells = [column.name, column.counted("MUST"), column.share, column.counted("SHOULD")]
        cells += [column.counted("MUST", starts) for _, starts in SECTIONS]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def failures(columns: list[Column]) -> str:
    lines = []
    for column in columns:
        failed = [verdict.case.id for verdict in column.verdicts if verdict.status == "fail"]
        if failed:
            lines.append(f"- {column.name}: {', '.join(failed)}")
    return "\n".join(lines)


def text_of(columns: list[Column]) -> str:
    count = sum(case.level == "MUST" for case in CASES)
    return f"""# Conformance with RFC 9110 section 13

{len(CASES)} cases, {count} of them MUST, sent over raw sockets. Passed of applicable cases; the last columns
are MUST cases by subject. Cases: cases/conformance/conditions.json, tests/server/conformance_answers.py.

{table(columns)}

What failed:

{failures(columns)}
"""


NOTES = """
Read with care:

- Each framework serves the same note, in the way its documentation shows. werkzeug and aiohttp only parse;
  what compares is the obvious code beside it.
- A case that a server has nothing for does not count: a file server has no arbitrary tags (`any tag`),
  Starlette's `StaticFiles` and Caddy take no writes.
- nginx, Apache and Tomcat write through DAV or PUT; before each case the file's tag is given time to become
  strong.
- `a-continue` is a MAY: uvicorn leaves 100 (Continue) to the application, so the ASGI adapters answer 412 in
  its place; gunicorn sends 100 before it calls the application.
- fastapi-etag, asgi-etags, flask-smorest and drf-extensions know no dates. flask-smorest demands If-Match on
  every write and answers 428 without, as RFC 6585 allows: cases about another condition on a write do not
  apply, nor does creating with PUT.
- wsgiref is run without `headers-incomplete`: its server takes the end of the stream for the end of the
  headers, below any application.
"""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--docs", action="store_true", help=f"write {PAGE.relative_to(ROOT)} too")
    options = parser.parse_args()
    assert FEATURES <= ALL_FEATURES
    columns: list[Column] = []
    for part in (adapters, peers, file_servers):
        columns += part(options.names)
    text = text_of(columns)
    if options.docs:
        date = (
            f"Recorded {datetime.now(UTC):%Y-%m-%d}. Repeat: `python -m benchmarks.bench_conformance --docs`."
        )
        title, _, rest = text.partition("\n")
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(f"{title}\n\n{date}\n{rest.rstrip()}\n{NOTES}", "utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
