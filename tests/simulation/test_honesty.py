"""Each label is borne out by the files: what a cause must show is looked for, without any rule's help."""

from __future__ import annotations

import re
from functools import cache

import pytest

from tools.simulation.corpus import capture, cases

LABELLED = [*cases("dev"), *cases("holdout")]
UNSAFE = {"PUT", "PATCH", "POST", "DELETE"}
REFUSED = {400, 403, 409, 412, 423, 428, 500, 501}


class Story:
    """A case with its exchanges sorted by role."""

    def __init__(self, one) -> None:
        self.one = one
        noise = ("telemetry", "/static/", "getIamPolicy", "/session")
        self.client = [
            step
            for step in capture(one.files[0]).exchanges
            if not any(word in step.request.url for word in noise)
        ]
        rest = one.files[1:]
        self.other = [step for path in rest if ".other" in path.name for step in capture(path).exchanges]
        self.upstream = [
            step for path in rest if ".upstream" in path.name for step in capture(path).exchanges
        ]

    def refused(self):
        return [step for step in self.client if step.request.method in UNSAFE and step.status in REFUSED]


@cache
def stories(cause):
    return [Story(one) for one in LABELLED if one.cause == cause]


def sent(step):
    return step.request.fields.text("if-match") or ""


def tag(step):
    return (step.response.fields.text("etag") or "") if step.response else ""


def bare(value):
    return re.sub(r'^W/|[\\"\'<>\[\]]|&quot;|%22|\u201c|\u201d|ETag: |\?v=3|-gzip$', "", value)


def test_null_tokens_are_words_for_nothing() -> None:
    words = {"null", "undefined", "none", "nil", "nan", "", "{{etag}}", "${etag}"}
    for story in stories("null-token"):
        tokens = [
            sent(step)
            or step.request.fields.text("x-cart-version")
            or step.request.fields.text("x-contentful-version")
            for step in story.refused()
        ]
        queries = [step.request.url.rpartition("=")[2] for step in story.refused()]
        given = [one or queries[number] for number, one in enumerate(tokens)]
        assert given, story.one.id
        assert bare(given[-1]).lower() in words, (story.one.id, given)


def test_damaged_tokens_are_the_current_tag_once_repaired() -> None:
    for story in stories("malformed-validator"):
        served = {tag(step) for step in story.client if tag(step)}
        damaged = [
            sent(step)
            for step in story.client
            if step.request.method in UNSAFE and sent(step) and sent(step) not in served
        ]
        assert damaged, story.one.id
        if "base64" in damaged[0] or re.fullmatch(r"[A-Za-z0-9+/]+=*", damaged[0]):
            continue
        assert bare(damaged[0]) in {bare(one) for one in served}, (story.one.id, damaged[0], served)


def test_a_missing_token_is_missing() -> None:
    for story in stories("token-missing"):
        first = story.refused()[0]
        assert not sent(first), story.one.id
        assert first.request.fields.text("x-contentful-version") is None, story.one.id


def test_a_retry_bears_the_same_token_without_a_read_between() -> None:
    for story in stories("retry-reuses-failed-token"):
        refused = [step for step in story.client if step.request.method in UNSAFE]
        same = [(step.request.url, sent(step)) for step in refused]
        assert len(same) >= 3, story.one.id
        assert len(set(same)) == 1, story.one.id


def test_a_self_race_overlaps_under_one_token() -> None:
    for story in stories("self-race"):
        writes = [step for step in story.client if step.request.method in UNSAFE]
        pairs = [
            (one, two)
            for number, one in enumerate(writes)
            for two in writes[number + 1 :]
            if abs(two.started - one.started) < 0.2 and {one.status < 300, two.status < 300} == {True, False}
        ]
        assert pairs or "false" in str(writes[-1].response.content), story.one.id
        assert not story.other, story.one.id


def test_a_create_guard_meets_what_the_client_knows() -> None:
    for story in stories("create-guard-on-update"):
        guarded = next(
            step
            for step in story.refused()
            if step.request.fields.text("if-none-match") == "*"
            or "ifGenerationMatch=0" in step.request.url
            or "cas=0" in step.request.url
        )
        # Whole seconds may give two requests one time: the order in the file tells.
        earlier = story.client[: story.client.index(guarded)]
        before = [step for step in earlier if step.status in {200, 201, 204}]
        assert before, story.one.id


def test_another_writer_has_written_between() -> None:
    for story in stories("other-writer"):
        if not story.other:
            continue
        writes = [step for step in story.other if step.request.method in UNSAFE and step.status < 300]
        assert writes, story.one.id


