"""Reports of a shadow are put together and answered."""

from __future__ import annotations

import json

import pytest

from ifmatch.errors import InputError
from ifmatch.server.rollout import as_json, as_text, merge, notice
from ifmatch.server.shadow import Shadow


def report(*clients: str) -> dict:
    shadow = Shadow()
    for client in clients:
        shadow.read(client, "/notes/1", None)
    for client in clients:
        shadow.wrote(client, "/notes/1", "PUT", route="/notes/{id}", guarded=client.startswith("good"))
    return json.loads(json.dumps(shadow.report()))


def test_reports_are_put_together() -> None:
    rollout = merge([("a", report("good", "bad")), ("b", report("bad", "worse"))])
    answer = as_json(rollout)
    assert answer["writes"] == 4
    assert answer["would_answer_428"] == 3
    assert answer["overwrote_at_least"] == 2
    clients = {client["client"]: client for client in answer["clients"]}
    assert clients["good"]["ready"] is True
    assert clients["bad"]["routes"] == {"PUT /notes/{id}": 2}
    assert clients["worse"]["overwrote_at_least"] == 1
    assert rollout.reports == 2


def test_the_text_says_who_breaks_what_is_lost_and_what_next() -> None:
    text = as_text(merge([("a", report("good", "bad"))]))
    assert "2 writes" not in text
    assert "Writes: 2, 1 (50 %) without a precondition." in text
    assert "at least 1" in text
    assert "1 client of 2 breaks:" in text
    assert "bad: 1 would be answered 428, 1 overwrote" in text
    assert "Ready: good" in text
    assert "Next: send the notice" in text
    assert "Next: nobody breaks" in as_text(merge([("a", report("good"))]))
    assert "Next: nothing was written" in as_text(merge([("a", report())]))


def test_events_of_report_only_count_as_what_would_fail() -> None:
    one = report("good")
    one["rows"][0]["events"] = {"refused:etag-weakened": 3, "malformed:malformed-validator": 1, "missing": 2}
    rollout = merge([("a", one)])
    (client,) = rollout.breaking
    assert client.would_fail == {"etag-weakened": 3, "malformed-validator": 1}
    assert client.missing == 2
    assert "would be answered 412 or 400, etag-weakened: 3" in as_text(rollout)


def test_a_write_that_is_also_an_event_counts_once() -> None:
    one = report("bad")
    one["rows"][0]["events"] = {"missing:token-missing": 1}
    assert merge([("a", one)]).missing == 1


def test_requests_that_were_answered_428_are_no_more_than_all() -> None:
    shadow = Shadow()
    shadow.wrote("bad", "/notes/1", "PUT", route="/notes/{id}", guarded=False)
    one = json.loads(json.dumps(shadow.report()))
    one["rows"][0]["events"] = {"missing:token-missing": 2, "unguarded": 1}
    rollout = merge([("a", one)])
    assert (rollout.writes, rollout.missing, rollout.turned_away) == (1, 3, 2)
    text = as_text(rollout)
    assert "Writes: 3, 3 (100 %) without a precondition.\nAt least 2 of them were not performed.\n" in text


def test_many_clients_are_not_all_listed() -> None:
    text = as_text(
        merge([("a", report(*(f"bad-{n}" for n in range(25)), *(f"good-{n}" for n in range(22))))])
    )
    assert text.count("would be answered 428") == 20
    assert "\n  and 5 more; --format json names all\n" in text
    assert "\n  and 2 more; --format json names all\n" in text


def test_names_that_no_two_reports_share_are_explained() -> None:
    told = "No client has the same name in two reports"
    assert told in as_text(merge([("a", report("curl/8#01")), ("b", report("curl/8#02"))]))
    assert told not in as_text(merge([("a", report("curl/8#01")), ("b", report("curl/8#01", "curl/8#02"))]))
    assert told not in as_text(merge([("a", report("curl/8#01"))]))
    assert told not in as_text(merge([("a", report("ann")), ("b", report("bob"))]))


def test_the_notice_names_the_routes_and_what_to_do() -> None:
    text = notice(merge([("a", report("good", "bad"))]), service="Notes", date="1 March 2027")
    assert text.startswith("# Notes: writes need If-Match from 1 March 2027\n")
    assert "- `PUT /notes/{id}`" in text
    assert "If-None-Match: *" in text
    assert "bad" not in text  # it goes to clients: no names of others


@pytest.mark.parametrize("bad", [{}, [], None, 3, {"schema": "ifmatch.x/1"}, {"schema": "ifmatch.rollout/1"}])
def test_what_is_no_report_is_told(bad) -> None:
    with pytest.raises(InputError, match=r"x\.json: this is no report of a roll-out\. Expected: "):
        merge([("x.json", bad)])
    with pytest.raises(InputError, match="there is no report"):
        merge([])
