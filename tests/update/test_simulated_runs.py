"""No change lost, nothing applied twice, nothing claimed that was not ours: seed after seed."""

from __future__ import annotations

import pytest

from ifmatch.update import Limits, NotAppliedError, OutcomeUnknownError, Updated, machine
from tests.update import simulation
from tests.update.simulation import Faults, simulate, violations

LOSSES = Faults(before=0.05, after=0.05)
EVERYTHING = Faults(before=0.04, after=0.04, late=0.04, bad_gateway=0.04, copies=0.03)
NO_COPIES = Faults(before=0.04, after=0.04, late=0.04, bad_gateway=0.04)
WORLDS = {
    "quiet": {"faults": Faults()},
    "lost on both sides": {"faults": LOSSES},
    "late copies": {"faults": Faults(late=0.15)},
    "duplicates": {"faults": Faults(copies=0.2)},
    "gateways": {"faults": Faults(bad_gateway=0.2)},
    "everything": {"faults": EVERYTHING},
    "everything, state in refusals": {"faults": EVERYTHING, "carries": True},
    "everything, a foreign writer": {"faults": EVERYTHING, "foreign": 20},
    # No duplicates here: a refusal to a copy of a write that was applied is believed when the mark is gone.
    "everything, a foreign writer that drops the marks": {
        "faults": Faults(0.05, 0.05, 0.05, 0.05, forgetful=0.5),
        "foreign": 20,
    },
    "losses, short of time": {"faults": LOSSES, "limits": Limits(seconds=0.08)},
    # No duplicates here either: a refusal to a copy is believed when nothing more can be read.
    "everything, short of time": {"faults": NO_COPIES, "limits": Limits(seconds=0.08)},
    "everything, no second failure": {"faults": NO_COPIES, "limits": Limits(seconds=600.0, transport=0)},
    "nothing remembered": {"faults": EVERYTHING, "remembers": False},
}
SEEDS = 40
MANY_SEEDS = 2_000


def held(world, seeds):
    unknown = asked = 0
    for seed in seeds:
        run = simulate(seed, **WORLDS[world])
        assert violations(run) == [], f"seed {seed}"
        asked += len(run.ends)
        unknown += len(run.of(OutcomeUnknownError))
    return asked, unknown


@pytest.mark.parametrize("world", WORLDS)
def test_every_claim_agrees_with_the_ledger(world) -> None:
    asked, unknown = held(world, range(SEEDS))
    assert asked == SEEDS * 16
    if world in ("quiet", "lost on both sides", "late copies", "gateways", "everything", "duplicates"):
        # With marks in the document and only writers that keep them, everything is provable.
        assert unknown == 0


@pytest.mark.full
@pytest.mark.parametrize("world", WORLDS)
def test_every_claim_agrees_with_the_ledger_over_thousands_of_seeds(world) -> None:
    held(world, range(10_000, 10_000 + MANY_SEEDS))


def test_without_marks_what_cannot_be_proven_is_called_unknown() -> None:
    unknown = 0
    for seed in range(SEEDS):
        run = simulate(seed, faults=LOSSES, authorship=None)
        assert violations(run) == [], f"seed {seed}"
        unknown += len(run.of(OutcomeUnknownError))
    assert unknown > 0


def test_thirty_two_writers_all_get_through() -> None:
    run = simulate(1, writers=32, updates=5, faults=LOSSES, carries=True)
    assert violations(run) == []
    assert len(run.of(Updated)) == 160


def believes_that_it_was_lost(run, _state, _base, _content):
    run.pending = None


def claims_what_moved(run, state, base, _content):
    moved = run.pending and state is not None and state.token != run.pending.token
    return run.finished("already-applied", base, state) if moved else None


def reports_as_not_applied(_run, _why, _state=None, **_):
    return NotAppliedError("nothing was written")


def takes_silence_for_a_refusal(run, event, base, content):
    if not isinstance(event, simulation.Answer):
        event = simulation.Answer(412)
    return (yield from JUDGE(run, event, base, content))


JUDGE = machine._Run.judge
DEFECTS = {
    "believes that it was lost": ("settled", believes_that_it_was_lost),
    "claims what moved": ("settled", claims_what_moved),
    "reports as not applied": ("unknown", reports_as_not_applied),
    "takes silence for a refusal": ("judge", takes_silence_for_a_refusal),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_the_judge_sees_a_defect_in_the_machine(defect, monkeypatch) -> None:
    monkeypatch.setattr(machine._Run, *DEFECTS[defect])
    world = "everything, a foreign writer that drops the marks"
    found = 0
    for seed in range(200):
        try:
            found += bool(violations(simulate(seed, **WORLDS[world])))
        except AssertionError:
            found += 1
        if found:
            return
    pytest.fail(f"no seed of 200 shows that the machine {defect}")


def test_the_judge_sees_a_fresh_token_on_an_old_change(monkeypatch) -> None:
    """Blind refresh: the content is made once, and sent with whatever tag is current."""
    propose = simulation.Edit.propose
    made = {}
    monkeypatch.setattr(
        simulation.Edit, "propose", lambda edit, state: made.setdefault(id(edit), propose(edit, state))
    )
    with pytest.raises(AssertionError, match="a lost update"):
        [simulate(seed) for seed in range(20)]


def test_the_judge_sees_a_client_that_sends_blindly_again() -> None:
    """The naive client: on a cut connection send again, on 412 refresh and change anew."""
    doubled = sum(naive(seed) for seed in range(10))
    assert doubled > 0


def naive(seed):
    world = simulation.World(seed, faults=LOSSES)
    service = world.run.service

    def steps():
        while True:
            state = None
            while state is None:
                event = yield simulation.Read()
                state = event if getattr(event, "status", 0) == 200 else None
            document = simulation.increment(simulation.json.loads(state.octets))
            send = simulation.Send(
                "PUT",
                (("If-Match", state.fields.text("ETag")),),
                (),
                simulation.json.dumps(document).encode(),
            )
            event = yield send
            while not hasattr(event, "status"):
                event = yield send
            if event.status == 200:
                return event

    for number in range(8):
        world.perform(
            steps(), f"n{number}", lambda end, number=number: world.run.ends.__setitem__(number, end)
        )
    world.go()
    return sum(times - 1 for times in service.applied.values() if times > 1)
