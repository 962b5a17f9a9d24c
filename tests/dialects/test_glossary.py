"""The glossary: other languages read as English, English left alone."""

from __future__ import annotations

import json
import pathlib

import pytest

from ifmatch.dialects.glossary import Glossary, Words, bare, english, glossary

ROOT = pathlib.Path(__file__).parents[2]
DATA = json.loads((ROOT / "src/ifmatch/dialects/glossary.json").read_text("utf-8"))
ENTRIES = [
    (language, meaning, word)
    for language, words in DATA.items()
    for meaning, own in words.items()
    for word in own
]
SMALL = Glossary(
    {
        "pl": {"version": ["wersj*"], "": ["wiersz*"], "changed": ["zmienion*"], "by": ["przez"]},
        "fr": {"already exists": ["existe deja"], "no longer": ["n'est plus"], "edited": ["edite"]},
        "de": {"conflict": ["konflikt"], "version": ["fassung"]},
        "ja": {"changed": ["変更され"]},
    }
)


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("wersja", "version"),
        ("WersjaWiersza", "version"),
        ("zmieniony_przez", "changed_by"),
        ("ZMIENIONY przez", "changed by"),
        ('{"fassung": 7}', '{"version": 7}'),
        ("Fassungskonflikt", "version conflict"),
        ("L'objet existe déjà.", "L'objet already exists."),
        ("EXISTE_DEJA", "already exists"),
        ("elle n\u2019est plus là", "elle no longer là"),
        ("データが変更されました", "データが changed ました"),
        ("変更され", "changed"),
        ("ÉDITÉ", "edited"),
        ('{"fassung_wiersz": 1}', '{"version": 1}'),
        ("a plain text", "a plain text"),
        ("", ""),
    ],
)
def test_words_sayings_names_and_compounds_are_read(said: str, read: str) -> None:
    assert SMALL.text(said) == read


def test_what_looks_like_a_key_is_no_name() -> None:
    assert SMALL.text("aWersjaBcDeFgHiJk") == "aWersjaBcDeFgHiJk"


def test_a_pattern_looks_at_the_text_first_and_then_at_its_reading() -> None:
    words = Words(r"(changed) by (\w+)")
    found = words.search("was changed by Ann")
    assert found is not None
    assert found[2] == "Ann"
    told = words.search("Rekord zmieniony przez Ewa")
    assert told is not None
    assert told.groups() == ("changed", "Ewa")
    assert words.match("zmieniony przez X") is not None
    assert words.fullmatch("zmieniony przez X") is not None
    assert words.fullmatch("nie zmieniony przez X") is None
    assert [one[2] for one in words.finditer("zmieniony przez X, zmieniona przez Y")] == ["X", "Y"]
    assert words.findall("changed by Z") == [("changed", "Z")]
    assert words.search("nothing of the kind") is None


def test_words_are_written_as_they_are_looked_up_but_for_those_that_are_english_without_marks() -> None:
    assert [word for _, _, word in ENTRIES if word != word.lower()] == []
    marked = [word for _, _, word in ENTRIES if bare(word) != word]
    assert len(marked) < len(ENTRIES) / 50


def test_no_word_has_two_meanings_or_stands_twice() -> None:
    seen: dict[str, str] = {}
    twice = [word for _, meaning, word in ENTRIES if seen.setdefault(word, meaning) != meaning]
    assert twice == []
    assert len(seen) == len(ENTRIES)


def test_stems_are_long_enough_to_say_something() -> None:
    stems = [word for _, _, word in ENTRIES if word.endswith("*")]
    assert stems
    assert [word for word in stems if len(word) < 5] == []


@pytest.mark.parametrize("path", sorted((ROOT / "cases/lab").glob("*.har"))[::4], ids=lambda path: path.name)
def test_english_traffic_reads_as_it_is(path: pathlib.Path) -> None:
    """What the recordings of the lab say is English: no word of it may be taken for another one."""
    entries = json.loads(path.read_text("utf-8"))["log"]["entries"]
    for entry in entries:
        content = entry["response"]["content"]
        text = content.get("text", "")
        if content.get("encoding") != "base64" and "text/html" not in content.get("mimeType", ""):
            assert english(text) == text


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("Der Datensatz wurde inzwischen von einem anderen Benutzer geändert", ("changed", "user")),
        ("La versión 7 no coincide con la versión actual", ("version", "current")),
        ("La fiche a été modifiée depuis", ("changed", "since")),
        ("De versie is verouderd", ("version", "outdated")),
        ("Wersja jest nieaktualna", ("version", "outdated")),
        ("バージョンが一致しません", ("version",)),
        ("版本冲突", ("version", "conflict")),
    ],
)
def test_what_services_say_is_read(said: str, wanted: tuple[str, ...]) -> None:
    read = glossary().text(said)
    assert [word for word in wanted if word not in read] == []
