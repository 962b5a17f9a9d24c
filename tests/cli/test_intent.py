"""Without a verb: what was meant is done; near misses name the right verb."""

from __future__ import annotations

import pytest

from ifmatch.cli.verbs import INSTEAD_OF, VERBS
from tests.cli.running import CONFLICT, run


@pytest.mark.parametrize(
    ("arguments", "shows"),
    [
        ((str(CONFLICT),), "Somebody else changed it first"),
        (("--format", "markdown", str(CONFLICT)), "#"),
        (("412",), "412 Precondition Failed"),
        (("If-Match",), "If-Match"),
        (("etag-weakened",), "etag-weakened"),
        (("is", "it", "safe", "to", "retry?"), "retry"),
        (("what does 412 mean",), "412"),
    ],
)
def test_what_was_meant_is_done(arguments, shows) -> None:
    ran = run(*arguments)
    assert ran.status in {0, 1}
    assert shows.lower() in ran.out.lower()


@pytest.mark.parametrize("word", sorted(INSTEAD_OF))
def test_words_that_people_try_name_what_to_type(word) -> None:
    if word in VERBS:
        pytest.skip("is a verb by now")
    ran = run(word)
    assert ran.status == 2
    assert "ifmatch" in ran.err
    advised = ran.err.split("ifmatch ")[-1].split()[0].strip(".")
    assert advised in VERBS or advised.startswith("--")


@pytest.mark.parametrize(
    ("word", "near"), [("diagnsoe", "diagnose"), ("explian", "explain"), ("other-writr", "other-writer")]
)
def test_a_misspelt_word_gets_what_is_near(word, near) -> None:
    ran = run(word)
    assert ran.status == 2
    assert near in ran.err


@pytest.mark.parametrize("name", ["x" * 5000, "x" * 300 + ".har"])
@pytest.mark.parametrize("verb", [(), ("diagnose",), ("redact",)])
def test_a_name_longer_than_the_system_allows_is_no_crash(verb, name) -> None:
    ran = run(*verb, name)
    assert ran.status in {2, 3}
    assert "internal error" not in ran.err


def test_an_output_longer_than_the_system_allows_is_no_crash() -> None:
    ran = run("diagnose", str(CONFLICT), "-o", "x" * 300 + ".html")
    assert ran.status == 2
    assert "cannot be written" in ran.err


def test_what_is_near_is_named_once() -> None:
    near = run("escalat").err.split("Near: ")[1].strip().split(", ")
    assert near[0] == "ifmatch escalate"
    assert len(near) == len(set(near))


def test_a_recording_that_is_checked_is_sent_to_diagnose() -> None:
    ran = run("check", str(CONFLICT))
    assert ran.status == 2
    assert f"ifmatch diagnose {CONFLICT}" in ran.err


def test_nonsense_is_answered_with_the_verbs() -> None:
    ran = run("qqqqzzzz")
    assert ran.status == 2
    assert "diagnose" in ran.err


def test_help_lists_every_verb_and_version_is_said() -> None:
    text = run("--help").out
    assert all(name in text for name in VERBS)
    assert run().out == text
    assert run("--version").out.startswith("ifmatch ")


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example_or_arguments(verb) -> None:
    ran = run(verb, "--help")
    assert ran.status == 0
    assert "Usage: ifmatch" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80
    assert "\\b" not in ran.out
