"""An origin without faults judges as RFC 9110 section 13 says; each fault does what its name says."""

from __future__ import annotations

import pytest

import ifmatch
from tools.simulation.kernel import World
from tools.simulation.messages import Lost, Request
from tools.simulation.origin import Faults, Origin
from tools.simulation.skin import Skin


def _origin(**faults):
    world = World("origin", 1_780_000_000.0)
    skin = Skin(world)
    skin.scheme, skin.answer = "version", "tagged"
    origin = Origin(world, skin)
    origin.faults = Faults(**faults)
    origin.seed("k", {"a": 1}, 1000.0)
    return origin


def _ask(origin, method, key="k", *fields):
    got = []

    def story():
        got.append(
            (yield from origin.serve(Request(method, origin.skin.url(key), list(fields), "{}", {"a": 2})))
        )

    origin.world.spawn(story())
    origin.world.run()
    return got[0]


def _tag(origin):
    return f'"{origin.store["k"].version}"'


CONDITIONS = (
    ("If-Match", "{tag}"), ("If-Match", "W/{tag}"), ("If-Match", "*"), ("If-Match", '"x", {tag}'),
    ("If-Match", '"x"'), ("If-Match", "x"), ("If-None-Match", "*"), ("If-None-Match", "{tag}"),
    ("If-None-Match", "W/{tag}"),
    ("If-None-Match", '"x"'), ("If-Unmodified-Since", "Thu, 01 Jan 2015 00:00:00 GMT"),
    ("If-Unmodified-Since", "Thu, 01 Jan 2099 00:00:00 GMT"), ("If-Unmodified-Since", "2015-01-01T00:00:00Z"),
)  # fmt: skip


@pytest.mark.parametrize("method", ["PUT", "GET"])
@pytest.mark.parametrize("key", ["k", "missing"])
@pytest.mark.parametrize(("name", "value"), CONDITIONS)
def test_a_correct_origin_agrees_with_the_evaluator(method, key, name, value) -> None:
    origin = _origin()
    field = (name, value.replace("{tag}", _tag(origin)))
    current = None
    if key == "k":
        current = ifmatch.Representation(etag=_tag(origin), last_modified=_modified(origin))
    wanted = ifmatch.evaluate(method, [field], current).status
    if method == "GET" and key == "missing":
        wanted = None
    answer = _ask(origin, method, key, field)
    assert (answer.status if answer.status in {304, 412} else None) == wanted


def _modified(origin):
    from datetime import UTC, datetime

    return datetime.fromtimestamp(int(origin.store["k"].modified), UTC)


def test_weak_only_and_ignored_and_star_and_post_commit() -> None:
    weak = _origin(weak_tags=True)
    assert _ask(weak, "PUT", "k", ("If-Match", f"W/{_tag(weak)}")).status == 412
    assert _ask(_origin(ignored=frozenset({"PUT"})), "PUT", "k", ("If-Match", '"x"')).status == 204
    assert _ask(_origin(star_is_text=True), "PUT", "k", ("If-Match", "*")).status == 412
    late = _origin(post_commit=True)
    assert _ask(late, "PUT", "k", ("If-Match", _tag(late))).status == 412
    assert late.store["k"].document == {"a": 2}


def test_a_lost_answer_is_stored_all_the_same() -> None:
    origin = _origin(lose=1)
    assert isinstance(_ask(origin, "PUT", "k", ("If-Match", _tag(origin))), Lost)
    assert origin.store["k"].document == {"a": 2}


def test_overlapping_writes_one_wins_unless_check_and_write_are_two_steps() -> None:
    for gap, winners in ((0.0, 1), (0.3, 2)):
        origin, answers = _origin(race_gap=gap), []
        field = ("If-Match", _tag(origin))

        def write(origin=origin, answers=answers, field=field):
            request = Request("PUT", origin.skin.url("k"), [field], "{}", {"a": 2})
            answers.append((yield from origin.serve(request)))

        for _ in range(2):
            origin.world.spawn(write())
        origin.world.run()
        assert sorted(one.status < 300 for one in answers).count(True) == winners
