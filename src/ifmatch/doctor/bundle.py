"""Put together what goes to whoever must mend it: a page, the recording, a script, the questions."""

from __future__ import annotations

import io
import shlex
import zipfile
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ifmatch.capture.har_writer import write_har
from ifmatch.model.catalogue import causes
from ifmatch.model.exchange import Provenance
from ifmatch.model.message import Content
from ifmatch.report import render
from ifmatch.report.words import counted, neutralise, outcome, place, timestamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ifmatch.model.diagnosis import Diagnosis, Incident
    from ifmatch.model.exchange import Capture, Exchange

__all__ = ["Bundle", "make_bundle", "renamed", "write_zip"]

_ID_FIELDS: Final = (
    "x-request-id", "request-id", "x-correlation-id", "traceparent", "x-amz-request-id", "x-amz-id-2",
    "x-ms-request-id", "client-request-id", "cf-ray", "x-github-request-id", "x-goog-request-id",
    "x-guploader-uploadid", "x-amz-cf-id", "x-trace-id",
)  # fmt: skip
_VERSION_FIELDS: Final = ("etag", "last-modified")
# A zip entry needs a date; the same input gives the same octets.
_DATE: Final = (1980, 1, 1, 0, 0, 0)
_QUESTIONS: Final = {
    "client": (
        "Which of your tokens may be sent in If-Match for this resource, and where does your API give it?"
    ),
    "intermediary": (
        "Which proxy, CDN or gateway stands before this API, and does it compress, cache or rewrite answers?"
    ),
    "service": (
        "How is the entity tag of this resource made, and by which code is the precondition evaluated?"
    ),
    "provider": "Is this behaviour of the API intended, and where is it documented?",
}


@dataclass(frozen=True, slots=True)
class Bundle:
    """The files of a bundle, by name."""

    files: tuple[tuple[str, bytes], ...]


def make_bundle(diagnosis: Diagnosis, captures: Sequence[Capture], number: int = 0) -> Bundle:
    """Return the files for one incident.

    Args:
        diagnosis: redacted.
        captures: of `renamed`, redacted by the same redactor.
        number: which incident, 0-based.

    Raises:
        IndexError: there is no such incident.
    """
    incident = diagnosis.incidents[number]
    exchanges = {one.provenance: one for capture in captures for one in capture.exchanges}
    files = [
        ("SUMMARY.md", "\n".join(_summary(diagnosis, incident, exchanges)).encode()),
        ("reproduce.sh", "\n".join(_script(incident, exchanges)).encode()),
        ("diagnosis.json", render(diagnosis, "json").encode()),
        ("diagnosis.html", render(diagnosis, "html").encode("utf-8", "backslashreplace")),
    ]
    exchange = exchanges.get(incident.exchange)
    if exchange is not None and isinstance(exchange.request.content, Content):
        files.append(("body", exchange.request.content.octets))
    for capture in captures:
        stream = io.BytesIO()
        write_har(stream, capture.exchanges)
        files.append((capture.name, stream.getvalue()))
    return Bundle(tuple(files))


def renamed(captures: Sequence[Capture]) -> list[Capture]:
    """Return captures under the names that they have in the bundle; the user's paths stay at home.

    Args:
        captures: as read.
    """
    found: list[Capture] = []
    for number, capture in enumerate(captures, start=1):
        name = f"traffic-{number}.har"
        exchanges = tuple(
            replace(one, provenance=Provenance(name, position))
            for position, one in enumerate(capture.exchanges)
        )
        found.append(replace(capture, name=name, exchanges=exchanges))
    return found


