"""Edit resources through httpx2, httpx or aiohttp, asynchronously."""

# Written by tools/generate_async_editing.py from editing.py: change that one.

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias, TypeVar, cast

from ifmatch.client import async_ports as ports
from ifmatch.client.combining import POSTPONED, foresee
from ifmatch.client.downloading import Download
from ifmatch.client.given import as_octets
from ifmatch.client.plan import (
    Plans,
    Settings,
    entry_of,
    interrupted,
    spread,
    to_be_split,
    together,
    turn_never_came,
)
from ifmatch.client.snapshot import Snapshot
from ifmatch.client.transport import Outgoing, redirected
from ifmatch.errors import StoreUnavailableError
from ifmatch.update import DELETE, NOTHING, Answer, EditOctets, Replace, TargetMissingError, Updated, Wait

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from os import PathLike

    from ifmatch.client.async_ports import Library
    from ifmatch.client.combining import Outcome
    from ifmatch.client.downloading import Downloaded
    from ifmatch.client.given import ChangeLike
    from ifmatch.client.lanes import Entry
    from ifmatch.client.plan import Job
    from ifmatch.client.transport import AsyncTransport
    from ifmatch.merge import JsonValue
    from ifmatch.update import Event, Limits, NoAnswer, State, Steps

__all__ = ["AsyncClient"]

D = TypeVar("D")
_Pairs: TypeAlias = "Sequence[tuple[str, str]]"


