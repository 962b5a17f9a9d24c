"""Options of the verbs that ask a server: what is for ifmatch goes before the command."""

from __future__ import annotations

import pytest

from tests.cli.running import run

URL = "http://127.0.0.1:9/note"


@pytest.mark.parametrize(
    ("verb", "behind"),
    [
        ("fix", ("--base", "before.json")),
        ("fix", ("--apply",)),
        ("fix", ("--yes",)),
        ("diagnose", ("--send",)),
        ("diagnose", ("--format", "json")),
    ],
)
def test_an_option_behind_the_command_is_not_lost(verb, behind) -> None:
    ran = run(verb, "--", "curl", "-X", "PUT", URL, "-d", "x", *behind)
    assert ran.status == 2
    assert f"ifmatch {verb} {behind[0]}" in ran.err
    assert "cannot be resolved" not in ran.err


def test_an_option_that_nobody_knows_is_a_warning_still() -> None:
    ran = run("diagnose", "--", "curl", "-X", "PUT", URL, "--no-such-thing")
    assert ran.status == 4
    assert "--no-such-thing: unknown option" in ran.err
