"""Repair a refused write without losing anybody's change: `ifmatch fix`."""

from __future__ import annotations

import json
import os
import random
import secrets
import shlex
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import click

from ifmatch.cli.live_options import (
    LiveOptions,
    VerbBeforeCommand,
    at_one_place,
    command_behind,
    connection_options,
    failing_of_command,
    make_sender,
    read_file,
)
from ifmatch.cli.terminal import is_terminal, printable, say, tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.doctor import Failing, Mending, Plan
    from ifmatch.errors import IfmatchError
    from ifmatch.merge import Policies
    from ifmatch.model.diagnosis import Incident
    from ifmatch.update import State

__all__ = ["command"]

CONFLICT: Final = 1
UNKNOWN_OUTCOME: Final = 5


@dataclass(frozen=True, slots=True)
class _Case:
    """What is to be repaired, and what is known of it."""

    failing: Failing
    base: bytes | None
    incident: Incident | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choices:
    """What the user decided: send it, decide conflicts in an editor, overwrite, agree, and where to write.

    Attributes:
        same_content: whether equal content counts as success whoever wrote it.
        past: whether the write goes past what stands before the service (`--direct`).
    """

    apply: bool
    edit: bool
    overwrite: bool
    yes: bool
    same_content: bool
    past: bool


@click.command(
    "fix",
    cls=VerbBeforeCommand,
    short_help="Repair a refused write: refresh, rebase, retry.",
    epilog="Exit status: 0 applied or already applied (without --apply: could be), 1 a conflict is left, "
    "5 the outcome is unknown.",
)
@click.argument("sources", metavar="SOURCE... | URL | -- curl ...", nargs=-1)
@click.option("--apply", "apply_", is_flag=True, help="Send it; without, only what would be sent is shown.")
@click.option("--entry", metavar="N", type=click.IntRange(min=0), help="The incident that touches entry N.")
@click.option(
    "--base", metavar="FILE", help="The version that the edit was made on, when no recording holds it."
)
@click.option(
    "--resolve",
    type=click.Choice(["mine", "theirs", "edit"]),
    help="How conflicts are decided: all at once, or one by one.",
)
@click.option(
    "--array",
    "arrays",
    metavar="POINTER=KEY",
    multiple=True,
    help="Elements of this array are told apart by KEY.",
)
@click.option(
    "--same-content-is-success", is_flag=True, help="It does not matter who wrote the wanted content."
)
@click.option("--overwrite", is_flag=True, help="Replace what others wrote; asks for a typed confirmation.")
@click.option("--yes", is_flag=True, help="Agree where the cause asks for a person's consent.")
@connection_options
def command(
    *,
    sources: tuple[str, ...],
    apply_: bool,
    entry: int | None,
    base: str | None,
    resolve: str | None,
    arrays: tuple[str, ...],
    same_content_is_success: bool,
    overwrite: bool,
    yes: bool,
    **live: Any,
) -> int:
    r"""Fetch the latest state, apply the edit to it, and send it with the fresh validator.

    \b
    ifmatch fix -- curl -X PUT ... --base before.json     what would be sent
    ifmatch fix --apply -- curl -X PUT ...                send it
    ifmatch fix bug.har --entry 3 -H 'Authorization: ...'

    Never overwrites another writer's change unasked: members that both changed are
    conflicts, and nothing is sent until they are decided.
    """
    from ifmatch.doctor import Mending

    options = LiveOptions(**live)
    words = command_behind()
    if len(sources) == 1 and "://" in sources[0]:
        words, sources = sources, ()
    if not words and not sources:
        raise click.UsageError("Missing argument SOURCE: a recording, a URL, or -- curl ...")
    octets = read_file(base) if base is not None else None
    case = _case_of_command(words, options, octets) if words else _case_of_captures(sources, entry, options)
    with make_sender(options, typed=bool(words), source="fix") as sender:
        given = octets if octets is not None else case.base
        policies = _policies(resolve, arrays)
        mending = Mending(
            case.failing,
            sender,
            time.monotonic,
            time.time,
            random.random,
            time.sleep,
            secrets.token_hex(8),
            given,
            policies,
        )
        choices = _Choices(
            apply=apply_,
            edit=resolve == "edit",
            overwrite=overwrite,
            yes=yes,
            same_content=same_content_is_success,
            past=bool(options.direct),
        )
        return _mend(mending, case, choices)