def test_stale_own_tokens_were_outdated_by_what_the_client_saw() -> None:
    for story in stories("stale-stored-token"):
        last = [
            step
            for step in story.client
            if step.request.method in UNSAFE and (step.status in REFUSED or story.one.dialect == "consul-kv")
        ]
        assert last, story.one.id
        assert (
            all(
                step.request.method in {"GET", "HEAD", "OPTIONS", "POST"} or step.status >= 400
                for step in story.other
            )
            or story.one.also
        ), story.one.id


def test_suffixes_and_weak_tags_come_from_between() -> None:
    for story in stories("etag-suffix-rewrite"):
        refused = story.refused()
        asked = story.client[-1].request.fields.text("if-none-match") or ""
        token = sent(refused[0]) if refused else asked
        assert re.search(r"(-gzip|-br|-df|--gzip|;gzip|-zstd)\"$", token), (story.one.id, token)
        upstream = {tag(step) for step in story.upstream if step.request.method == "GET"}
        assert not upstream or token not in upstream, story.one.id
    for story in stories("etag-weakened"):
        assert sent(story.refused()[0]).startswith("W/"), story.one.id
        assert all(not tag(step).startswith("W/") for step in story.upstream), story.one.id


def test_weak_only_origins_are_weak_at_the_origin() -> None:
    for story in stories("weak-only-origin"):
        assert all(
            tag(step).startswith("W/") for step in story.upstream if step.status == 200 and tag(step)
        ), story.one.id


def test_stripped_conditions_and_validators_are_gone_on_one_side_only() -> None:
    for story in stories("precondition-stripped"):
        assert any(
            sent(step) or step.request.fields.text("if-none-match")
            for step in story.client
            if step.request.method in UNSAFE
        ), story.one.id
        assert not any(sent(step) for step in story.upstream if step.request.method in UNSAFE), story.one.id
    for story in stories("validator-stripped"):
        url = story.refused()[0].request.url
        reads = [step for step in story.client if step.request.method == "GET" and step.request.url == url]
        assert not tag(reads[0]), story.one.id
        assert any(tag(step) for step in story.upstream), story.one.id


def test_a_replay_between_is_one_request_here_and_two_there() -> None:
    for story in stories("intermediary-replay"):
        here = [step for step in story.client if step.request.method in UNSAFE]
        there = [step for step in story.upstream if step.request.method in UNSAFE]
        assert (len(here), len(there)) == (1, 2), story.one.id


def test_a_lost_answer_has_a_first_try_without_a_good_answer() -> None:
    for story in stories("lost-response-replay"):
        writes = [step for step in story.client if step.request.method in UNSAFE]
        assert writes[0].status in {0, 500, 502, 503, 504}, story.one.id
        assert writes[0].request.url == writes[1].request.url, story.one.id


def test_unstable_tags_differ_on_one_node() -> None:
    for story in stories("unstable-etag"):
        tags = [
            tag(step)
            for step in story.client
            if step.status == 200 and step.request.method == "GET" and tag(step)
        ]
        assert len(set(tags)) > 2, story.one.id


def test_nodes_disagree_each_with_itself_alike() -> None:
    for story in stories("inconsistent-backends"):
        nodes = [path for path in story.one.files if ".upstream" in path.name]
        assert len(nodes) >= 2, story.one.id


@pytest.mark.parametrize(
    "cause", ["precondition-ignored", "check-then-write-race", "blind-refresh", "unconditional-write"]
)
def test_silent_losses_have_two_accepted_writes(cause) -> None:
    for story in stories(cause):
        if story.one.outcome != "lost-update":
            continue
        mine = [step for step in story.client if step.request.method in UNSAFE and 200 <= step.status < 300]
        assert mine, story.one.id
        theirs = [step for step in story.other if step.request.method in UNSAFE and 200 <= step.status < 300]
        assert theirs or len(mine) >= 2 or not story.other, story.one.id


def test_odd_dates_are_odd() -> None:
    imf = re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT")
    for story in stories("bad-date"):
        values = [step.request.fields.text("if-unmodified-since") for step in story.client]
        assert any(value and not imf.fullmatch(value) for value in values), story.one.id
    for story in stories("timezone-error"):
        values = [step.request.fields.text("if-unmodified-since") for step in story.client]
        assert all(imf.fullmatch(value) for value in values if value), story.one.id


def test_firewalls_and_rules_have_nothing_to_do_with_versions() -> None:
    for story in stories("nonprecondition-412"):
        refusals = [step for step in story.client if step.status == 412]
        assert refusals, story.one.id
        if not sent(refusals[0]):
            continue
        passed = [step for step in story.client if sent(step) == sent(refusals[0]) and step.status < 300]
        assert passed, story.one.id


def test_redirected_writes_never_arrive() -> None:
    for story in stories("redirect-rewrites-request"):
        writes = [step for step in story.client if step.request.method in UNSAFE]
        assert all(step.status in {301, 302, 303} for step in writes), story.one.id
