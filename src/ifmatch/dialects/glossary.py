"""Read texts and names in other languages as if they were English: word by word, with a glossary; pure.

What services say of versions, changes and refusals is said with few words. Patterns are written for English;
where one finds nothing, it looks at the same text with the known words of other languages in English.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["Glossary", "Words", "english", "glossary"]

# Words as they stand in texts and in names: `WersjaWiersza` has two.
_WORD: Final = re.compile(r"[^\W\d_]+")
_HUMP: Final = re.compile(r"[A-Z]+(?![a-z])|[^\W\d_][^\WA-Z\d_]*")
# Scripts that put no spaces between words.
_UNSPACED: Final = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]")
# A shorter beginning of a longer word says nothing.
_STEM: Final = 4
_LONGEST: Final = 40
_MOST: Final = 8000
# Texts that are remembered, as several patterns look at each.
_KEPT: Final = 4096


class Glossary:
    """Words of other languages with what they are in English.

    Args:
        languages: for each language the English words with the words for them; `zmienion*` stands for all
            words that begin so. What means nothing to a reader, such as a word for a row, is there for "".
    """

    def __init__(self, languages: Mapping[str, Mapping[str, list[str]]]) -> None:
        self._words: dict[str, str] = {}
        self._stems: dict[str, str] = {}
        self._phrases: dict[str, str] = {}
        unspaced: dict[str, str] = {}
        for meaning, word in _entries(languages):
            if _UNSPACED.search(word):
                unspaced.setdefault(word, meaning)
            elif " " in word:
                self._phrases.setdefault(_bare(word), meaning)
            elif word.endswith("*"):
                self._stems.setdefault(_bare(word[:-1]), meaning)
            else:
                self._words.setdefault(_bare(word), meaning)
        self._unspaced = unspaced
        self._seen: dict[str, str | None] = {}
        longest = sorted(unspaced, key=len, reverse=True)
        self._in_a_row = re.compile("|".join(map(re.escape, longest))) if longest else None
        phrases = sorted(self._phrases, key=len, reverse=True)
        self._sayings = (
            re.compile(rf"\b(?:{'|'.join(map(re.escape, phrases))})\b", re.IGNORECASE) if phrases else None
        )
        self._begun = frozenset(phrase.partition(" ")[0] for phrase in phrases)

    def in_english(self, word: str) -> str | None:
        """Return a word in English, None when it is not known.

        Args:
            word: of letters only; of several in one, such as `radVersjon`, each is looked up.
        """
        if word.islower() or len(word) == 1:
            return self._known(word)
        parts = _HUMP.findall(word)
        if len(parts) == 1:
            return self._known(word)
        read = [(part, self._known(part)) for part in parts]
        if all(meaning is None for _, meaning in read):
            return None
        return "_".join(part if meaning is None else meaning for part, meaning in read if meaning != "")

    def _known(self, word: str) -> str | None:
        found = self._seen.get(word, word)
        if found is word:
            found = self._seen[word] = self._looked_up(_bare(word)) if len(word) <= _LONGEST else None
        return found

    def _looked_up(self, bare: str) -> str | None:
        found = self._words.get(bare)
        if found is not None:
            return found
        for length in range(len(bare), _STEM - 1, -1):
            found = self._stems.get(bare[:length])
            if found is not None:
                return found
        return self._compound(bare)

    def _compound(self, bare: str) -> str | None:
        """Return what two words written as one say: a known one, and another behind it."""
        for length in range(len(bare) - _STEM, _STEM - 1, -1):
            first = self._words.get(bare[:length])
            if first is None:
                continue
            rest = bare[length:]
            for link in ("", "s", "n", "en", "es"):
                second = self._words.get(rest[len(link) :]) if rest.startswith(link) else None
                if second is not None:
                    return f"{first} {second}".strip()
        return None

    def text(self, said: str) -> str:
        """Return a text with its known words in English, the text itself when none is known.

        Args:
            said: any text.
        """
        if self._in_a_row is not None and _UNSPACED.search(said):
            said = self._in_a_row.sub(lambda found: f" {self._unspaced[found[0]]} ", said)
        return _WORD.sub(self._put, self._put_sayings(said))

    def _put(self, found: re.Match[str]) -> str:
        meaning = self.in_english(found[0])
        return found[0] if meaning is None else meaning

    def _put_sayings(self, said: str) -> str:
        """Return a text with what takes several words put in English."""
        if self._sayings is None or self._begun.isdisjoint(_bare(word) for word in _WORD.findall(said)):
            return said
        bare = _bare(said)
        if len(bare) != len(said):
            return self._sayings.sub(lambda found: self._phrases[found[0].lower()], bare)
        pieces: list[str] = []
        at = 0
        for found in self._sayings.finditer(bare):
            pieces += [said[at : found.start()], self._phrases[found[0].lower()]]
            at = found.end()
        return "".join([*pieces, said[at:]])


def _entries(languages: Mapping[str, Mapping[str, list[str]]]) -> Iterator[tuple[str, str]]:
    for words in languages.values():
        for meaning, own in words.items():
            for word in own:
                yield meaning, word


@lru_cache(maxsize=_KEPT)
def _bare(word: str) -> str:
    """Return a word in lower case without the marks on its letters, as many people type it."""
    low = word.lower()
    if low.isascii():
        return low
    marked = unicodedata.normalize("NFKD", low.replace("ł", "l").replace("ø", "o").replace("\u0131", "i"))
    return "".join(letter for letter in marked if not unicodedata.combining(letter)).replace("ß", "ss")


class Words:
    """A pattern of English words that finds the same in other languages.

    Args:
        pattern: regular expression; letters match in either case.
    """

    __slots__ = ("_compiled", "pattern")

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self._compiled = re.compile(pattern, re.IGNORECASE)

    def search(self, text: str) -> re.Match[str] | None:
        """Find the pattern anywhere; the match may be in the text's reading in English.

        Args:
            text: to look at.
        """
        return self._compiled.search(text) or self._read(self._compiled.search, text)

    def match(self, text: str) -> re.Match[str] | None:
        """Find the pattern at the beginning of a text, or of its reading in English.

        Args:
            text: to look at.
        """
        return self._compiled.match(text) or self._read(self._compiled.match, text)

    def fullmatch(self, text: str) -> re.Match[str] | None:
        """Tell whether a whole text is as the pattern says, or its reading in English.

        Args:
            text: to look at.
        """
        return self._compiled.fullmatch(text) or self._read(self._compiled.fullmatch, text)

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """Yield where the pattern is found; in the reading in English, when nowhere in the text itself.

        Args:
            text: to look at.
        """
        found = self._compiled.search(text) is not None
        return self._compiled.finditer(text if found else english(text))

    def findall(self, text: str) -> list[tuple[str, ...]]:
        """Return the groups of all places where the pattern is found, as `finditer` finds them.

        Args:
            text: to look at.
        """
        return [found.groups("") for found in self.finditer(text)]

    def _read(self, look: Callable[[str], re.Match[str] | None], text: str) -> re.Match[str] | None:
        told = english(text)
        return None if told == text else look(told)


@cache
def glossary() -> Glossary:
    """Return the glossary that comes with the package."""
    data = (resources.files("ifmatch.dialects") / "glossary.json").read_bytes()
    return Glossary(msgspec.json.decode(data, type=dict[str, dict[str, list[str]]]))


def english(text: str) -> str:
    """Return a text with the words of other languages that are known in English.

    Args:
        text: of any language, or of several; a long one is data, and stays as it is.
    """
    return _in_english(text) if len(text) <= _MOST else text


@lru_cache(maxsize=_KEPT)
def _in_english(text: str) -> str:
    return glossary().text(text)