def _policies(resolve: str | None, arrays: tuple[str, ...]) -> Policies | None:
    from ifmatch.merge import Policies

    keys: dict[str, Any] = {}
    for value in arrays:
        pointer, equals, key = value.rpartition("=")
        if not equals or (pointer and not pointer.startswith("/")):
            raise click.UsageError(f"--array {value}: expected POINTER=KEY, such as /rows=id")
        keys[pointer] = key
    if resolve in {"mine", "theirs"}:
        return Policies(arrays=keys, default=cast("Any", resolve))
    return Policies(arrays=keys) if keys else None


def _case_of_command(words: Sequence[str], options: LiveOptions, base: bytes | None) -> _Case:
    from ifmatch.doctor import LiveDiagnosis
    from ifmatch.doctor.probes import Known

    failing = at_one_place(failing_of_command(words, options, say), options)
    with make_sender(options, typed=True) as sender:
        known = Known(failing, nonce=secrets.token_hex(6))
        run = LiveDiagnosis(failing, sender, known, sleep=time.sleep, base=base)
        for _ in run.run():
            pass
        return _Case(failing, None, run.incident)


def _case_of_captures(sources: Sequence[str], entry: int | None, options: LiveOptions) -> _Case:
    from ifmatch.cli.live import incident_exchange
    from ifmatch.cli.live_options import with_route
    from ifmatch.cli.progress import Progress
    from ifmatch.cli.selection import Selection
    from ifmatch.cli.sources import check_sources, read_sources
    from ifmatch.diagnosis import diagnose
    from ifmatch.doctor import from_exchange

    check_sources(sources)
    read = read_sources(sources, capture_format=None, declarations={}, progress=Progress())
    exchanges = {one.provenance: one for capture in read.captures for one in capture.exchanges}
    selection = Selection(frozenset() if entry is None else frozenset({entry}))
    incidents = selection.of(diagnose(read.captures), exchanges).incidents
    if not incidents:
        raise click.UsageError("There is no incident to repair in these recordings.")
    exchange = incident_exchange(incidents[0], exchanges.values())
    given = [
        (name.strip(), value.strip()) for name, _, value in (one.partition(":") for one in options.headers)
    ]
    recorded = from_exchange(exchange, credentials=given, captured=options.use_captured_auth)
    failing = at_one_place(with_route(recorded, options), options)
    return _Case(failing, _base_of(failing, list(exchanges.values())), incidents[0])


def _base_of(failing: Failing, exchanges: Sequence[Any]) -> bytes | None:
    """Return the content that came with the token of the refused write, None when no recording holds it."""
    from ifmatch.doctor.base import base_of

    return base_of(failing, exchanges)


def _mend(mending: Mending, case: _Case, choices: _Choices) -> int:
    from ifmatch.errors import BudgetSpentError
    from ifmatch.update import UpdateError

    incident = case.incident
    if incident is not None and incident.repair.value == "already-applied":
        tell("The change is already stored, by this client's own write: there is nothing to send.")
        return 0
    try:
        theirs = mending.read()
        plan = mending.plan(theirs)
        if plan.conflicts and choices.edit:
            plan = _edited(mending, plan)
        _show(mending, plan, theirs, incident)
        if plan.holds and not choices.same_content:
            tell(_HOLDS)
        if plan.holds:
            return 0
        if not plan.is_clean and not choices.overwrite:
            return CONFLICT
        if not choices.apply:
            tell("Nothing was sent. To send it: add --apply")
            return 0
        if not _agreed(mending, case, plan, theirs, choices):
            return CONFLICT
        return _apply(mending, theirs, choices)
    except (UpdateError, BudgetSpentError) as error:
        # Of a write that was sent, the update itself says what is known: a spent budget alone is before it.
        return _failed(error, choices)