def write_zip(bundle: Bundle) -> bytes:
    """Return a bundle as a zip file; the same bundle gives the same octets."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, octets in bundle.files:
            info = zipfile.ZipInfo(f"ifmatch-escalation/{name}", _DATE)
            info.external_attr = (0o755 if name.endswith(".sh") else 0o644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, octets)
    return stream.getvalue()


def _summary(
    diagnosis: Diagnosis, incident: Incident, exchanges: Mapping[Provenance, Exchange]
) -> Iterator[str]:
    first = incident.findings[0] if incident.findings else None
    cause = causes().get(first.cause) if first is not None else None
    exchange = exchanges.get(incident.exchange)
    yield f"# {incident.method} {_code(incident.resource)}: {outcome(incident).lower()}"
    yield ""
    yield "## What happens"
    yield f"- sent: {_code(f'{incident.method} {incident.resource}')}"
    if exchange is not None:
        for name, value in exchange.request.fields:
            if name.lower().startswith("if-"):
                yield f"- with: {_code(f'{name}: {value}')}"
    yield f"- answered: {incident.status or 'nothing'}"
    yield f"- when: {timestamp(incident.at) or 'not known'}{_offset(diagnosis, incident)}"
    same = [one for one in diagnosis.incidents if one is incident or one.same_cause_as == incident.id]
    yield f"- how often: {counted(len(same), 'time')} here, with {counted(len(incident.attempts), 'attempt')}"
    yield ""
    yield "## What was expected"
    rule = cause.rfc if cause is not None and cause.rfc else "RFC 9110 section 13.1"
    yield f"By {rule}: " + (cause.definition if cause is not None else "the cause is not decided yet.")
    yield ""
    yield "## What the evidence says"
    if first is not None:
        yield f"{_title(first.cause)} ({first.cause}), likelihood {first.likelihood:.0%}:"
        for evidence in first.evidence:
            yield f"- {neutralise(evidence.text)} ({place(evidence.at, evidence.field)})"
    else:
        yield "Nothing decides the cause."
    yield ""
    yield from _identifiers(incident, exchanges)
    yield "## Please answer"
    yield from (f"{number}. {text}" for number, text in enumerate(_questions(incident), start=1))
    yield ""
    yield "`diagnosis.html` shows the versions over time, `traffic-*.har` is the redacted recording: equal"
    yield "masks stand for equal values. `reproduce.sh` sends reads only, unless it is called with `--send`."
    yield ""


def _title(cause: str) -> str:
    record = causes().get(cause)
    return record.title if record is not None else cause


def _code(text: str) -> str:
    return "`" + neutralise(text).replace("`", "'") + "`"


def _offset(diagnosis: Diagnosis, incident: Incident) -> str:
    for source in diagnosis.sources:
        if source.name == incident.exchange.source and source.clock_offset_ms:
            return f" (this clock is {source.clock_offset_ms} ms off the reference)"
    if diagnosis.live is not None and diagnosis.live.clock_offset is not None:
        return f" (the server's clock is {diagnosis.live.clock_offset:+.1f} s off)"
    return ""


def _identifiers(incident: Incident, exchanges: Mapping[Provenance, Exchange]) -> Iterator[str]:
    rows: list[str] = []
    versions: list[str] = []
    for place_of in (incident.exchange, *(attempt.at_entry for attempt in incident.attempts)):
        exchange = exchanges.get(place_of)
        if exchange is None or exchange.response is None:
            continue
        fields = exchange.response.fields
        ids = [f"{name}: {value}" for name in _ID_FIELDS if (value := fields.text(name)) is not None]
        when = timestamp(exchange.started) or "time not known"
        row = f"- {when} {exchange.request.method} -> {exchange.status}"
        rows.append(f"{row} {', '.join(map(_code, ids)) or '(no request id in the answer)'}")
        versions.extend(value for name in _VERSION_FIELDS if (value := fields.text(name)) is not None)
    yield "## Requests, to find them in your logs"
    yield from dict.fromkeys(rows)
    yield ""
    yield f"Versions seen: {', '.join(map(_code, dict.fromkeys(versions))) or 'none'}"
    yield ""


def _questions(incident: Incident) -> Iterator[str]:
    first = incident.findings[0] if incident.findings else None
    who = (
        causes()[first.cause].who_acts.value if first is not None and first.cause in causes() else "provider"
    )
    yield _QUESTIONS[who if who in _QUESTIONS else "provider"]
    if first is not None:
        for fix in first.fixes:
            if fix.who.value in {"service", "provider", "intermediary"}:
                yield f"Can you do this: {neutralise(fix.title)}?"
                break
    yield "What do your logs show for the requests above: which condition arrived, which version was current?"
    if incident.next_probe is not None:
        yield f"What does this show on your side: {neutralise(incident.next_probe.text)}"


def _script(incident: Incident, exchanges: Mapping[Provenance, Exchange]) -> Iterator[str]:
    url = shlex.quote(incident.resource)
    yield "#!/bin/sh"
    yield "# Reads only; --send sends the failing request as well. Set TOKEN to your credentials first."
    yield "set -eu"
    yield 'auth="Authorization: ${TOKEN:-}"'
    for text in ("Accept-Encoding: gzip", "Accept-Encoding: identity", "Cache-Control: no-cache"):
        yield f"echo '== GET with {text}'"
        yield f"curl -sS -D - -o /dev/null -H \"$auth\" -H '{text}' {url}"
    yield "echo '== HEAD'"
    yield f'curl -sS -I -H "$auth" {url}'
    exchange = exchanges.get(incident.exchange)
    if exchange is None:
        return
    yield '[ "${1:-}" = "--send" ] || exit 0'
    words = ["curl", "-sS", "-D", "-", "-X", exchange.request.method]
    for name, value in exchange.request.fields:
        if name.lower().startswith("if-") or name.lower() in {"content-type", "accept"}:
            words += ["-H", f"{name}: {value}"]
    body = " --data-binary @body" if isinstance(exchange.request.content, Content) else ""
    yield 'cd "$(dirname "$0")"'
    yield f'{shlex.join(words)} -H "$auth"{body} {url}'
    yield ""
