"""Say why an update cannot go on, from what the answers show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ifmatch.dialects.record import Meaning
from ifmatch.update.errors import (
    NotAppliedError,
    NoValidatorError,
    PreconditionRequiredError,
    RefusedTokenServedAgainError,
)

if TYPE_CHECKING:
    from ifmatch.update.records import Answer, Token

__all__ = ["refused_otherwise", "served_again", "settles_soon", "unreadable", "without_validator"]


def served_again(refusal: Answer, read: Answer | None, token: Token) -> RefusedTokenServedAgainError:
    """Return the error for a refresh that gave the refused token, with the likeliest reason.

    Args:
        refusal: the answer to the write.
        read: the answer to the refresh; None when there was none.
        token: the one that was refused; empty when the write was to create.
    """
    cache = _cache_of(read) if read is not None else ""
    shown = " ".join(token) or "nothing there"
    if cache:
        cause = "stale-cache-read"
        why = (
            f"The refresh came from a cache ({cache}), not from the service: bypass or purge it for this URL"
        )
    elif not token:
        cause = "server-precondition-bug"
        why = (
            "The service says that it exists, and a read finds nothing: it may count a deleted one as present"
        )
    else:
        cause = "etag-source-mismatch"
        why = (
            "The service compares with another tag than it gives out: look for a layer that changes tags,"
            " a replica that lags, or a refusal that is not about the version (`ifmatch diagnose` tells)"
        )
    error = RefusedTokenServedAgainError(
        f"the write was refused (status {refusal.status}), and the refresh gave the same version ({shown})."
        f" Nothing was written. {why}"
    )
    error.cache, error.cause, error.token, error.answer = cache, cause, token, refusal
    return error


def refused_otherwise(answer: Answer, meaning: Meaning | None) -> NotAppliedError:
    """Return the error for a write that was refused for another reason than its version.

    Args:
        answer: to the write.
        meaning: what the dialect reads in it, None when that is nothing.
    """
    status = answer.status
    if meaning is Meaning.MISSING:
        return PreconditionRequiredError(
            f"the service wants a condition and did not see the one that was sent (status {status}):"
            " something on"
            " the way removes it, or the service wants another one than this dialect sends"
        )
    if 300 <= status < 400:
        place = _location(answer) or "which the answer does not name"
        return NotAppliedError(
            f"status {status}: the write was redirected, and nothing was written. Send it to the final URL"
            f" ({place})"
        )
    if status in (404, 410):
        return NotAppliedError(
            f"status {status}: nothing can be made there, and nothing was written. What it belongs into may"
            " be missing (a bucket, a collection, a folder), or the service makes nothing at this URL"
        )
    why = _REASONS.get(meaning, "") if meaning is not None else ""
    text = f"the service refused the write with status {status}{why}; nothing was written"
    if status == 409 and not why:
        text += (
            ". Its own words are in .answer; if this is how it refuses an old version, name its dialect"
            " (dialect=...)"
        )
    return NotAppliedError(text)


_REASONS: Final = {
    Meaning.LOCK: ": a lock or lease of somebody stands in the way; it is never broken for you",
    Meaning.EXPIRED: ": the lock, lease or token is past its lifetime; get a new one",
    Meaning.MULTIPLE: ": the criteria match several resources",
    Meaning.PAYLOAD: ": a condition in the content does not fit",
    Meaning.MALFORMED: ": it cannot read the condition",
    Meaning.UNSUPPORTED: ": it cannot do this condition",
}


def _location(answer: Answer) -> str:
    """Return where an answer redirects to, without what may be a credential in it."""
    path, mark, _ = (answer.fields.text("Location") or "").partition("?")
    scheme, slashes, rest = path.partition("://")
    host, slash, tail = rest.partition("/")
    shown = f"{scheme}{slashes}{host.rpartition('@')[2]}{slash}{tail}" if slashes else path
    return f"{shown}?..." if mark else shown


def unreadable(answer: Answer) -> NotAppliedError:
    """Return the error for a state that the service does not give out.

    Args:
        answer: to the read.
    """
    status, place = answer.status, _location(answer)
    if 300 <= status < 400 and place:
        return NotAppliedError(
            f"a read is redirected (status {status}) to {place}, another origin or too many steps away, and"
            " an update does not follow there; nothing was written. Use that URL if it is the right one"
        )
    return NotAppliedError(f"the state cannot be read: status {status}; nothing was written")


def _cache_of(answer: Answer) -> str:
    """Name the cache that gave an answer; "" when nothing points to one."""
    if answer.from_cache:
        return answer.from_cache
    for name in ("X-Cache", "X-Cache-Status", "CF-Cache-Status", "Cache-Status"):
        value = answer.fields.text(name)
        if value and "hit" in value.lower():
            return f"{name}: {value}"
    age = (answer.fields.text("Age") or "").strip()
    if age.isdigit() and int(age) > 0:
        via = answer.fields.text("Via")
        return f"Age: {age}" + (f", Via: {via}" if via else "")
    return ""


def without_validator(answer: Answer, why: str) -> NoValidatorError:
    """Return the error for a state that no condition can be made of.

    Args:
        answer: of the read.
        why: what is missing.
    """
    tag = answer.fields.text("ETag") or ""
    if tag.startswith("W/"):
        advice = (
            "A proxy that compresses may have weakened it (let it pass strong tags), or the service gives out"
            " weak tags only (RFC 9110 section 8.8.1): then it has to give strong ones, or you name a dialect"
            " that accepts weak ones (dialect=...)"
        )
    elif answer.fields.text("Last-Modified"):
        advice = (
            "It has a date only, and a date guards nothing within its second: ask the service for an ETag"
        )
    else:
        advice = "Ask the service for an ETag, or name the dialect that it speaks (dialect=...)"
    error = NoValidatorError(f"nothing was written: {why}. {advice}")
    error.answer = answer
    return error


def settles_soon(answer: Answer) -> bool:
    """Tell whether a tag may be weak only because the file was written a moment ago (Apache httpd).

    Args:
        answer: of the read.
    """
    tag = answer.fields.text("ETag") or ""
    modified, date = answer.fields.text("Last-Modified"), answer.fields.text("Date")
    server = (answer.fields.text("Server") or "").lower()
    # Both have one form and whole seconds: when they are close, the texts differ in the seconds only.
    return tag.startswith("W/") and "apache" in server and modified is not None and _close(modified, date)


def _close(modified: str, date: str | None) -> bool:
    if date is None or modified[:-6] != date[:-6]:
        return False
    early, late = modified[-6:-4], date[-6:-4]
    return early.isdigit() and late.isdigit() and 0 <= int(late) - int(early) <= 2
