"""Say the commands of fixes in the language of a dialect: where the token is read, and where it goes."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.dialects import Carrier, Demand
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.dialects import Dialect, GuardSpec, TokenPlace

# The two places of the catalogue's commands that speak of HTTP's own tags.
_SAVED: Final = "--etag-save base.tag -o base.json"
_PRESENT: Final = "test -s base.tag"
_SENT: Final = '-H "If-Match: $(cat base.tag)" '
_PLAIN: Final = late_pattern(r"[A-Za-z_]\w*")


def spoken(command: str, facts: Facts) -> str:
    """Return a command of the catalogue as the service's family needs it; "" where no command can say it.

    Args:
        command: of a fix, its placeholders not filled yet.
        facts: of the incident.
    """
    dialect = facts.step.dialect
    if dialect is None or (_SAVED not in command and _SENT not in command):
        return command
    guard = _guard(facts, dialect)
    if guard is None or _standard(guard):
        return command
    place = _place(dialect, guard)
    read_at, write_at = (urlsplit(url).path for url in urls(facts))
    if place is None or dialect.reads or dialect.identity or dialect.states or read_at != write_at:
        # What is read is not what is sent: no single command edits it.
        return ""
    read, found, after = command.partition(_PRESENT)
    if found:
        read = read.replace(_SAVED, "-D base.head -o base.json").replace("'{url}'", "'{read}'")
        command = f"{read}{_extracted(place)} > base.tag && {found}{after}"
    return _sending(command, guard, place)


def urls(facts: Facts) -> tuple[str, str]:
    """Return the URL to read the resource at, and the one to write to, without preconditions of the dialect.

    Args:
        facts: of the incident.
    """
    step = facts.step
    url = step.exchange.request.url
    if step.dialect is None:
        return url, url
    taken = {guard.name.lower() for guard in step.dialect.guards if guard.carrier is Carrier.QUERY}
    taken |= {guard.pair.lower() for guard in step.dialect.guards if guard.pair}
    parts = urlsplit(url)
    kept = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0].lower() not in taken]
    write = urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(kept), ""))
    read = step.resource if "://" in step.resource and "#" not in step.resource else write
    return read, write


def in_shell(url: str) -> str:
    """Return a URL as a shell takes it; what an access log leaves out of it is a variable.

    Args:
        url: absolute, a request target where no host is known, or "" when nothing is.
    """
    if not url:
        return '"$URL"'
    return f'"$ORIGIN"{shlex.quote(url)}' if url.startswith("/") else shlex.quote(url)


def _guard(facts: Facts, dialect: Dialect) -> GuardSpec | None:
    """Return the guard that the request carries, or that such a request ought to carry."""
    sent = facts.guard
    specs = [spec for spec in dialect.guards if spec.demands is Demand.SAME]
    if sent is not None and sent.guard is not Guard.LOCK:
        return next((spec for spec in specs if spec.key == sent.key), None)
    method = facts.step.method
    return next((spec for spec in specs if not spec.methods or method in spec.methods), None)


def _standard(guard: GuardSpec) -> bool:
    return guard.carrier is Carrier.HEADER and guard.name.lower() == "if-match"


def _place(dialect: Dialect, guard: GuardSpec) -> TokenPlace | None:
    fitting = [place for place in dialect.tokens if not place.feeds or guard.key in place.feeds]
    within = [place for place in fitting if place.at == "body"]
    # A member of the content is there in every answer that can be edited.
    return next(iter(within), None) or next((place for place in fitting if place.at == "header"), None)


def _extracted(place: TokenPlace) -> str:
    """Return the command that prints the token of what was read."""
    if place.at == "header":
        return f"sed -n 's/^{re.escape(place.name)}: *//Ip' base.head | tr -d '\\r'"
    if place.pair:
        return f"jq -r '\"\\({_filter(place.name)})&\\({_filter(place.pair)})\"' base.json"
    return f"jq -r '{_filter(place.name)}' base.json"


def _filter(pointer: str) -> str:
    """Return the jq filter of a JSON Pointer."""
    steps: list[str] = []
    for step in pointer.split("/")[1:]:
        if step == "*":
            steps.append("[0]")
        elif step.isdigit():
            steps.append(f"[{step}]")
        else:
            steps.append(f".{step}" if _PLAIN.fullmatch(step) else f'["{step}"]')
    text = "".join(steps)
    return text if text.startswith(".") else f".{text}"


def _sending(command: str, guard: GuardSpec, place: TokenPlace) -> str:
    before, found, after = command.partition(_SENT)
    if not found:
        return command
    if guard.carrier is Carrier.HEADER:
        return f'{before}-H "{guard.name}: $(cat base.tag)" {after}'
    if guard.carrier is Carrier.FORM:
        return f'{before}--data-urlencode "{guard.name}=$(cat base.tag)" {after}'
    if guard.carrier is Carrier.QUERY:
        value = "$(cat base.tag)"
        if guard.pair:
            # The pair stands in the file with an ampersand between.
            value = f"$(sed 's/&/\\&{guard.pair}=/' base.tag)"
        return before + after.replace("'{url}'", f"'{{url}}'\"{{sign}}{guard.name}={value}\"", 1)
    if guard.carrier is not Carrier.BODY:
        return ""
    if guard.name == place.name and not guard.next:
        # The content that was read holds the token, and is sent back with it.
        return before + after
    number = "($t | tonumber + 1)" if guard.next else "$t"
    put = f"jq --arg t \"$(cat base.tag)\" '{_filter(guard.name)} = {number}' base.json > send.json"
    before = before.replace("&& curl -sS -X", f"&& {put} && curl -sS -X", 1)
    return before + after.replace("@base.json", "@send.json").replace("@change.json", "@send.json")