_HOLDS: Final = (
    "The current state already says what this write wants. Equal content does not prove who wrote it: if "
    "that matters (a lock, a counter, a payment), find out before you go on. If it does not: "
    "--same-content-is-success"
)


_GO_PAST: Final = (
    "To write past what stands before the service, or at the node that knows the token: "
    "--direct NAME=HOST:PORT"
)


def _failed(error: IfmatchError, choices: _Choices) -> int:
    from ifmatch.update import NoValidatorError, OutcomeUnknownError, RefusedTokenServedAgainError

    say(f"ifmatch: {error}")
    if isinstance(error, NoValidatorError | RefusedTokenServedAgainError) and not choices.past:
        say(_GO_PAST)
    return UNKNOWN_OUTCOME if isinstance(error, OutcomeUnknownError) else CONFLICT


def _apply(mending: Mending, theirs: State | None, choices: _Choices) -> int:
    from ifmatch.doctor import Journal
    from ifmatch.doctor.journal import default_path

    journal = Journal(default_path())
    done = mending.apply(theirs, journal, overwrite=choices.overwrite, same_content=choices.same_content)
    after = f", version {done.updated.after[0]}" if done.updated.after else ""
    tell(f"{done.how}{after} ({done.updated.requests} requests, {done.updated.conflicts} conflicts met)")
    if not done.proven:
        say("ifmatch: warning: a read afterwards shows another version already: somebody wrote since.")
    tell(f"To put the version before back: ifmatch undo {done.entry}")
    return 0


def _agreed(mending: Mending, case: _Case, plan: Plan, theirs: State | None, choices: _Choices) -> bool:
    if choices.overwrite and not plan.is_clean:
        word = case.failing.request.url.rstrip("/").rsplit("/", 1)[-1] or "overwrite"
        say(
            f"This replaces version {theirs.token[0] if theirs is not None else '(none)'}; what others wrote "
            "is lost."
        )
        return click.prompt(f"Type {word} to overwrite", default="", show_default=False, err=True) == word
    incident = case.incident
    repair = incident.repair.value if incident is not None else "ask"
    first = incident.findings[0].cause if incident is not None and incident.findings else "undecided"
    if repair == "allowed":
        return True
    if incident is not None and repair == "forbidden" and not _is_gone_past(mending, incident, choices):
        return False
    if choices.yes:
        return True
    if is_terminal(sys.stdin):
        return click.confirm(f"The cause ({first}) asks for your consent. Send it?", err=True)
    say(f"ifmatch: the cause ({first}) asks for a person's consent: look at the plan, then add --yes")
    return False


def _is_gone_past(mending: Mending, incident: Incident, choices: _Choices) -> bool:
    """Tell whether what forbids the repair does not stand where `--direct` writes; say so if it does."""
    from ifmatch.model import catalogue
    from ifmatch.model.finding import Repair, Role

    records = [catalogue.cause(one.cause) for one in incident.findings]
    strict = [one for one in records if Repair.FORBIDDEN in {one.repair.repair, one.repair.otherwise}]
    first = strict[0].id if strict else records[0].id
    if any(one.who_acts is not Role.INTERMEDIARY for one in strict) or not strict:
        say(f"ifmatch: the cause ({first}) forbids an unattended repair; what to do: ifmatch explain {first}")
    elif not choices.past:
        say(f"ifmatch: the cause ({first}) forbids a repair on this way: it could be blind.\n{_GO_PAST}")
    elif not mending.evaluates():
        say(
            f"ifmatch: the cause ({first}) forbids the repair: there, too, an If-Match that never holds is "
            "answered as if it were not there. Nothing was written"
        )
    else:
        return True
    return False


