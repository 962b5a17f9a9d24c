"""Open the sources of a case and read them; one that cannot be read does not take the others along."""

from __future__ import annotations

import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

import click

from ifmatch.cli.intent import is_url
from ifmatch.cli.paths import is_folder, is_there
from ifmatch.cli.terminal import is_terminal, say
from ifmatch.errors import InputError
from ifmatch.model.exchange import CaptureWarning, Source, Vantage

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from ifmatch.capture.configurations import ServerConfiguration
    from ifmatch.cli.progress import Progress
    from ifmatch.model.exchange import Capture, Exchange

__all__ = ["Declaration", "ReadSources", "check_sources", "parse_declarations", "read_sources"]

LIVE_ALONE: Final = (
    "A URL or a command is asked about alone. Recordings and the server together: "
    "ifmatch diagnose FILE... --live"
)
_IN_MEMORY: Final = 32 * 1024 * 1024
_HEAD: Final = 64 * 1024
_LARGEST_CONFIGURATION: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Declaration:
    """What the user said about a source with `--vantage`.

    Attributes:
        vantage: where on the way it was recorded.
        actor: who sent it, None when not said.
        node: which of several backends, None when not said.
    """

    vantage: Vantage
    actor: str | None = None
    node: str | None = None


@dataclass(frozen=True, slots=True)
class ReadSources:
    """What came out of reading.

    Attributes:
        captures: one a readable source, in the order given.
        failures: one a source that could not be read.
        configurations: files of servers and proxies that were given beside the traffic.
    """

    captures: tuple[Capture, ...]
    failures: tuple[InputError, ...]
    configurations: tuple[ServerConfiguration, ...] = ()

    @property
    def is_partial(self) -> bool:
        """Tell whether something was not read: a whole source, or a part of one."""
        return bool(self.failures) or any(capture.warnings for capture in self.captures)

    def unreadable(self) -> tuple[Source, ...]:
        """Return a row of the report for each source that could not be read."""
        return tuple(
            Source(
                name=failure.source,
                format="unreadable",
                exchanges=0,
                warnings=(CaptureWarning(str(failure), line=failure.line, offset=failure.offset),),
            )
            for failure in self.failures
        )


def check_sources(names: Sequence[str]) -> None:
    """Refuse what is no recording: live requests, directories, a file named twice.

    Raises:
        click.UsageError: with what to do instead.
    """
    for number, name in enumerate(names):
        if is_url(name) or (name == "curl" and not is_there(name)):
            raise click.UsageError(LIVE_ALONE)
        if name != "-" and is_folder(name):
            raise click.UsageError(
                f"{name} is a directory. Name the files: ifmatch diagnose {name.rstrip('/')}/*.har"
            )
        if name in names[:number]:
            raise click.UsageError(f"{name} is given twice. One recording counts once; leave one out.")


def parse_declarations(values: Sequence[str], names: Sequence[str]) -> dict[str, Declaration]:
    """Read the values of `--vantage FILE=ROLE[:LABEL]`.

    Args:
        values: as given on the command line.
        names: the sources, as given.

    Raises:
        click.UsageError: when a value names no source, no role, or a source twice.
    """
    declarations: dict[str, Declaration] = {}
    for value in values:
        name = max((name for name in names if value.startswith(f"{name}=")), key=len, default=None)
        if name is None:
            raise click.UsageError(
                f"--vantage {value}: names none of the sources ({', '.join(names)}). "
                "Write --vantage FILE=client, FILE=edge, FILE=upstream or FILE=origin."
            )
        if name in declarations:
            raise click.UsageError(f"--vantage is given twice for {name}.")
        declarations[name] = _declaration(value[len(name) + 1 :], value)
    return declarations


def _declaration(role: str, value: str) -> Declaration:
    vantage, colon, label = role.partition(":")
    try:
        seen_from = Vantage(vantage)
    except ValueError:
        roles = "client[:ACTOR], edge, upstream[:NODE], origin"
        raise click.UsageError(f"--vantage {value}: {vantage!r} is none of {roles}.") from None
    if colon and (not label or seen_from in {Vantage.EDGE, Vantage.ORIGIN}):
        raise click.UsageError(
            f"--vantage {value}: a label goes with client:ACTOR and upstream:NODE only, and is not empty."
        )
    return Declaration(
        seen_from,
        actor=label if label and seen_from is Vantage.CLIENT else None,
        node=label if label and seen_from is Vantage.UPSTREAM else None,
    )


