"""Assemble the diagnosis: incidents with findings, in the order of the contract."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

from ifmatch.diagnosis.aftermath.codes_inside import codes_inside
from ifmatch.diagnosis.facts.incident import Facts
from ifmatch.diagnosis.facts.unread_versions import listing
from ifmatch.diagnosis.findings.benign import begun_anew, fulfilled, passed_later, recovered, why_benign
from ifmatch.diagnosis.findings.narrate import fixes, summary
from ifmatch.diagnosis.findings.next_probe import probe_for
from ifmatch.diagnosis.findings.picture import timeline_of
from ifmatch.diagnosis.findings.ranking import Ranking, rank
from ifmatch.diagnosis.findings.repair import repair_of
from ifmatch.diagnosis.findings.subjects import refused, unaccounted
from ifmatch.diagnosis.habits.lapsed_marks import lapsed_marks
from ifmatch.diagnosis.links.likeness import replaces_all
from ifmatch.diagnosis.links.listed_versions import listed_before
from ifmatch.diagnosis.losses.damage import overwrites
from ifmatch.diagnosis.reading.conditions import Guard
from ifmatch.diagnosis.reads.misreads import misreads
from ifmatch.diagnosis.reads.missed_changes import missed_changes
from ifmatch.diagnosis.reads.slices_apart import slices_apart
from ifmatch.diagnosis.rules.cors_hidden_etag import hidden
from ifmatch.model.diagnosis import Advice, Attempt, Benign, Diagnosis, Incident, Outcome, Verdict
from ifmatch.model.finding import Finding, Repair
from ifmatch.model.slotted import Slotted
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.diagnosis.case.reconstruction import Case
    from ifmatch.diagnosis.links.damages import Damage
    from ifmatch.diagnosis.links.history import History
    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.exchange import Provenance

_ORDER = {outcome: number for number, outcome in enumerate(Outcome)}
_SAYS_SO = 0.5
_OF_THE_API = "the answer does not speak of versions or preconditions: the API's own conflict"
# What may be said of a conflict that the client heals, besides that another wrote.
_CONFLICTS = frozenset({"other-writer", "status-dialect-mismatch", "lost-response-replay"})
_UNREAD = (
    "the request had no condition, and the content of the answer is not in the file: nothing says that it was"
    " about versions"
)
# What overwrites a change where nothing was refused, as far as a text alone tells.
_LOSES = frozenset({"blind-refresh", "check-then-write-race", "precondition-ignored", "unconditional-write"})
_MARGIN = 2.0
_FAILED = 412
_LEAST = 0.02
_MOST_ADVICE = 20


class _Draft(Slotted):
    incident: Incident
    step: Step


class _Drafts:
    """The incidents so far; a refusal and the damage after it become one."""

    def __init__(self) -> None:
        self._drafts: dict[int, _Draft] = {}
        self._at: dict[Provenance, list[int]] = {}
        self._count = 0

    @property
    def kept(self) -> list[_Draft]:
        """Return them in the order in which they came."""
        return list(self._drafts.values())

    def add(self, draft: _Draft, instead: Provenance | None = None) -> None:
        """Add an incident.

        Args:
            draft: of it.
            instead: the request whose incidents so far it takes the place of: the worse outcome names it.
        """
        known = self._at.pop(instead, ()) if instead is not None else ()
        same = [self._drafts.pop(one) for one in known if one in self._drafts]
        attempts = tuple(part for one in same for part in one.incident.attempts)
        if attempts:
            draft.incident = replace(draft.incident, attempts=attempts)
        number = self._count = self._count + 1
        self._drafts[number] = draft
        for at in dict.fromkeys(part.at_entry for part in draft.incident.attempts):
            self._at.setdefault(at, []).append(number)


def assemble(case: Case) -> Diagnosis:
    """Diagnose a case.

    Args:
        case: as built from captures.
    """
    drafts = _Drafts()
    benign: list[Benign] = []
    taken: set[int] = set()
    for subject in refused(case):
        facts = Facts(case, subject.step, subject.attempts)
        ranking = rank(facts)
        taken.update(step.order for step in subject.attempts)
        told = any(not one.beside for one in subject.step.exchange.told)
        why = None if told else why_benign(facts, ranking) or _handled(facts, ranking)
        if why is not None:
            benign.extend(
                Benign(step.at, step.status, why)
                for step in subject.attempts
                if not step.accepted and step.is_write
            )
            continue
        drafts.add(_Draft(_incident(facts, ranking, _outcome(facts, ranking)), subject.step))
    for step, found in _found(case):
        if step.order in taken and not found.overlap:
            worse = found.stale_accepted or (found.outcome is Outcome.LOST_UPDATE and found.proven)
            if not (worse and step.accepted):
                continue
        draft = _damage(case, step, found)
        if draft is not None:
            drafts.add(draft, instead=step.at)
            taken.add(step.order)
    for draft in (*_blind(case, taken), *_told(case, taken)):
        drafts.add(draft)
    if not benign:
        _hear(case, drafts, taken)
    benign.extend(
        Benign(
            step.at,
            step.status,
            _UNREAD if _unread(step) else _OF_THE_API,
        )
        for step in unaccounted(case, taken)
    )
    return Diagnosis(case.sources, _ordered(drafts.kept), tuple(benign), _advice(case, drafts.kept))


def _unread(step: Step) -> bool:
    """Tell whether an answer's content is not in the file, which is not the same as empty."""
    response = step.exchange.response
    return response is not None and response.content is UNKNOWN and not step.conditions


