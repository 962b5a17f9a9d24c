"""Put together two logs of one server: what came in (mod_log_forensic), and what became of it (access log).

Both name a request by the id that the server gave it (`%{forensic-id}n`). A log that does not is joined by
the order of like requests, where that leaves no choice. Source: the documentation of mod_log_forensic in
Apache 2.4.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ifmatch.model.exchange import CaptureWarning
from ifmatch.model.message import Fields
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ifmatch.model.exchange import Capture, Exchange

__all__ = ["joined"]

_FORENSIC: Final = "forensic"
_LOGS: Final = frozenset({"access-log", "json-log", "log-table"})
# The access log names the client, which is no field that was sent.
_KEPT: Final = "x-forwarded-for"

_Key = tuple[str, str, str]


def joined(captures: Sequence[Capture]) -> tuple[Capture, ...]:
    """Return the captures of a case, those of one server put together.

    Args:
        captures: as read, in the order given.

    Returns:
        The same, where no forensic log is among them; else an access log has the fields of its requests, and
        what no access log knows stays.
    """
    found = list(captures)
    for forensic in [one for one in captures if one.format == _FORENSIC]:
        for place, log in enumerate(found):
            if log.format not in _LOGS or not forensic.exchanges:
                continue
            pairs, how = _by_mark(forensic, log), "by their ids"
            if not pairs:
                pairs, how = (
                    _by_order(forensic, log),
                    "by their order: the access log shows no %{forensic-id}n",
                )
            if pairs:
                found[place] = _completed(log, forensic, pairs, how)
                _leave(found, forensic, set(pairs.values()))
                break
    return tuple(found)


def _by_mark(forensic: Capture, log: Capture) -> dict[int, int]:
    """Return for the number of an exchange in the log that of its request in the forensic log."""
    known = {one.mark: number for number, one in enumerate(forensic.exchanges)}
    return {number: known[one.mark] for number, one in enumerate(log.exchanges) if one.mark in known}


def _by_order(forensic: Capture, log: Capture) -> dict[int, int]:
    """Return the same for logs that share no id, as far as the order of like requests tells."""
    ours, theirs = _alike(forensic.exchanges), _alike(log.exchanges)
    agents = any(agent for _, _, agent in theirs)
    if not agents:
        ours = _alike(forensic.exchanges, agents=False)
    # Logs of different hours hold different requests.
    if not theirs or {key: len(numbers) for key, numbers in ours.items()} != {
        key: len(numbers) for key, numbers in theirs.items()
    }:
        return {}
    pairs: dict[int, int] = {}
    for key, numbers in theirs.items():
        requests = {forensic.exchanges[number].request.fields.pairs for number in ours[key]}
        answers = {log.exchanges[number].status for number in numbers}
        lines = sorted(numbers, key=lambda number: log.exchanges[number].provenance.line or 0)
        # Requests may end in another order than they came in: then nobody knows whose answer it was.
        if len(requests) == 1 or len(answers) == 1 or _in_turn(log, lines):
            pairs.update(zip(lines, ours[key], strict=True))
    return pairs


def _alike(exchanges: Sequence[Exchange], *, agents: bool = True) -> dict[_Key, list[int]]:
    found: defaultdict[_Key, list[int]] = defaultdict(list)
    for number, one in enumerate(exchanges):
        parts = urlsplit(one.request.url)
        target = f"{parts.path}?{parts.query}"
        agent = one.request.fields.text("user-agent") if agents else None
        found[one.request.method, target, agent or ""].append(number)
    return dict(found)


def _in_turn(log: Capture, lines: Sequence[int]) -> bool:
    """Tell whether each request came in after the one before had ended, as far as the log tells."""
    exchanges = [log.exchanges[number] for number in lines]
    return all(
        one.ended is not None
        and two.started is not None
        and two.started - one.ended >= (one.resolution if one.resolution >= 1 else 0)
        for one, two in pairwise(exchanges)
    )


def _completed(log: Capture, forensic: Capture, pairs: Mapping[int, int], how: str) -> Capture:
    exchanges = list(log.exchanges)
    for number, other in pairs.items():
        logged, sent = exchanges[number].request, forensic.exchanges[other].request
        client = [pair for pair in logged.fields.pairs if pair[0].lower() == _KEPT]
        kept = [] if _KEPT in sent.fields else client
        fields = Fields((*sent.fields.pairs, *kept), complete=sent.fields.complete)
        content = sent.content if logged.content is UNKNOWN else logged.content
        request = replace(sent, fields=fields, content=content)
        exchanges[number] = replace(exchanges[number], request=request)
    warnings = [CaptureWarning(f"{len(pairs)} requests have the fields of {forensic.name}, {how}")]
    if len(pairs) < len(exchanges):
        warnings.append(
            CaptureWarning(f"requests of which {forensic.name} says nothing: {len(exchanges) - len(pairs)}")
        )
    return replace(log, exchanges=tuple(exchanges), warnings=(*log.warnings, *warnings))


def _leave(found: list[Capture], forensic: Capture, taken: set[int]) -> None:
    """Leave of a forensic log what no access log knows of."""
    place = next(place for place, one in enumerate(found) if one is forensic)
    rest = [one for number, one in enumerate(forensic.exchanges) if number not in taken]
    if not rest:
        del found[place]
        return
    exchanges = [
        replace(one, provenance=replace(one.provenance, entry=entry)) for entry, one in enumerate(rest)
    ]
    text = f"requests that the access log knows were left to it: {len(taken)}"
    found[place] = replace(
        forensic, exchanges=tuple(exchanges), warnings=(*forensic.warnings, CaptureWarning(text))
    )
