"""Tell actors apart: credentials, cookies, user agent, forwarding address, source."""

from __future__ import annotations

import string
from functools import lru_cache
from typing import TYPE_CHECKING

from ifmatch.model.exchange import Vantage
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.exchange import Capture

# Formats that servers write; they name the address, seldom who sent it.
SERVER_LOGS = frozenset({"access-log", "json-log", "varnishlog", "dumpio", "forensic", "proxy-debug"})
_NAMES = ("authorization", "cookie", "x-api-key", "from")
_Key = tuple[object, ...]
# Besides the user agent these tell who asks, and from where.
_TELLING = frozenset({"authorization", "x-remote-user", "x-forwarded-for", "x-real-ip"})
# Features used by this very request, which the AWS SDKs append to their user agent.
_FEATURES = late_pattern(r" (?:m|ft)/\S+")
# Fields that name what several programs of one actor share: a login, a run of a job, a window.
_SESSION = late_pattern(
    r"(?:x-)?(?:session-(?:token|key)|(?:[a-z0-9]+-)*(?:session|run|tab|window)(?:-?(?:uu)?id)?)"
)
# A shorter value, or one without a digit, is a constant rather than the name of one session.
_SESSION_LENGTH = 4


def _scheme_and_credential(step: Step) -> str:
    # What an authenticating proxy, or an audit log, knows of who asked.
    value = step.sent.text("authorization") or step.sent.text("x-remote-user") or ""
    scheme = value.partition(" ")[0].lower()
    # A signature differs with every request: only who signs counts.
    if scheme in {"aws4-hmac-sha256", "sharedkey", "sharedkeylite", "digest", "hawk", "signature"}:
        return scheme + " " + value.partition(" ")[2].partition("/")[0].partition(":")[0][:60]
    return value


@lru_cache(maxsize=256)
def _program(agent: str) -> str:
    """Return a user agent without what changes from request to request."""
    return _FEATURES.sub("", agent)


@lru_cache(maxsize=1024)
def _names_session(field: str) -> bool:
    return _SESSION.fullmatch(field.lower()) is not None


def _identity(step: Step) -> tuple[str, str, str]:
    sent = step.sent
    agent = _program(sent.text("user-agent") or "")
    if not sent.has_any(_TELLING):
        return agent, "", ""
    address = (sent.text("x-forwarded-for") or sent.text("x-real-ip") or "").partition(",")[0].strip()
    return agent, _scheme_and_credential(step), address


def _session(step: Step) -> Iterator[str]:
    """Yield what names the session or run that a request belongs to."""
    for name, value in step.sent.pairs:
        if not _names_session(name):
            continue
        said = value.strip()
        if len(said) >= _SESSION_LENGTH and any(letter.isdigit() for letter in said):
            yield said


def known_by_address(step: Step, capture: Capture) -> bool:
    """Tell whether nothing but address and program says who sent a request, as in the log of a server.

    Two copies of one program behind one address then look like one actor.
    """
    return capture.format in SERVER_LOGS and not any(step.sent.text(name) for name in _NAMES)


def _merge(
    steps: Sequence[Step], identities: Sequence[tuple[str, str, str]]
) -> dict[tuple[str, str, str], tuple[str, str, str]]:
    """Fold identities of one source that are one actor: credentials renewed once, or missing now and then.

    Two identities with one user agent are two actors when they take turns, one actor when the later
    replaces the earlier for good (a token was refreshed, a login happened). A session of one credential is
    one actor's, whichever of its programs sent a request.
    """
    spans: dict[tuple[str, str, str], list[int]] = {}
    sessions: dict[tuple[str, str, str], set[str]] = {}
    for step, identity in zip(steps, identities, strict=True):
        spans.setdefault(identity, []).append(step.order)
        sessions.setdefault(identity, set()).update(_session(step))
    leaders: dict[tuple[str, str, str], tuple[str, str, str]] = {}
    for identity in sorted(spans, key=lambda one: spans[one][0]):
        leaders[identity] = identity
        agent, credential, address = identity
        for earlier in list(leaders):
            if earlier == identity or (earlier[2] and address and earlier[2] != address):
                continue
            if credential == earlier[1] and sessions[identity] and sessions[earlier] == sessions[identity]:
                leaders[identity] = leaders[earlier]
                break
            if earlier[0] != agent:
                continue
            if not credential or not earlier[1] or spans[earlier][-1] < spans[identity][0]:
                leaders[identity] = leaders[earlier]
                break
    return leaders


def _product(step: Step) -> str:
    agent = step.sent.text("user-agent") or ""
    if agent.startswith("Mozilla/"):
        for name in ("Firefox", "Edg", "OPR", "Chrome", "HeadlessChrome", "Safari"):
            if name + "/" in agent:
                return {"Edg": "Edge", "OPR": "Opera", "HeadlessChrome": "Chrome"}.get(name, name)
    return agent.partition(" ")[0].partition("/")[0][:24]


def _label(number: int) -> str:
    letters = string.ascii_uppercase
    return letters[number] if number < len(letters) else f"A{number}"


def assign(
    steps: Sequence[Step], captures: Sequence[Capture], vantages: Sequence[Vantage]
) -> list[str | None]:
    """Label every step with its actor.

    Args:
        steps: in order of time.
        captures: as numbered in the steps.
        vantages: of the captures.

    Returns:
        For each capture the label of its only actor, None when it has several.
    """
    keys: dict[int, _Key] = {}
    for number, capture in enumerate(captures):
        own = [step for step in steps if step.source == number]
        identities = [_identity(step) for step in own]
        leaders = _merge(own, identities)
        for step, seen in zip(own, identities, strict=True):
            identity = leaders[seen]
            base: _Key = (
                ("declared", capture.declared_actor)
                if capture.declared_actor
                else ("source", number)
                if vantages[number] is Vantage.CLIENT
                else ("upstream",)
            )
            keys[step.order] = (*base, *identity) if not capture.declared_actor else base
    labels: dict[_Key, str] = {}
    for step in steps:
        key = keys[step.order]
        if key not in labels:
            product = _product(step)
            name = (
                str(key[1])
                if key[0] == "declared"
                else f"{_label(len(labels))}" + (f" ({product})" if product else "")
            )
            labels[key] = name
        step.actor = labels[key]
    owners: list[str | None] = []
    for number in range(len(captures)):
        own_labels = {step.actor for step in steps if step.source == number}
        owners.append(own_labels.pop() if len(own_labels) == 1 else None)
    return owners