def _handled(facts: Facts, ranking: Ranking) -> str | None:
    """Return why a true conflict needs no action: its client read again, rebased, and got its change in.

    Whatever is no other actor's change (a token kept too long, a cache, a lock) stays an incident.
    """
    first = ranking.candidates[0].cause if ranking.candidates else ""
    if not (first in {"other-writer", ""} or _only_conflicts(ranking)) or facts.resent_unread is not None:
        return None
    if first and (done := fulfilled(facts)) is not None:
        return done
    if first not in {"other-writer", ""} and passed_later(facts):
        return (
            "a conflict of the API's own, over no version that the request named; later the like was accepted"
        )
    if not recovered(facts):
        return None
    if facts.state_moved is False:
        # Nobody had changed anything: whatever was refused, it was no conflict.
        return None
    guard = facts.guard
    if guard is None or guard.guard not in {Guard.SAME, Guard.SAME_DATE}:
        return None
    tries = sum(
        step.status == facts.step.status and step.is_write and not step.accepted for step in facts.attempts
    )
    after = "" if tries == 1 else f" after {tries} refusals"
    return (
        f"a conflict handled as it ought to be{after}: read again, applied to the current version, accepted"
    )


def _only_conflicts(ranking: Ranking) -> bool:
    """Tell whether nothing is certain, and all that may be is a conflict that its client understood."""
    likelihoods = [one.likelihood for one in ranking.candidates] + [0.0, 0.0]
    return not _sure(likelihoods) and all(one.cause in _CONFLICTS for one in ranking.candidates)


def _sure(likelihoods: Sequence[float]) -> bool:
    return likelihoods[0] >= _SAYS_SO and likelihoods[0] >= _MARGIN * likelihoods[1]


def _found(case: Case) -> Iterator[tuple[Step, Damage]]:
    for history in case.histories.values():
        yield from overwrites(case, history)
        yield from misreads(case, history)
    yield from missed_changes(case)
    yield from lapsed_marks(case)
    yield from codes_inside(case)
    yield from slices_apart(case)


def _damage(case: Case, step: Step, found: Damage) -> _Draft | None:
    facts = Facts(case, step)
    facts.damage = found
    ranking = rank(facts)
    if not ranking.candidates:
        return None
    return _Draft(_incident(facts, ranking, found.outcome), step)