def _show(mending: Mending, plan: Plan, theirs: State | None, incident: Incident | None) -> None:
    first = incident.findings[0] if incident is not None and incident.findings else None
    if first is not None:
        tell(f"cause: {first.cause}, {first.likelihood:.0%} ({first.level.value})")
    tell(f"current version: {theirs.token[0] if theirs is not None else 'there is no such resource'}")
    for title, lines in (
        ("others changed since the base, and it stays", plan.kept),
        ("this write changes", plan.changes),
    ):
        if lines:
            tell(f"{title}:")
            for line in lines[:40]:
                tell(f"  {line}")
    if plan.conflicts:
        _show_conflicts(plan)
    elif plan.result is not None or plan.changes:
        tell("as a command:")
        tell(f"  {_as_curl(mending, plan, theirs)}")
        tell(
            "risk: somebody may write between this read and the write; the condition then refuses it, and "
            "the edit is applied anew to what is there."
        )


def _show_conflicts(plan: Plan) -> None:
    if len(plan.conflicts) == 1 and plan.conflicts[0].pointer == "" and plan.base is None:
        tell(
            "conflict: the version that the edit was made on is not known, so it cannot be told what it "
            "removed or kept. Give it with --base FILE, or a recording that holds the read"
        )
        return
    tell(f"{len(plan.conflicts)} conflict{'s' * (len(plan.conflicts) != 1)}; nothing is sent:")
    for conflict in plan.conflicts:
        tell(f"  {conflict}")
    tell("Decide with --resolve mine, --resolve theirs or --resolve edit")


def _as_curl(mending: Mending, plan: Plan, theirs: State | None) -> str:
    from ifmatch.capture.redact import Redactor

    request = mending.failing.request
    condition = f"If-Match: {theirs.token[0]}" if theirs is not None else "If-None-Match: *"
    words = ["curl", "-sS", "-X", request.method, "-H", condition]
    kind = request.fields.text("content-type")
    words += ["-H", f"Content-Type: {kind}"] if kind else []
    if request.fields.text("authorization") is not None:
        words += ["-H", "Authorization: $TOKEN"]
    if plan.result is not None:
        words += ["--data-binary", plan.result.decode("utf-8", "replace")]
    shown = Redactor().text(" ".join(map(_quoted, [*words, request.url])))
    return shown.replace("'Authorization: $TOKEN'", '"Authorization: $TOKEN"')


def _quoted(word: str) -> str:
    """Quote a word for a shell; control characters stand as escapes of POSIX's `$'...'`, never as such."""
    if printable(word) == word:
        return shlex.quote(word)
    escapes = {"\\": "\\\\", "'": "\\'", "\n": "\\n"}
    return "$'" + "".join(escapes.get(one) or _octal(one) for one in word) + "'"


def _octal(character: str) -> str:
    if printable(character) == character:
        return character
    return "".join(f"\\{octet:03o}" for octet in character.encode("utf-8", "surrogatepass"))


def _edited(mending: Mending, plan: Plan) -> Plan:
    """Let the user decide each conflict in an editor; return the plan with the decisions.

    Raises:
        click.ClickException: no editor, or what it left cannot be read.
    """
    from ifmatch.doctor.deciding import decided, question

    text = question(plan)
    suffix = ".txt" if plan.marked else ".json"
    handle, name = tempfile.mkstemp(prefix="ifmatch-conflicts-", suffix=suffix)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
        try:
            subprocess.run([*shlex.split(editor), name], check=True)  # noqa: S603 - the user's own editor
        except (OSError, subprocess.CalledProcessError) as error:
            raise click.ClickException(f"the editor {editor!r} failed: {error}. Set EDITOR.") from error
        answer = Path(name).read_text(encoding="utf-8")
    finally:
        Path(name).unlink(missing_ok=True)
    try:
        failing, policies = decided(mending.failing, plan, answer)
    except (ValueError, json.JSONDecodeError) as error:
        raise click.ClickException(f"the decisions cannot be read: {error}. Nothing was sent.") from error
    mending.failing, mending.policies = failing, policies
    if plan.marked:
        mending.base = plan.theirs.octets if plan.theirs is not None else b""
    return mending.plan(plan.theirs)
