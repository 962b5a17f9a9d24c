"""Find the cause in recorded traffic: `ifmatch diagnose`."""

from __future__ import annotations

import gc
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from ifmatch.cli.configuration import FAIL_ON, Configuration, baseline_of, read_project
from ifmatch.cli.exit_status import ExitStatus
from ifmatch.cli.intent import is_url
from ifmatch.cli.live_options import LiveOptions, VerbBeforeCommand, command_behind, live_options
from ifmatch.cli.output import FORMATS, choose_format, refuse_overwriting, write_report
from ifmatch.cli.progress import Progress
from ifmatch.cli.selection import Selection, parse_time, unmatched
from ifmatch.cli.sources import (
    Declaration,
    ReadSources,
    check_sources,
    parse_declarations,
    read_sources,
)
from ifmatch.cli.terminal import is_terminal, say, text_width, wants_colour
from ifmatch.model.diagnosis import Outcome, Verdict
from ifmatch.model.finding import Level

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.model.diagnosis import Diagnosis, Incident, LiveFindings
    from ifmatch.model.exchange import Capture
    from ifmatch.model.finding import Attested

__all__ = ["command", "fails"]

_DIALECTS: Final = "ifmatch.dialects"
_RANK = {Level.LOW: 0, Level.MEDIUM: 1, Level.HIGH: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Options:
    sources: tuple[str, ...]
    report_format: str
    output: str | None
    capture_format: str | None
    log_format: str | None
    selection: Selection
    vantages: tuple[str, ...]
    fail_on: str
    configuration: Configuration
    write_baseline: str | None
    strict: bool
    show_secrets: bool
    redact_tags: bool
    colour: str
    live: LiveOptions
    command: tuple[str, ...] = ()


def _keep_dialects(context: click.Context, option: click.Parameter, files: tuple[str, ...]) -> None:
    del option
    context.meta[_DIALECTS] = files


@click.command(
    "diagnose",
    cls=VerbBeforeCommand,
    short_help="Find the cause in recorded traffic.",
    epilog="Exit status: 0 nothing to report, 1 an incident, 2 usage, 3 nothing could be read. "
    "The whole list: ifmatch explain exit-status",
)
@click.argument("sources", metavar="SOURCE... | URL | -- curl ...", nargs=-1)
@click.option(
    "--format",
    "report_format",
    type=click.Choice(FORMATS),
    help="Form of the report.  [default: by the name of FILE, else text]",
)
@click.option(
    "-o", "--output", metavar="FILE", help="Write to FILE; .html, .json, .md, .sarif, .xml set the format."
)
@click.option(
    "--from",
    "capture_format",
    metavar="FORMAT",
    help="Read the sources as har, curl-verbose, ...  [default: told from the content]",
)
@click.option(
    "--log-format",
    metavar="FORMAT",
    help="The sources are access logs whose lines look so: combined, or what nginx, Apache or varnishncsa "
    "was told.",
)
@click.option(
    "--entry",
    "entries",
    metavar="N",
    type=click.IntRange(min=0),
    multiple=True,
    help="Report only incidents that touch entry N, counted from 0.",
)
@click.option(
    "--url",
    metavar="GLOB",
    default="",
    help="Report only incidents at these URLs; a GLOB without :// is for the path.",
)
@click.option(
    "--since", metavar="TIME", help="Report only incidents from TIME on: ISO 8601 (UTC), or 30m, 2h, 1d ago."
)
@click.option(
    "--vantage",
    "vantages",
    metavar="FILE=ROLE",
    multiple=True,
    help="Say where FILE was recorded: client[:ACTOR], edge, upstream[:NODE] or origin.  "
    "[default: told from the content]",
)
@click.option(
    "--dialect",
    metavar="FILE",
    multiple=True,
    expose_value=False,
    callback=_keep_dialects,
    help="Also know the API family that FILE describes; see ifmatch dialect --help.",
)
@click.option(
    "--fail-on",
    type=click.Choice(FAIL_ON),
    help="Exit 1 for incidents from this level on; none: never; undecided: only where the cause is open.  "
    "[default: low]",
)
@click.option(
    "--config",
    metavar="FILE",
    help="Suppressions and defaults; `none` for none.  [default: the nearest ifmatch.toml upwards]",
)
@click.option("--baseline", metavar="FILE", help="Incidents that are listed in FILE fail nothing.")
@click.option("--write-baseline", metavar="FILE", help="List today's incidents in FILE, and exit 0.")
@click.option("--strict", is_flag=True, help="Exit 3 when a part of the input could not be read.")
@click.option(
    "--show-secrets",
    is_flag=True,
    help="Do not mask credentials; for a terminal or -o only, never in SARIF or JUnit.",
)
@click.option("--redact-tags", is_flag=True, help="Mask entity tags too.")
@click.option(
    "--color",
    "colour",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Colour of the text report.",
)
@live_options
def command(
    *,
    sources: tuple[str, ...],
    report_format: str | None,
    output: str | None,
    capture_format: str | None,
    log_format: str | None,
    entries: tuple[int, ...],
    url: str,
    since: str | None,
    vantages: tuple[str, ...],
    fail_on: str | None,
    config: str | None,
    baseline: str | None,
    write_baseline: str | None,
    strict: bool,
    show_secrets: bool,
    redact_tags: bool,
    colour: str,
    **live: Any,
) -> int:
    """Find out why requests in recorded traffic were refused, or what got lost.

    SOURCE is a HAR, the output of `curl -v` or `curl --trace-ascii`, a pasted
    request with its response, a debug log of an SDK, an access log, or the line of
    an error; `-` is standard input. Several sources are one case: what the client
    saw, what the proxy sent on, what another client did.

    --entry, --url and --since choose which incidents are reported; all of the
    traffic stays evidence. Credentials are masked in every format.

    A URL or a curl command is asked about live, with reads only; so is a recording
    with --live. The failing request itself is sent only with --send.
    """
    words = command_behind()
    if len(sources) == 1 and is_url(sources[0]):
        words, sources = sources, ()
    if not words and not sources:
        raise click.UsageError("Missing argument SOURCE: a recording, a URL, or -- curl ...")
    check_sources(sources)
    refuse_overwriting(output, sources)
    chosen = choose_format(report_format, output)
    _check_secrets_may_show(chosen, output, wanted=show_secrets)
    configuration = read_project(config, baseline)
    options = _Options(
        sources=sources,
        report_format=chosen,
        output=output,
        capture_format=capture_format,
        log_format=log_format,
        selection=Selection(frozenset(entries), url, _since(since)),
        vantages=vantages,
        fail_on=fail_on or configuration.fail_on or "low",
        configuration=configuration,
        write_baseline=write_baseline,
        strict=strict,
        show_secrets=show_secrets,
        redact_tags=redact_tags,
        colour=colour,
        live=LiveOptions(**live),
        command=words,
    )
    return _run(options)


def _check_secrets_may_show(report_format: str, output: str | None, *, wanted: bool) -> None:
    if not wanted:
        return
    if report_format in {"sarif", "junit"}:
        raise click.UsageError(f"--show-secrets does not go with {report_format}: such reports are uploaded.")
    if output in {None, "-"} and not is_terminal(sys.stdout):
        raise click.UsageError(
            "--show-secrets writes to a terminal or to a file named with -o only, "
            "so that no log takes them in."
        )


def _since(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return parse_time(text, datetime.now(UTC))
    except (ValueError, OverflowError):
        raise click.UsageError(
            f"--since {text}: is no time. Examples: 2026-03-10T09:14:00Z, 2026-03-10, 30m, 2h, 1d."
        ) from None


def _run(options: _Options) -> int:
    progress = Progress()
    collecting = gc.isenabled()
    # One case, then the end of the process: a big capture is hundreds of thousands of records, none of them
    # in a cycle, and going through them time and again costs a fifth of the whole.
    gc.disable()
    try:
        declarations = parse_declarations(options.vantages, options.sources)
        read = _read(options, declarations, progress)
        _check_entries(options.selection, read.captures)
        diagnosis, report = _report(options, read, progress)
    finally:
        progress.done()
        if collecting:
            # The first search for cycles would go through all of it after all, right before the end.
            gc.freeze()
            gc.enable()
    for capture in read.captures:
        for warning in capture.warnings:
            say(f"ifmatch: warning: {capture.name}: {warning.text}")
    for text in unmatched(options.selection, read.captures):
        say(f"ifmatch: warning: {text}")
    write_report(report, options.output, private=options.show_secrets)
    if options.strict and read.is_partial:
        say("ifmatch: a part of the input could not be read, and --strict was given.")
        return ExitStatus.UNREADABLE
    if options.write_baseline is not None:
        write_report(baseline_of(diagnosis), options.write_baseline, private=False)
        return ExitStatus.DONE
    failing = any(fails(incident, options.fail_on) for incident in diagnosis.incidents)
    return ExitStatus.INCIDENT if failing else ExitStatus.DONE


def _read(options: _Options, declarations: dict[str, Declaration], progress: Progress) -> ReadSources:
    if options.command:
        return ReadSources((), ())
    return read_sources(
        options.sources,
        capture_format=options.capture_format,
        log_format=options.log_format,
        declarations=declarations,
        progress=progress,
    )


def _check_entries(selection: Selection, captures: Sequence[Capture]) -> None:
    sizes = {capture.name: len(capture.exchanges) + capture.unread for capture in captures}
    beyond = [entry for entry in selection.entries if entry >= max(sizes.values(), default=0)]
    if beyond:
        held = ", ".join(f"{name} holds {size}" for name, size in sizes.items())
        raise click.UsageError(f"--entry {min(beyond)}: there is no such entry; {held}, counted from 0.")


def _diagnose(captures: Sequence[Capture], attested: Sequence[Attested] = ()) -> Diagnosis:
    from ifmatch.diagnosis import diagnose

    files: tuple[str, ...] = click.get_current_context().meta.get(_DIALECTS, ())
    if not files:
        return diagnose(captures, attested=attested)
    from ifmatch.dialects import read_file, with_own

    own = with_own([read_file(Path(name)) for name in files])
    return diagnose(captures, dialects=own, attested=attested)


def _report(options: _Options, read: ReadSources, progress: Progress) -> tuple[Diagnosis, str]:
    from ifmatch.cli.error_reports import with_next_log
    from ifmatch.doctor.advice import with_snippets
    from ifmatch.report import render

    live: LiveFindings | None = None
    attested: tuple[Attested, ...] = ()
    captures = read.captures
    if options.command or options.live.live:
        from ifmatch.cli.live import ask

        answered = ask(options.command, options.live, captures, options.selection)
        captures, live, attested = answered.captures, answered.findings, answered.attested
    count = sum(len(capture.exchanges) for capture in captures)
    progress.step(f"looking for the cause in {count} exchanges")
    exchanges = {e.provenance: e for capture in captures for e in capture.exchanges}
    diagnosis = options.selection.of(with_next_log(_diagnose(captures, attested), captures), exchanges)
    if read.configurations:
        from ifmatch.doctor.directives import explain_by

        diagnosis = explain_by(diagnosis, read.configurations)
    diagnosis = with_snippets(diagnosis, captures)
    diagnosis = replace(diagnosis, sources=(*diagnosis.sources, *read.unreadable()), live=live)
    # Suppressions and baselines speak of what may be committed: of the redacted diagnosis.
    redacted = _redacted(diagnosis, captures, options)
    redacted, over = options.configuration.apply(redacted, datetime.now(UTC).date())
    for warning in over:
        say(f"ifmatch: warning: {warning}")
    shown = _marked_as(diagnosis, redacted) if options.show_secrets else redacted
    on_terminal = options.output in {None, "-"} and is_terminal(sys.stdout)
    report = render(
        shown,
        options.report_format,
        colour=options.report_format == "text" and wants_colour(options.colour, terminal=on_terminal),
        width=text_width(terminal=on_terminal),
    )
    return redacted, report


def _marked_as(diagnosis: Diagnosis, marked: Diagnosis) -> Diagnosis:
    pairs = zip(diagnosis.incidents, marked.incidents, strict=True)
    return replace(
        diagnosis, incidents=tuple(replace(ours, suppressed=theirs.suppressed) for ours, theirs in pairs)
    )


def _redacted(diagnosis: Diagnosis, captures: Sequence[Capture], options: _Options) -> Diagnosis:
    from ifmatch.capture.redact import Redactor

    redactor = Redactor(redact_tags=options.redact_tags)
    for capture in captures:
        redactor.learn(capture.exchanges)
    return redactor.diagnosis(diagnosis)


def fails(incident: Incident, threshold: str) -> bool:
    """Tell whether an incident makes `--fail-on` exit 1.

    Args:
        incident: recovered and suppressed ones and expected control flow never do.
        threshold: `none`: never; `low`, `medium`, `high`: from this level of the first finding on;
            `undecided`: when the cause is open. An incident without a finding has the level low.
    """
    if threshold == "none" or incident.outcome is Outcome.RECOVERED or incident.suppressed is not None:
        return False
    first = incident.findings[0] if incident.findings else None
    if first is not None and first.cause == "expected-control-flow":
        return False
    if threshold == "undecided":
        return incident.verdict is Verdict.UNDECIDED
    level = first.level if first is not None else Level.LOW
    return _RANK[level] >= _RANK[Level(threshold)]