def _blind(case: Case, taken: set[int]) -> list[_Draft]:
    """Find accepted writes on a fresh token whose content is based on an older version, refusals apart."""
    found: list[_Draft] = []
    for history in case.histories.values():
        for step in _after_two_versions(case, history):
            whole = replaces_all(step)
            if step.order in taken or step.guard is None or not (whole or step.method == "PATCH"):
                continue
            facts = Facts(case, step)
            whole = whole and not facts.may_patch
            told = facts.blind is not None or facts.unread is not None if whole else facts.patched_blindly
            if not told:
                continue
            ranking = rank(facts)
            if ranking.candidates and ranking.candidates[0].cause == "blind-refresh":
                found.append(_Draft(_incident(facts, ranking, Outcome.LOST_UPDATE), step))
                taken.add(step.order)
    return found


def _told(case: Case, taken: set[int]) -> list[_Draft]:
    """Find what only a text tells of: without a refusal nothing else would ask what went wrong."""
    found: list[_Draft] = []
    for step in case.steps:
        if step.order not in taken and any(not one.beside for one in step.exchange.told):
            facts = Facts(case, step)
            ranking = rank(facts)
            first = ranking.candidates[0].cause if ranking.candidates else ""
            outcome = Outcome.LOST_UPDATE if first in _LOSES else Outcome.ERROR
            found.append(_Draft(_incident(facts, ranking, Outcome.REFUSED if step.status else outcome), step))
            taken.add(step.order)
    return found


def _hear(case: Case, drafts: _Drafts, taken: set[int]) -> None:
    """Hear the words around traffic that shows no trouble, or one without a cause."""
    step = next((one for one in case.steps if any(said.beside for said in one.exchange.told)), None)
    if step is None or any(draft.incident.findings for draft in drafts.kept):
        return
    silent = next(
        (one for one in drafts.kept if step.at in {at.at_entry for at in one.incident.attempts}), None
    )
    if drafts.kept and silent is None:
        return
    facts = Facts(case, step)
    facts.hears = True
    ranking = rank(facts)
    if not ranking.candidates:
        return
    outcome = Outcome.LOST_UPDATE if ranking.candidates[0].cause in _LOSES else Outcome.ERROR
    if silent is not None:
        outcome = silent.incident.outcome
    incident = replace(_incident(facts, ranking, outcome), verdict=Verdict.UNDECIDED)
    drafts.add(_Draft(incident, step), instead=step.at if silent is not None else None)
    taken.add(step.order)


def _after_two_versions(case: Case, history: History) -> Iterator[Step]:
    """Yield the accepted writes whose actor had been shown two versions since its own write before."""
    if not history.writes:
        return
    shown: dict[str, set[str]] = {}
    for step in history:
        if step.changes:
            known = shown.pop(step.actor, set[str]())
            if len(known) > 1 or (known and _by_listing(case, step, known)):
                yield step
        elif step.validator is not None:
            shown.setdefault(step.actor, set()).add(step.validator)


def _by_listing(case: Case, step: Step, known: set[str]) -> bool:
    """Tell whether a listing had shown a write's actor the thing, or its version that no read of it shows."""
    guard = step.guard
    if guard is None:
        return False
    if known.isdisjoint(guard.tokens):
        return listing(case, step) is not None
    reads = case.gathered(step.actor).collection_reads(step, step)
    return (step.puts or step.method == "PATCH") and listed_before(reads, step) is not None


def _outcome(facts: Facts, ranking: Ranking) -> Outcome:
    first = ranking.candidates[0].cause if ranking.candidates else ""
    if first == "blind-refresh":
        return Outcome.LOST_UPDATE
    if recovered(facts) or begun_anew(facts, first):
        return Outcome.RECOVERED
    step = facts.step
    if (
        not step.status
        and step.exchange.error
        and not len(step.exchange.request.fields)
        and not ranking.candidates
    ):
        # Somebody asks, and tells of no refusal.
        return Outcome.ERROR
    return Outcome.REFUSED


def _verdict(findings: tuple[Finding, ...]) -> Verdict:
    likelihoods = [finding.likelihood for finding in findings] + [0.0, 0.0]
    return Verdict.CAUSE if _sure(likelihoods) else Verdict.UNDECIDED