class AsyncClient:
    """Edit resources: changes are made on the state that is there; the twin of `Client`.

    Args:
        client: of httpx2, httpx or aiohttp; authentication, proxies and mocks go on working.
        settings: how it behaves.
        sleep: waits for so many seconds.
    """

    def __init__(
        self,
        client: Library | AsyncTransport,
        settings: Settings | None = None,
        *,
        sleep: Callable[[float], Awaitable[None]] = ports.sleep,
    ) -> None:
        self.settings = settings or Settings()
        self._transport: AsyncTransport = ports.transport_of(client)
        self._plans = Plans(self.settings)
        self._lanes = self.settings.async_lanes()
        self._sleep = sleep

    async def edit(
        self,
        url: str,
        change: ChangeLike[D],
        *,
        fields: _Pairs = (),
        same_value_is_enough: bool = False,
        limits: Limits | None = None,
    ) -> Updated:
        """Change a resource; on a conflict the change is made anew on the newer state.

        Args:
            url: of the resource.
            change: a function of the JSON document, a merge patch (dict), a JSON patch (list), or an object
                of `ifmatch.update`: `MergeDocument` or `MergeText` for what was edited by hand, `EditOctets`
                for a function of any content.
            fields: header fields of its requests.
            same_value_is_enough: declare that it does not matter who wrote the wanted content.
            limits: bounds; None for those of the client.

        Raises:
            NotAppliedError: surely nothing was written; the subclass says why.
            OutcomeUnknownError: it may have been written, and nothing proves or refutes it.
        """
        target = self._transport.absolute(url)
        return await self._run(
            self._plans.job(
                target, change, fields=fields, same_value_is_enough=same_value_is_enough, limits=limits
            )
        )

    async def create(
        self,
        url: str,
        document: JsonValue | bytes,
        *,
        media_type: str = "",
        fields: _Pairs = (),
        limits: Limits | None = None,
    ) -> Updated:
        """Make a resource that must not exist yet.

        Args:
            url: of the resource.
            document: octets; text, where `media_type` is not JSON; else what is written as JSON.
            media_type: of the document; "" for that of the client.
            fields: header fields of its requests.
            limits: bounds; None for those of the client.

        Raises:
            DataConflictError: it exists.
            OutcomeUnknownError: as in `edit`.
        """
        octets = as_octets(document, media_type or self.settings.media_type)
        target, change = self._transport.absolute(url), Replace(octets, ())
        job = self._plans.job(target, change, fields=fields, media_type=media_type, limits=limits)
        return await self._run(replace(job, task=replace(job.task, known=None)))

    async def delete(
        self, url: str, *, seen: Snapshot | None = None, fields: _Pairs = (), limits: Limits | None = None
    ) -> Updated:
        """Remove a resource, unless it was changed.

        Args:
            url: of the resource.
            seen: the state that the decision was made on; None: whatever is there at the first look.
            fields: header fields of its requests.
            limits: bounds; None for those of the client.

        Raises:
            DataConflictError: it was changed meanwhile.
            OutcomeUnknownError: as in `edit`.
        """
        target = self._transport.absolute(url)
        change = Replace(DELETE, None if seen is None else seen.state.token)
        job = self._plans.job(target, change, fields=fields, limits=limits)
        if seen is not None:
            job = replace(job, task=replace(job.task, known=seen.state))
        return await self._run(job)

    async def read(self, url: str, *, fields: _Pairs = (), limits: Limits | None = None) -> Snapshot:
        """Read the current state past every cache, to edit it by hand.

        Args:
            url: of the resource.
            fields: header fields of the request.
            limits: bounds; None for those of the client.

        Raises:
            TargetMissingError: there is no such resource.
            NoValidatorError: it has no version that a write could be bound to.
        """
        target = self._transport.absolute(url)
        job = self._plans.job(
            target, EditOctets(lambda _: NOTHING, creates=True), fields=fields, limits=limits
        )
        state = (await self._perform(job, self._plans.steps(job, None, 0.0))).state
        if state is None:
            raise self._plans.failed(job, TargetMissingError("there is no such resource"))
        await self._remember(job, state)
        return Snapshot(target, state)

    async def download(
        self,
        url: str,
        file: str | PathLike[str],
        *,
        progress: Callable[[int, int | None], None] | None = None,
        fields: _Pairs = (),
        limits: Limits | None = None,
    ) -> Downloaded:
        """Download one version of a resource whole; a cut transfer goes on where it stopped.

        Args:
            url: of the resource.
            file: where it goes; until it is whole, `FILE.part` holds what is there, for a later call too.
            progress: called with the octets that are there and the total, None while that is not known.
            fields: header fields of its requests.
            limits: bounds; None for those of the client. The deadline counts between octets, not for the
                whole.

        Raises:
            DownloadChangedError: the resource changed again and again.
            TargetMissingError: there is no such resource.
            BudgetExhaustedError: too many requests failed in a row.
            BlockingIOError: another download writes to that file.
        """
        target = self._transport.absolute(url)
        settings = self.settings
        download = Download(
            target, file, limits or settings.limits, settings.random, progress, clock=settings.clock
        )
        with download:
            while not download.done:
                download.before()
                outgoing = Outgoing(
                    "GET",
                    download.url,
                    (*settings.fields, *fields, *download.fields()),
                    seconds=max(download.left(), 0.001),
                )
                try:
                    async with self._transport.stream(outgoing) as body:
                        if download.begin(body.status, body.fields):
                            async for piece in body.pieces:
                                download.take(piece)
                            download.ended()
                except ConnectionError as error:
                    download.cut(str(error))
                if download.pause:
                    await self._sleep(download.pause)
        return download.result()

    # One update.

    async def _run(self, job: Job) -> Updated:
        settings = self.settings
        started = settings.clock()
        entry = entry_of(job, combine=settings.combine)
        while True:
            left = job.limits.seconds - (settings.clock() - started)
            work = partial(self._work, started)
            if left <= 0 or not await self._lanes.run(job.lane, entry, work, left):
                entry.outcome = turn_never_came(job)
            outcome = entry.outcome
            if outcome is not None:
                break
            # It could not go with the others and is first in line again, alone.
            entry = entry_of(job, combine=False)
        self._plans.finished(job, outcome, started)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def _work(self, started: float, batch: Sequence[Entry[Job, Updated | Exception]]) -> None:
        """Do the jobs of a batch; a combined write that is rejected is split until the culprit is alone."""
        if len(batch) == 1:
            entry = batch[0]
            try:
                entry.outcome = await self._update(entry.item, self.settings.clock() - started)
            except Exception as error:  # noqa: BLE001 - it is raised where it belongs
                entry.outcome = error
            except BaseException:
                interrupted(batch)
                raise
            return
        waiting = [list(batch)]
        while waiting:
            entries = waiting.pop()
            job, combined = together([entry.item for entry in entries])
            end: Updated | Exception
            try:
                end = await self._update(job, self.settings.clock() - started)
            except Exception as error:  # noqa: BLE001 - it is raised where it belongs
                end = error
            except BaseException:
                interrupted(batch)
                raise
            if to_be_split(combined, end):
                half = len(entries) // 2
                waiting += [entries[half:], entries[:half]]
                continue
            outcomes: list[Outcome] = spread(combined, end, len(entries))
            for entry, outcome in zip(entries, outcomes, strict=True):
                entry.outcome = None if outcome is POSTPONED else outcome

    async def _update(self, job: Job, waited: float) -> Updated:
        """Perform one job in its turn, from the state that is remembered."""
        known = await self._known(job) if self._plans.may_remember(job) else None
        used = self._plans.trusts(job)
        pause = self._plans.courtesy(job)
        if pause:
            await self._sleep(pause)
        end = await self._perform(
            job, self._plans.steps(job, known if used else None, waited, self._lanes.waiting)
        )
        self._plans.learn(job, known, end, used=used)
        self._plans.met(job, conflicts=end.conflicts)
        await self._remember(job, end.state)
        return end

    async def _perform(self, job: Job, steps: Steps) -> Updated:
        """Drive a machine to its end."""
        event: Event = None
        while True:
            try:
                command = steps.send(event)
            except StopIteration as stop:
                return cast("Updated", stop.value)
            except Exception as error:
                await self._remember(job, None)
                self._plans.failed(job, error)
                raise
            if isinstance(command, Wait):
                event = None
                await self._sleep(command.seconds)
            else:
                called_off = self._lanes.foretell(
                    job.lane, job.round_trip.seconds / 4, partial(foresee, job, command)
                )
                try:
                    event = await self._exchange(self._plans.outgoing(job, command), job)
                finally:
                    called_off()
            self._plans.told(job, command, event)

    async def _exchange(self, outgoing: Outgoing, job: Job) -> Answer | NoAnswer:
        """Send a request; redirects within the origin are followed."""
        hops, following = 0, outgoing
        while True:
            event = await self._transport.exchange(following)
            if not isinstance(event, Answer):
                return event
            onward = None
            if 300 <= event.status < 400:
                onward = redirected(following, event.status, event.fields.text("Location"), hops)
            if onward is None:
                if 200 <= event.status < 300 and not outgoing.past_caches:
                    await self._transport.wrote(job.url)
                return event
            hops, following = hops + 1, onward

    async def _known(self, job: Job) -> State | None:
        states = self.settings.states
        try:
            if not states.blocks:
                return states.load(job.memory)
            return await ports.call_store(states, lambda: states.load(job.memory))
        except StoreUnavailableError as error:
            self._plans.store_failed(error)
            return None

    async def _remember(self, job: Job, state: State | None) -> None:
        states = self.settings.states
        if not self._plans.may_remember(job):
            return
        try:
            if not states.blocks:
                states.drop(job.memory) if state is None else states.save(job.memory, state)
                return
            await ports.call_store(
                states, lambda: states.drop(job.memory) if state is None else states.save(job.memory, state)
            )
        except StoreUnavailableError as error:
            self._plans.store_failed(error)
