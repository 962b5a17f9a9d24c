"""`ifmatch explain`: what the beginner asks is answered offline, briefly and in full."""

from __future__ import annotations

import json

import pytest

from ifmatch.cli.topics import all_topics
from ifmatch.model.catalogue import causes
from tests.cli.running import run


@pytest.mark.parametrize(
    "topic", ["412", "428", "409", "304", "If-Match", "If-None-Match", "ETag", "first", "stop", *causes()]
)
def test_a_topic_has_one_line_and_a_full_text(topic) -> None:
    brief = run("explain", topic, "--brief")
    full = run("explain", topic)
    assert (brief.status, full.status) == (0, 0)
    assert len(brief.out.strip().splitlines()) == 1
    assert len(full.out) > 3 * len(brief.out)
    assert max(len(line) for line in full.out.splitlines() if not line.startswith("    ")) <= 80


@pytest.mark.parametrize(
    ("question", "shows"),
    [
        ("what does 412 mean", "state of the resource"),
        ("does If-Modified-Since give 412", "304"),
        ("is caching involved", "cach"),
        ("how do I test without the precondition", "precondition"),
        ("when should I call the provider", "provider"),
        ("how much effort is it to fix", "easy"),
        ("what happens if I leave it", "lost"),
        ("is it safe to retry", "fresh"),
        ("is the browser involved", "browser"),
    ],
)
def test_a_question_is_answered(question, shows) -> None:
    ran = run("explain", *question.split())
    assert ran.status == 0
    assert shows in ran.out.lower()


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("gzip etag", "(etag-weakened)"),
        ("nginx gzip If-Match", "(etag-weakened)"),
        ("cors etag not readable", "(cors-hidden-etag)"),
        ("idempotency key", "(lost-response-replay)"),
        ("my proxy strips the etag", "(validator-stripped)"),
        ("s3 PreconditionFailed", "Amazon S3"),
        ("kubernetes conflict resourceVersion", "Kubernetes"),
        ("how do I log s3 traffic", "Log the wire traffic of boto3"),
        ("who is responsible", "Are caching, browsers or APIs involved?"),
        ("how to roll out If-Match", "How does a service do it right?"),
        ("412 timeout", "(lost-response-replay)"),
        ("what is If-Match", "If-Match"),
    ],
)
def test_a_question_finds_its_page(question, title) -> None:
    ran = run("explain", *question.split())
    assert ran.status == 0
    assert title in " ".join(ran.out.split("===")[0].split())


def test_the_list_of_topics_names_each() -> None:
    listing = run("explain").out
    assert all(cause in listing for cause in causes())


def test_json_and_markdown() -> None:
    record = json.loads(run("explain", "412", "--format", "json").out)
    assert record["topics"][0]["id"] == "412"
    assert run("explain", "412", "--format", "markdown").out.startswith("# ")


def test_an_unknown_topic_gets_what_is_near() -> None:
    ran = run("explain", "weakend")
    assert ran.status == 2
    assert "etag-weakened" in ran.err


def test_no_page_says_a_thing_twice() -> None:
    # Pages of causes give the same check for several fixes.
    for topic in (one for one in all_topics().values() if one.kind != "cause"):
        blocks = [topic.brief, *topic.blocks]
        assert len(set(blocks)) == len(blocks), topic.id


def test_commands_stand_apart_from_the_sentence_above() -> None:
    for name in ("capture-kubectl", "capture-rclone"):
        shown = run("explain", name).out.split("\n")
        first = next(number for number, line in enumerate(shown) if line.startswith("    "))
        assert shown[first - 1] == "", name
