from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tools.recording.origin import Habits, Origin, version_tag
from tools.recording_apis import fronts
from tools.recording_apis.actors import Actor, Answer, StoryError
from tools.recording_apis.runtimes import Urllib
from tools.recording_apis.servers import Server
from tools.recording_apis.stage import Stage
from tools.recording_apis.stories.fourth_setting import at_once, first_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def origin() -> Iterator[Origin]:
    made = Origin(Habits(tag=version_tag))
    made.store("/notes/1", {"text": "a"})
    made.start()
    yield made
    made.stop()


class Silent:
    """Stands for the process of a server that a test started itself."""

    pid = 0


@pytest.fixture
def server(origin: Origin, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Server:
    monkeypatch.setattr(Server, "stop", lambda _: None)
    return Server(origin.port, "plain", (), Silent(), tmp_path)  # type: ignore[arg-type]


def test_urllib_hands_refusals_over_as_answers(origin: Origin) -> None:
    me = Actor("notes.example.test", origin.port, Urllib())
    tag = me.get("/notes/1").etag
    assert me.put("/notes/1", {"text": "b"}, 200, {"If-Match": tag}).etag == '"v2"'
    assert me.put("/notes/1", {"text": "c"}, 412, {"If-Match": tag}).status == 412
    with pytest.raises(StoryError, match="expected 200"):
        me.put("/notes/1", {"text": "c"}, 200, {"If-Match": tag})


def test_an_answer_that_is_lost_is_no_answer_and_the_write_stands(origin: Origin, server: Server) -> None:
    with Stage() as stage:
        stage.adopt("plain", server, recorded=True)
        me = stage.actor("client", server, "notes.example.test", "urllib", loses=first_of("PUT"))
        me.put("/notes/1", {"text": "b"}, 0)
        assert me.get("/notes/1").etag == '"v2"'
        assert [one.response and one.response.status for one in stage.taps["upstream"].recorded][-1] == 200
    assert origin.resources["/notes/1"].version == 2


@pytest.mark.parametrize("recorded", [True, False])
def test_only_what_is_recorded_has_a_tap_before_it(server: Server, *, recorded: bool) -> None:
    with Stage() as stage:
        stage.adopt("plain", server, recorded=recorded)
        assert (stage.behind(server) != server.port) == recorded
        me = stage.actor("client", server, "notes.example.test", "urllib")
        me.get("/notes/1")
        assert len(stage.taps["client"].recorded) == 1
        stage.forget()
        assert stage.taps["client"].recorded == []


def test_calls_at_once_overlap_and_are_counted() -> None:
    def answer(status: int) -> Answer:
        time.sleep(0.05)
        return Answer(status, {}, b"")

    calls = [lambda: answer(200), lambda: answer(412)]
    assert [one.status for one in at_once(calls, 0.0, 1)] == [200, 412]
    with pytest.raises(StoryError, match="expected 2 times 412"):
        at_once(calls, 0.0, 2)


def test_a_file_is_dated_as_asked(tmp_path: Path) -> None:
    fronts.put_file(tmp_path, "a/b.txt", "text", 500)
    assert abs(time.time() - 500 - (tmp_path / "a" / "b.txt").stat().st_mtime) < 60
    assert (tmp_path / "a" / "b.txt").read_text() == "text"
