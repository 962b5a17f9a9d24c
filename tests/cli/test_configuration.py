"""`ifmatch.toml` and baselines: what is expected is marked, fails nothing, and ends on its day."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest

from ifmatch.cli.configuration import Configuration, Rule, read_configuration
from ifmatch.errors import InputError
from tests.cli.running import CONFLICT, run, run_process

TOMORROW = date.today() + timedelta(days=1)  # noqa: DTZ011 - one day more or less does not matter
LAST_YEAR = date.today() - timedelta(days=366)  # noqa: DTZ011


def project(folder, text):
    (folder / "ifmatch.toml").write_text(text)
    return folder


def suppress(**keys) -> str:
    rows = [f"{key} = {value if key == 'until' else json.dumps(value)}" for key, value in keys.items()]
    return "\n".join(["[[suppress]]", *rows])


@pytest.mark.parametrize(
    ("keys", "status"),
    [
        ({"cause": "other-writer"}, 0),
        ({"cause": "other-writer", "url": "*/api/orders/*"}, 0),
        ({"url": "/api/orders/"}, 0),
        ({"cause": "other-writer", "until": TOMORROW}, 0),
        ({"cause": "self-race"}, 1),
        ({"cause": "other-writer", "url": "/elsewhere/*"}, 1),
        ({"cause": "other-writer", "until": LAST_YEAR}, 1),
    ],
)
def test_a_suppression_counts_when_cause_url_and_day_fit(keys, status, tmp_path) -> None:
    project(tmp_path, suppress(**keys, reason="ticket 123"))
    ran = run_process("diagnose", CONFLICT, "--format", "json", cwd=tmp_path)
    assert ran.status == status
    marked = json.loads(ran.out)["incidents"][0]["suppressed"]
    assert (marked is not None) == (status == 0)
    if marked is not None:
        assert (marked["reason"], marked["by"]) == ("ticket 123", "ifmatch.toml")
    assert ("renew it or mend the cause" in ran.err) == (keys.get("until") == LAST_YEAR)


@pytest.mark.parametrize(
    ("kind", "shows"),
    [
        ("text", "suppressed"),
        ("markdown", "suppressed"),
        ("html", "suppressed"),
        ("junit", "<skipped"),
        ("sarif", '"suppressions"'),
    ],
)
def test_every_report_says_so(kind, shows, tmp_path) -> None:
    project(tmp_path, suppress(cause="other-writer", reason="ticket 123"))
    ran = run("diagnose", CONFLICT, "--format", kind, "--config", tmp_path / "ifmatch.toml")
    assert ran.status == 0
    assert shows in ran.out
    assert "ticket 123" in " ".join(ran.out.split())


def test_it_is_found_from_a_folder_below_but_not_across_projects(tmp_path) -> None:
    project(tmp_path, suppress(cause="other-writer", reason="ticket 123"))
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert run_process("diagnose", CONFLICT, cwd=below).status == 0
    assert run_process("diagnose", CONFLICT, "--config", "none", cwd=below).status == 1
    (tmp_path / "a" / ".git").mkdir()
    assert run_process("diagnose", CONFLICT, cwd=below).status == 1


def test_the_level_of_the_file_is_a_default(tmp_path) -> None:
    config = project(tmp_path, 'fail-on = "none"') / "ifmatch.toml"
    assert run("diagnose", CONFLICT, "--config", config).status == 0
    assert run("diagnose", CONFLICT, "--config", config, "--fail-on", "low").status == 1


def test_a_baseline_takes_in_what_is_there_and_nothing_new(tmp_path) -> None:
    baseline = tmp_path / "known.json"
    assert run("diagnose", CONFLICT, "--write-baseline", baseline).status == 0
    assert run("diagnose", CONFLICT, "--baseline", baseline).status == 0
    other = CONFLICT.with_name("c031.client.har")
    assert run("diagnose", other, "--baseline", baseline).status == 1
    config = project(tmp_path, 'baseline = "known.json"') / "ifmatch.toml"
    assert run("diagnose", CONFLICT, "--config", config).status == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("fail-on = ", "is no TOML"),
        ('fail_on = "high"', "key fail_on: is unknown. Expected: baseline, fail-on, suppress"),
        ('fail-on = "worst"', "'worst' is no level"),
        ("fail-on = 3", "is no text"),
        ("suppress = 3", "is no list of tables"),
        ('[[suppress]]\nreason = "x"', "suppress[0].cause: is missing, and url too"),
        ('[[suppress]]\ncause = "other-writer"', "suppress[0].reason: is missing"),
        ('[[suppress]]\ncause = "ohter-writer"\nreason = "x"', "'ohter-writer' is no cause"),
        ('[[suppress]]\ncause = "other-writer"\nreason = "x"\nuntil = "soon"', "is no date"),
        ('[[suppress]]\ncause = "other-writer"\nreason = "x"\nuntil = "2027-01-31"', "without quotes"),
        ('[[suppress]]\ncause = "other-writer"\nurl = ""\nreason = "x"', "suppress[0].url: is empty"),
        ('[[suppress]]\ncause = ""\nurl = "/a"\nreason = "x"', "suppress[0].cause: is empty"),
        ('baseline = "nowhere.json"', "nowhere.json: cannot be read"),
        ('baseline = "ifmatch.toml"', "is no baseline"),
    ],
)
def test_what_is_wrong_is_named(text, words, tmp_path) -> None:
    project(tmp_path, text)
    with pytest.raises(InputError) as caught:
        read_configuration(tmp_path / "ifmatch.toml")
    assert words in str(caught.value)
    assert run("diagnose", CONFLICT, "--config", tmp_path / "ifmatch.toml").status == 3


def test_the_first_rule_that_holds_counts() -> None:
    from ifmatch.capture import read
    from ifmatch.diagnosis import diagnose

    with CONFLICT.open("rb") as stream:
        diagnosis = diagnose([read(stream, "c.har")])
    rules = (Rule("other-writer", "", LAST_YEAR, "old"), Rule("", "*", None, "new"))
    marked, warnings = Configuration("f", rules=rules).apply(diagnosis, TOMORROW)
    assert marked.incidents[0].suppressed.reason == "new"
    assert warnings == []
