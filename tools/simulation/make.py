"""Make cases of a family and check that what the label says did happen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tools.simulation.messages import Response
from tools.simulation.stage import Case, Stage, collect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.simulation.families import Family, Plot
    from tools.simulation.messages import Exchange, Tape
    from tools.simulation.skin import Skin

_UNSAFE = frozenset({"PUT", "PATCH", "POST", "DELETE"})
_TRIES = 12
# Stories that speak the language of one service.
_HOMES: Final = {
    "database_exists": frozenset({"rest", "s3"}),
    "previous_value": frozenset({"etcd-v2"}),
    "copy_condition": frozenset({"s3", "azure-blob"}),
    "copied": frozenset({"s3", "azure-blob"}),
    "batched": frozenset({"kinto", "graph-drive"}),
    "lock_kept": frozenset({"webdav"}),
    "completed_name_taken": frozenset({"s3"}),
    "token_beside": frozenset({"rest", "eve", "gcs-json", "graph-drive", "elasticsearch"}),
    "refused_in_a_batch": frozenset({"kinto", "graph-drive"}),
    "lock_lapsed": frozenset({"webdav", "azure-blob"}),
    "index_lag": frozenset({"rest", "spring-data-rest", "eve"}),
    "json_patch_test": frozenset({"rest", "spring-data-rest", "eve"}),
}
_CONDITIONS: Final = ("If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since")


class DidNotHappenError(Exception):
    """A story did not come out as its label says, whatever the seed."""


def make(family: Family, seed: int, count: int, *, turn: int = 0) -> Iterator[Case]:
    """Yield cases of a family.

    Args:
        family: whose.
        seed: decides everything.
        count: how many; stories are told in turn.
        turn: by how many places the dialects are moved on against the stories.

    Raises:
        DidNotHappenError: no seed brought the labelled outcome about.
    """
    for number in range(count):
        yield _one(family, seed, number, turn)


def _one(family: Family, seed: int, number: int, turn: int) -> Case:
    plot = family.plots[number % len(family.plots)]
    place = number // len(family.plots) + turn
    why = ""
    for attempt in range(_TRIES):
        name = f"{seed}/{family.name}/{number}/{attempt}"
        fitting = [one for one in family.skins if suits(plot, one)]
        if not fitting:
            raise DidNotHappenError(f"{family.name}: no dialect suits {plot.__name__}")
        skin = fitting[(place + number) % len(fitting)]
        stage = Stage(name, skin)
        stage.busy = stage.rng.choice(family.busy)
        told = plot(stage)
        case = collect(stage, told, f"{family.name}-{number + 1:03d}", family.name)
        why = wrong(case)
        if not why:
            return case
    raise DidNotHappenError(f"{family.name} {plot.__name__}: {why}")


def suits(plot: Plot, skin: type[Skin]) -> bool:
    """Tell whether a story can happen in a dialect."""
    name = plot.__name__
    if name == "create_guard_on_update":
        return skin.guards_creation
    if name in {"target_missing", "never_there"}:
        return skin.guards_presence
    if name == "exists_already":
        return skin.creates
    if name == "token_missing":
        return skin.demands
    homes = _HOMES.get(name)
    return homes is None or skin.id in homes


def wrong(case: Case) -> str:
    """Return what contradicts the label, empty when nothing does."""
    client = case.tapes[0]
    outcome = case.told.outcome
    statuses = [one.answer.status if isinstance(one.answer, Response) else 0 for one in client.exchanges]
    if not statuses:
        return "the client sent nothing"
    if outcome.isdigit() and int(outcome) not in statuses and not _inside(client, outcome):
        return f"no {outcome} at the client"
    if outcome in {"wrong-304", "wrong-206"} and int(outcome[-3:]) not in statuses:
        return f"no {outcome[-3:]} at the client"
    if outcome == "wrong-200" and not any(map(_passed, client.exchanges)):
        return "no whole answer to a conditional read"
    if outcome in {"lost-update", "lost-write"} and not _last_write_passed(client):
        return "the last write did not pass"
    if outcome == "recovered" and (not _last_write_passed(client) or max(statuses) < 400):
        return "not recovered"
    if outcome == "healthy" and not case.told.also and max(statuses) in {412, 428}:
        return "a refusal in healthy traffic"
    return ""


def _inside(tape: Tape, status: str) -> bool:
    bodies = [one.answer.body for one in tape.exchanges if isinstance(one.answer, Response)]
    return any(f'"status": {status}' in str(body) for body in bodies)


def _passed(one: Exchange) -> bool:
    conditional = any(one.request.field(name) is not None for name in _CONDITIONS)
    return conditional and isinstance(one.answer, Response) and one.answer.status == 200


def _last_write_passed(tape: Tape) -> bool:
    writes = [
        one for one in tape.exchanges if one.request.method in _UNSAFE and "telemetry" not in one.request.url
    ]
    return bool(writes) and isinstance(writes[-1].answer, Response) and writes[-1].answer.status < 400