def _incident(facts: Facts, ranking: Ranking, outcome: Outcome) -> Incident:
    findings = tuple(
        Finding(
            cause=one.cause,
            likelihood=round(one.likelihood, 3),
            summary=summary(one.cause, facts),
            evidence=one.evidence,
            fixes=fixes(one.cause, facts),
        )
        for one in ranking.candidates
        if one.likelihood >= _LEAST
    )
    step = facts.step
    return Incident(
        id="",
        outcome=outcome,
        verdict=_verdict(findings),
        resource=step.resource,
        method=step.method,
        status=step.status,
        exchange=step.at,
        at=step.start if step.timed else None,
        actor=step.actor,
        attempts=tuple(
            Attempt(one.at, one.status, one.start if one.timed else None) for one in facts.attempts
        ),
        findings=findings,
        contributing=tuple(ranking.contributing),
        explained_away=tuple(ranking.explained_away),
        ruled_out=tuple(
            one for one in ranking.ruled_out if all(one.cause != finding.cause for finding in findings)
        ),
        repair=Repair.NONE if outcome is Outcome.RECOVERED else repair_of(findings, facts),
        next_probe=probe_for(findings, facts),
        timeline=timeline_of(facts),
    )


def _ordered(drafts: list[_Draft]) -> tuple[Incident, ...]:
    """Order by outcome, likelihood and time; number; link those of one cause."""
    ordered = sorted(
        drafts,
        key=lambda draft: (
            _ORDER[draft.incident.outcome],
            -(draft.incident.findings[0].likelihood if draft.incident.findings else 0.0),
            draft.step.start,
            draft.step.order,
        ),
    )
    incidents: list[Incident] = []
    first: dict[tuple[str, str], str] = {}
    for number, draft in enumerate(ordered, start=1):
        incident = replace(draft.incident, id=str(number))
        if incident.findings:
            host = incident.resource.partition("://")[2].partition("/")[0]
            key = (incident.findings[0].cause, host)
            same = first.setdefault(key, incident.id)
            incident = replace(incident, same_cause_as=same if same != incident.id else None)
        incidents.append(incident)
    return tuple(incidents)


def _advice(case: Case, drafts: list[_Draft]) -> tuple[Advice, ...]:
    """Mention unguarded writes to resources that offer validators: no damage seen, none excluded."""
    reported = {draft.step.order for draft in drafts}
    return tuple(itertools.islice(_unguarded(case, reported), _MOST_ADVICE))


def _unguarded(case: Case, reported: set[int]) -> Iterator[Advice]:
    for key, history in case.histories.items():
        offers = any(step.read_ok and step.etag is not None for step in history)
        bare = [
            step
            for step in history
            if step.accepted and step.method in {"PUT", "PATCH"} and step.guard is None
        ]
        around = _left_out(history)
        if around is not None and around.order not in reported:
            text = (
                f"{around.method} {key} was sent without a precondition after one had refused the write: "
                "nothing protects the change that had refused it."
            )
            yield Advice(text, "unconditional-write", around.at)
        elif offers and bare and bare[0].order not in reported:
            text = (
                f"{len(bare)} write(s) to {key} carry no precondition although it has an ETag: "
                "nothing protects them."
            )
            cause = "unconditional-write"
            facts = Facts(case, bare[0])
            if facts.cross_origin and hidden(facts) is not None:
                cause = "cors-hidden-etag"
                text += " The page could send none: Access-Control-Expose-Headers does not name ETag."
            yield Advice(text, cause, bare[0].at)


def _left_out(history: History) -> Step | None:
    """Return the first accepted unguarded write whose actor's write before was refused by its precondition.

    Some clients delete the target of a failed upload, whoever wrote what is there.
    """
    last: dict[str, Step] = {}
    for step in history:
        if not step.is_write:
            continue
        before = last.get(step.actor)
        last[step.actor] = step
        if (
            before is not None
            and before.status == _FAILED
            and before.guard is not None
            and before.guard.guard in {Guard.SAME, Guard.SAME_DATE, Guard.ABSENT}
            and step.accepted
            and step.guard is None
            and step.method in {"PUT", "PATCH", "DELETE"}
        ):
            return step
    return None