def read_sources(
    names: Sequence[str],
    *,
    capture_format: str | None,
    log_format: str | None = None,
    declarations: dict[str, Declaration],
    progress: Progress,
) -> ReadSources:
    """Read every source; say on standard error what could not be read.

    Args:
        names: paths, or `-` for standard input.
        capture_format: id of the reader, None to tell from the content.
        log_format: what the columns of access logs are, None to tell from the content.
        declarations: by source, from `parse_declarations`.
        progress: is told what is being read.

    Raises:
        InputError: when no source could be read.
    """
    from ifmatch.capture import read_all
    from ifmatch.capture.configurations import configuration_kind, read_configuration
    from ifmatch.capture.joined_logs import joined

    captures: list[Capture] = []
    configurations: list[ServerConfiguration] = []
    failures: list[InputError] = []
    for number, name in enumerate(names, start=1):
        try:
            with _opened(name) as (stream, size):
                progress.step(f"reading {name} ({number} of {len(names)})", size)
                kind = configuration_kind(stream.read(_HEAD)) if capture_format is None else None
                stream.seek(0)
                if kind is not None and size < _LARGEST_CONFIGURATION:
                    configurations.append(read_configuration(stream.read(), name, kind))
                    continue
                read = read_all(stream, name, format=capture_format, log_format=log_format)
        except InputError as error:
            failures.append(error)
            continue
        said = declarations.get(name)
        captures.extend(_declared(capture, said) for capture in read)
    progress.done()
    if not captures and len(failures) == 1:
        raise failures[0]
    for failure in failures:
        say(f"ifmatch: {failure}")
    if not captures and configurations:
        raise InputError(
            "only configuration files were given",
            source=", ".join(one.name for one in configurations),
            advice="Give the recorded traffic beside them: ifmatch diagnose bug.har nginx.conf",
        )
    if not captures:
        raise InputError("none of them can be read", source=f"{len(names)} sources")
    return ReadSources(joined(_without_copies(captures)), tuple(failures), tuple(configurations))


def _without_copies(captures: Sequence[Capture]) -> tuple[Capture, ...]:
    """Leave out what is the same recording under another name: one side would be taken for two.

    What was declared to be seen from somewhere stays.
    """
    kept: list[Capture] = []
    for capture in captures:
        twin = next((number for number, one in enumerate(kept) if _same_recording(one, capture)), None)
        if twin is None or capture.declared_vantage is not None:
            kept.append(capture)
            continue
        text = f"{capture.name} is the same recording; it counts once"
        kept[twin] = replace(kept[twin], warnings=(*kept[twin].warnings, CaptureWarning(text)))
    return tuple(kept)


def _same_recording(one: Capture, two: Capture) -> bool:
    return (
        bool(one.exchanges)
        and len(one.exchanges) == len(two.exchanges)
        and all(_shown(a) == _shown(b) for a, b in zip(one.exchanges, two.exchanges, strict=True))
    )


def _shown(exchange: Exchange) -> tuple[object, ...]:
    request, response = exchange.request, exchange.response
    answer = (response.status, response.fields.pairs) if response is not None else None
    return exchange.started, request.method, request.url, request.fields.pairs, answer


def _declared(capture: Capture, said: Declaration | None) -> Capture:
    if said is None:
        return capture
    return replace(capture, declared_vantage=said.vantage, declared_actor=said.actor, declared_node=said.node)


@contextmanager
def _opened(name: str) -> Generator[tuple[BinaryIO, int], None, None]:
    if name == "-":
        with _standard_input() as stream:
            yield stream, _size(stream)
        return
    try:
        stream = Path(name).open("rb")  # noqa: SIM115 - the block below closes it
    except OSError as error:
        if isinstance(error, FileNotFoundError) and Path(name).is_symlink():
            raise InputError("this is a link to a file that is not there", source=name) from error
        raise InputError(_reason(error), source=name, advice=_advice(error)) from error
    except ValueError as error:
        raise InputError("this is no file name", source=name) from error
    with stream:
        try:
            seekable = stream.seekable()
            if seekable:
                yield stream, _size(stream)
            else:  # a named pipe, `<(curl ...)`
                with _spooled(stream) as copy:
                    yield copy, _size(copy)
        except OSError as error:
            raise InputError(_reason(error), source=name) from error


@contextmanager
def _standard_input() -> Generator[BinaryIO, None, None]:
    if sys.stdin is None:  # pyright: ignore[reportUnnecessaryComparison] - closed by the caller
        raise InputError("standard input is closed", source="-", advice="Name a file instead")
    if is_terminal(sys.stdin):
        say("Paste the recorded traffic, then end it with Ctrl-D (Ctrl-Z and Enter on Windows).")
    with _spooled(sys.stdin.buffer) as copy:
        yield copy


@contextmanager
def _spooled(stream: BinaryIO) -> Generator[BinaryIO, None, None]:
    # Readers look at the beginning and start over: they need a stream that can seek.
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as copy:
        while chunk := stream.read(1 << 20):
            copy.write(chunk)
        copy.seek(0)
        yield copy  # type: ignore[misc]


def _size(stream: BinaryIO) -> int:
    end = stream.seek(0, 2)
    stream.seek(0)
    return end


def _reason(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, PermissionError):
        return "it may not be read"
    return (error.strerror or str(error)).lower()


def _advice(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "Check the name; for a question or a status, use: ifmatch explain"
    return ""
