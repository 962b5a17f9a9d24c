"""Say in one sentence what happened, and fill the catalogue's fixes with this incident's names."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.findings.dialect_commands import in_shell, spoken, urls
from ifmatch.diagnosis.steps.resources import path_of
from ifmatch.model import catalogue
from ifmatch.model.finding import Fix

if TYPE_CHECKING:
    from ifmatch.diagnosis.facts.incident import Facts

_READS: Final = frozenset({"GET", "HEAD"})

_SENTENCES: dict[str, str] = {
    "other-writer": (
        "Somebody else changed {path} after {actor} had read it; the precondition stopped the overwrite."
    ),
    "self-race": "{actor} sent two writes to {path} at once on one token; one won, the other was refused.",
    "stale-stored-token": (
        "{actor} sent an old token for {path} although its own earlier answers had shown a newer one."
    ),
    "retry-reuses-failed-token": (
        "{actor} sent the refused token again and again without reading {path} in between."
    ),
    "lost-response-replay": (
        "{actor}'s first attempt on {path} was stored but its answer was lost; the repeat met its own write."
    ),
    "intermediary-replay": (
        "A proxy sent {actor}'s {method} twice; the first was stored, the answer is that of the second."
    ),
    "post-commit-412": "The server stored {actor}'s {method} on {path} and answered {status} all the same.",
    "target-missing": "There is nothing at {path} that the precondition of {actor}'s {method} could match.",
    "exists-already": "{path} exists already, and {actor} asked for creation only.",
    "create-guard-on-update": "{actor} knew that {path} exists, and still sent a create-only guard.",
    "null-token": "{actor} sent a placeholder where the token of {path} belongs.",
    "malformed-validator": "The token that {actor} sent for {path} was damaged on the client's side.",
    "wrong-token-source": "The token that {actor} sent for {path} belongs to something else.",
    "token-missing": "{path} may only be changed with a precondition, and {actor} sent none.",
    "etag-suffix-rewrite": (
        "An encoder appended a suffix to the tag of {path}, and the server does not know it with the suffix."
    ),
    "etag-weakened": (
        "Something on the way turned the tag of {path} weak; If-Match can never match a weak tag."
    ),
    "weak-only-origin": "{path} has only weak tags; If-Match compares strongly and can never match them.",
    "weak-until-settled": (
        "The tag of {path} was still weak because the file had just been "
        "written; it turns strong within a second or two."
    ),
    "stale-cache-read": "The token for {path} came out of a cache and was out of date.",
    "replica-lag": "The token for {path} came from a replica that was behind the last write.",
    "inconsistent-backends": "The nodes behind {path} give different tags for the same content.",
    "unstable-etag": "The tag of {path} changes although nobody writes.",
    "representation-mismatch": (
        "The token belongs to another representation of {path} than the one the write is compared with."
    ),
    "etag-source-mismatch": "Two code paths compute the tag of {path} differently.",
    "server-precondition-bug": (
        "The server refused {actor}'s {method} on {path} although its precondition holds."
    ),
    "cors-hidden-etag": (
        "The page could not read the ETag of {path}: the answer does not expose it across origins."
    ),
    "bad-date": "The date that {actor} sent for {path} is no HTTP-date, so servers ignore it.",
    "timezone-error": "The date that {actor} sent for {path} is local time written as GMT.",
    "clock-skew": (
        "The date that {actor} sent for {path} comes from a clock, not from the served "
        "Last-Modified, and the clocks disagree."
    ),
    "date-precision": "A date with whole seconds cannot tell the versions of {path} apart.",
    "lease-or-lock": "A lease or lock on {path} stands in the way of {actor}'s {method}.",
    "precondition-stripped": "Something on the way removed {guard} before the origin saw it.",
    "validator-stripped": "Something on the way removes the validators of {path} from its answers.",
    "cache-misevaluates": "A cache on the way answered {actor}'s conditional {method} itself, and wrongly.",
    "read-changed-mid-transfer": "{path} was replaced while {actor} was reading it in parts.",
    "redirect-rewrites-request": "A redirect swallowed {actor}'s {method}: the write never reached {path}.",
    "precondition-ignored": (
        "The server accepted {actor}'s {method} on {path} although its precondition was false."
    ),
    "check-then-write-race": (
        "The server checks the precondition and writes in two steps: two writes on one token both passed."
    ),
    "unconditional-write": "{actor} overwrote another's change to {path}: the write carried no precondition.",
    "blind-refresh": (
        "{actor} fetched a fresh token for {path} but sent content based on the "
        "older version: a change was taken back."
    ),
    "implicit-precondition": "A cache inside the client added {guard} to {actor}'s {method}.",
    "nonprecondition-412": "This 412 has nothing to do with preconditions.",
    "server-side-mutation": "The service itself changed {path} after {actor} had its token.",
    "coarse-token-scope": "The token guards more than {path}: something beside it was written.",
    "multi-match": "The criteria of {actor}'s {method} match more than one resource.",
    "token-expired": "The token that {actor} sent for {path} has expired.",
    "unsupported-precondition": "The server cannot do this kind of precondition on {path}.",
    "payload-precondition-mismatch": (
        "A condition inside the content of {actor}'s {method} does not fit the live record."
    ),
    "expected-control-flow": "{actor} lost a contest for {path}, which is a normal branch of its program.",
    "status-dialect-mismatch": "This API says with {status} that a precondition failed.",
}


# Of damage instead of a refusal.
_ACCEPTED: dict[str, str] = {
    "server-precondition-bug": (
        "The server answered {actor}'s {method} on {path} with {status}, which is not what its precondition "
        "demands."
    ),
}


def summary(cause: str, facts: Facts) -> str:
    """Return one sentence about this incident.

    Args:
        cause: id of the catalogue.
        facts: of the incident.
    """
    template = _SENTENCES.get(cause)
    if cause == "self-race" and facts.guard is None:
        template = "{actor} sent two writes to {path} at once; one was carried out, the other was refused."
    if facts.damage is not None:
        template = _ACCEPTED.get(cause, template)
    elif cause == "other-writer" and facts.step.is_read:
        template = "Somebody else changed {path} after {actor} had looked at it; the precondition noticed it."
    if template is None or facts.told:
        # A text tells of no thing and nobody by name.
        return catalogue.cause(cause).definition
    step = facts.step
    guard = facts.guard.called if facts.guard is not None else "the precondition"
    sentence = template.format(
        path=path_of(step.resource),
        actor=step.actor or "the client",
        method=step.method,
        status=step.status,
        guard=guard,
    )
    if facts.damage is not None and not facts.damage.proven:
        sentence += " That a change was lost is not proven by this evidence."
    return sentence


def fixes(cause: str, facts: Facts) -> tuple[Fix, ...]:
    """Return the catalogue's fixes with the incident's URL, method and token filled in.

    Args:
        cause: id of the catalogue.
        facts: of the incident.
    """
    record = catalogue.cause(cause)
    step = facts.step
    token = facts.current_tag or facts.token or '"…"'
    read, write = urls(facts)
    values = {
        "{url}": write,
        "{read}": read,
        "{sign}": "&" if "?" in write else "?",
        "{method}": step.method,
        "{token}": token,
    }

    in_quotes = {
        name: in_shell(value) if name in {"{url}", "{read}"} else shlex.quote(value)
        for name, value in values.items()
    }

    def filled(text: str) -> str:
        for name, value in values.items():
            if name not in text:
                continue
            quoted = in_quotes[name]
            text = text.replace(f"'{name}'", quoted).replace(f'"{name}"', quoted)
            text = text.replace(name, value)
        # Where only fields were pasted, nobody knows the method.
        return text if step.method else text.replace("-X ''", '-X "$METHOD"')

    def worded(text: str) -> str:
        # A read sends no edit.
        sends = step.method in _READS and ("--data" in text or "base.json" in text)
        return "" if sends else filled(spoken(text, facts))

    if not record.fixes:
        return (Fix(record.fix, record.difficulty, record.who_acts, record.repair.repair),)
    of_reads = step.is_read and any(one.of_reads for one in record.fixes)
    return tuple(
        Fix(
            one.title,
            one.difficulty,
            one.who,
            one.repair,
            worded(one.command),
            worded(one.verify),
        )
        for one in record.fixes
        if one.of_reads == of_reads
    )
