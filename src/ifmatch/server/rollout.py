"""Answer from reports of a `Shadow`: who breaks if it is enforced, what is lost now, whom to tell what.

Pure: records in, text out.

Source: RFC 9110 section 13.1.1 (what If-Match prevents) and RFC 6585 section 3 (428).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from ifmatch.errors import InputError
from ifmatch.server.shadow import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["ClientRecord", "Rollout", "as_json", "as_text", "merge", "notice"]

_REFUSALS: Final = ("refused", "malformed")
_MOST_SHOWN: Final = 20
_UNCOMMON: Final = (
    "No client has the same name in two reports: each process made the key of its names itself. To count one",
    "client once, give Settings(client=functools.partial(anonymous_client, key=...)) to all of them.",
)


@dataclass(slots=True)
class ClientRecord:
    """What one client did.

    Attributes:
        name: of the client.
        writes: that were performed.
        guarded: of these, with a precondition.
        overwrote: of these, over a change that the client had not seen.
        missing: requests without a precondition; 428 when it is enforced.
        turned_away: of these, at least so many that were not performed.
        would_fail: requests whose precondition was false or could not be read, by cause; 412 or 400.
        routes: where it wrote without a precondition, "METHOD route".
    """

    name: str
    writes: int = 0
    guarded: int = 0
    overwrote: int = 0
    missing: int = 0
    turned_away: int = 0
    would_fail: dict[str, int] = field(default_factory=dict)
    routes: dict[str, int] = field(default_factory=dict)

    @property
    def is_ready(self) -> bool:
        """Return whether nothing changes for this client when preconditions are enforced."""
        return not self.missing and not self.would_fail


@dataclass(slots=True)
class Rollout:
    """What several reports say together.

    Attributes:
        since: start of the earliest report, ISO 8601.
        until: end of the latest report, ISO 8601.
        reports: how many there were.
        forgotten: memories that were dropped for want of room.
        clients: by name.
        overwrites: examples.
        shared_names: how often a name of a client was in a report and in one before it.
    """

    since: str
    until: str
    reports: int
    forgotten: int
    clients: dict[str, ClientRecord]
    overwrites: list[Mapping[str, Any]]
    shared_names: int = 0

    @property
    def writes(self) -> int:
        """Return the number of writes that were performed."""
        return sum(client.writes for client in self.clients.values())

    @property
    def missing(self) -> int:
        """Return the number of requests that 428 would refuse."""
        return sum(client.missing for client in self.clients.values())

    @property
    def turned_away(self) -> int:
        """Return the least number of requests that were not performed for want of a precondition."""
        return sum(client.turned_away for client in self.clients.values())

    @property
    def overwrote(self) -> int:
        """Return the least number of writes that overwrote a change their client had not seen."""
        return sum(client.overwrote for client in self.clients.values())

    @property
    def breaking(self) -> list[ClientRecord]:
        """Return the clients for which something changes, those with most refusals first."""
        found = [client for client in self.clients.values() if not client.is_ready]
        return sorted(found, key=lambda one: (-one.missing - sum(one.would_fail.values()), one.name))


def merge(reports: Iterable[tuple[str, object]]) -> Rollout:
    """Put reports of several processes and periods together.

    Args:
        reports: name of the file and decoded JSON of each.

    Raises:
        InputError: when something is no report.
    """
    together: Rollout | None = None
    for name, report in reports:
        try:
            together = _add(together, cast("Mapping[str, Any]", report))
        except (KeyError, TypeError, AttributeError, ValueError):
            raise InputError(
                "this is no report of a roll-out",
                source=name,
                expected=f'JSON with "schema": "{SCHEMA}", as Shadow.save writes it',
            ) from None
    if together is None:
        raise InputError("there is no report", source="-", advice="Name the files that Shadow.save wrote")
    return together


def _add(together: Rollout | None, report: Mapping[str, Any]) -> Rollout:
    if report["schema"] != SCHEMA:
        raise ValueError(report["schema"])
    since, until = str(report["since"]), str(report["until"])
    if together is None:
        together = Rollout(since, until, 0, 0, {}, [])
    together.since, together.until = min(together.since, since), max(together.until, until)
    together.reports += 1
    together.forgotten += int(report["forgotten"])
    together.overwrites += report["overwrites"]
    together.shared_names += len({str(row["client"]) for row in report["rows"]} & together.clients.keys())
    for row in report["rows"]:
        _add_row(together.clients.setdefault(row["client"], ClientRecord(row["client"])), row)
    return together


def _add_row(client: ClientRecord, row: Mapping[str, Any]) -> None:
    writes, guarded = int(row["writes"]), int(row["guarded"])
    client.writes += writes
    client.guarded += guarded
    client.overwrote += int(row["overwrote"])
    told = 0
    for name, count in row["events"].items():
        outcome, _, cause = name.partition(":")
        if outcome in _REFUSALS:
            client.would_fail[cause or outcome] = client.would_fail.get(cause or outcome, 0) + int(count)
        elif outcome in ("missing", "unguarded"):
            told += int(count)
    # Seen as an event (not at the first stages) and, when it was performed, as a write: the larger of both.
    missing = max(writes - guarded, told)
    client.missing += missing
    client.turned_away += missing - (writes - guarded)
    if missing:
        where = f"{row['method']} {row['route']}"
        client.routes[where] = client.routes.get(where, 0) + missing


def as_json(rollout: Rollout) -> dict[str, Any]:
    """Return the answer as a record for JSON.

    Args:
        rollout: what the reports say.
    """
    return {
        "schema": "ifmatch.rollout-answer/1",
        "since": rollout.since,
        "until": rollout.until,
        "reports": rollout.reports,
        "writes": rollout.writes,
        "would_answer_428": rollout.missing,
        "overwrote_at_least": rollout.overwrote,
        "forgotten": rollout.forgotten,
        "clients": [
            {
                "client": client.name,
                "ready": client.is_ready,
                "writes": client.writes,
                "guarded": client.guarded,
                "would_answer_428": client.missing,
                "would_answer_412_or_400": dict(sorted(client.would_fail.items())),
                "overwrote_at_least": client.overwrote,
                "routes": dict(sorted(client.routes.items())),
            }
            for client in sorted(rollout.clients.values(), key=lambda one: one.name)
        ],
        "overwrites": rollout.overwrites,
    }


def as_text(rollout: Rollout) -> str:
    """Return the answer as text: what is lost now, who breaks, who is ready, what to do next.

    Args:
        rollout: what the reports say.
    """
    breaking = rollout.breaking
    ready = sorted(name for name, client in rollout.clients.items() if client.is_ready)
    lines = [
        f"Roll-out of preconditions, {rollout.since} to {rollout.until}, {_many(rollout.reports, 'report')}",
        "",
        f"Writes: {rollout.writes + rollout.turned_away}, {_share(rollout)} without a precondition.",
        f"Overwrote a change that the client had not seen: at least {rollout.overwrote}. More can have been:",
        "each process sees its own traffic only, and a client that reads elsewhere seems never to have read.",
    ]
    if rollout.forgotten:
        lines.append(f"{rollout.forgotten} memories were dropped for want of room (most_pairs).")
    if rollout.turned_away:
        lines.insert(3, f"At least {rollout.turned_away} of them were not performed.")
    breaks = "breaks" if len(breaking) == 1 else "break"
    lines += ["", f"If it is enforced, {_many(len(breaking), 'client')} of {len(rollout.clients)} {breaks}:"]
    lines += [line for client in breaking[:_MOST_SHOWN] for line in _client_lines(client)] or ["  none"]
    lines += _left_out(breaking)
    lines += ["", f"Ready: {', '.join(ready[:_MOST_SHOWN]) if ready else 'none'}", *_left_out(ready)]
    if rollout.reports > 1 and not rollout.shared_names and any("#" in name for name in rollout.clients):
        lines += ["", *_UNCOMMON]
    for example in rollout.overwrites[:5]:
        where = example.get("path", "")
        lines.append(
            f"Example: {example['at']} {example['method']} {where} by {example['client']}"
            f" over a change of {example['overwrote']}"
        )
    lines += ["", _next_step(rollout, breaking)]
    return "\n".join(lines)


def _left_out(names: Sequence[object]) -> list[str]:
    more = len(names) - _MOST_SHOWN
    return [f"  and {more} more; --format json names all"] if more > 0 else []


def _client_lines(client: ClientRecord) -> list[str]:
    lines = [f"  {client.name}: {client.missing} would be answered 428, {client.overwrote} overwrote"]
    lines += [f"    {where}: {count}" for where, count in _most(client.routes)]
    lines += [
        f"    would be answered 412 or 400, {cause}: {count}" for cause, count in _most(client.would_fail)
    ]
    return lines


def _most(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:10]


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _share(rollout: Rollout) -> str:
    whole = rollout.writes + rollout.turned_away
    return f"{rollout.missing} ({100 * rollout.missing / whole:.0f} %)" if whole else "0"


def _next_step(rollout: Rollout, breaking: list[ClientRecord]) -> str:
    if not rollout.clients:
        return "Next: nothing was written yet. Let the shadow run for a time that every client works in."
    if not breaking:
        return "Next: nobody breaks. Set the stage to enforce."
    first = breaking[0].name
    return (
        f"Next: send the notice (ifmatch rollout --notice) to the clients above, {first} first; then set\n"
        "the stage to require for a share of the clients, with a date in grace_until, and look again."
    )


def notice(rollout: Rollout, *, service: str = "our API", date: str = "(date)") -> str:
    """Draft what to tell the people behind the clients, in Markdown.

    Args:
        rollout: what the reports say.
        service: name of the service.
        date: from which on a precondition is demanded, in words.

    Source: RFC 6585 section 3.
    """
    routes = sorted({where for client in rollout.breaking for where in client.routes})
    listed = "\n".join(f"- `{where}`" for where in routes) or "- (none was seen without a precondition)"
    return f"""# {service}: writes need If-Match from {date}

Today, when two clients change the same resource, the later one silently takes back the change of the
earlier. From {date}, these requests have to say which version they change:

{listed}

What to do:

1. Keep the value of the header `ETag` together with what you read.
2. Send it in the header `If-Match` of your PUT, PATCH or DELETE, double quotes included.
3. If the answer is **412 Precondition Failed**, somebody else was faster: read again, redo your change on
   what you read, send again. Do not send the old content with the new tag.
4. To create a resource only if it is not there, send `If-None-Match: *`.

A request without either header is answered **428 Precondition Required** from then on, and nothing is
changed. Until then it works as before, and its answer carries `Precondition-Required-From`.
"""
