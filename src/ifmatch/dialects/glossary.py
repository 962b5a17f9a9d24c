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

from ifmatch.model.cached import cached_property
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["Glossary", "Words", "bare", "english", "glossary", "lowered"]

# Words as they stand in texts and in names: `WersjaWiersza` has two.
_WORD: Final = late_pattern(r"[^\W\d_]+")
# All signs of ASCII but letters, which parts the words of such a text in a tenth of the time.
_BETWEEN: Final = str.maketrans({chr(one): " " for one in range(128) if not chr(one).isalpha()})
_HUMP: Final = late_pattern(r"[A-Z]+(?![^\WA-Z\d_])|[^\W\d_][^\WA-Z\d_]*")
# What stands between the words of a saying, in texts and in names.
_GAP: Final = late_pattern(r"[ _'\u2019-]{1,2}")
_BREAK: Final = late_pattern(r"[ '-]+")
# What stood before a word that means nothing.
_LEFT_OVER: Final = late_pattern(r"(?<=[^\W_])_+(?![\w])")
# Scripts that put no spaces between words, or signs in them that are no letters.
_UNSPACED: Final = late_pattern(r"[\u0900-\u097f\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]")
# A shorter beginning of a longer word says nothing.
_STEM: Final = 4
# Names have few words in one; what has more is a key or a checksum.
_HUMPS: Final = 5
# Longer ones are no words, and longer texts are data.
_LONGEST: Final = 40
_MOST: Final = 8000
# Names come again and again; of texts the same is looked at by several patterns in turn.
_NAME: Final = 64
_NAMES_KEPT: Final = 8192
_TEXTS_KEPT: Final = 256
_FLAGS: Final = late_pattern(r"^\(\?[im]+\)")
_CASED: Final = late_pattern(r"(?<!\\)(?:\\\\)*(?:\\[uUxN]|[A-Z])|\(\?[a-z-]*i")
_LINKS: Final = ("", "s", "n", "en", "es")


class Glossary:
    """Words of other languages with what they are in English.

    Args:
        languages: for each language the English words with the words for them, as `bare` writes them;
            `zmienion*` stands for all words that begin so, and of several words the first counts. What means
            nothing to a reader, such as a word for a row, is there for "".
    """

    def __init__(self, languages: Mapping[str, Mapping[str, list[str]]]) -> None:
        self._words: dict[str, str] = {}
        self._stems: dict[str, str] = {}
        self._unspaced: dict[str, str] = {}
        # By their first words: phrases, and what they mean; few texts begin any.
        self._phrases: dict[str, list[tuple[str, str]]] = {}
        self._sayings: dict[str, list[tuple[list[str], str]]] = {}
        # Words that mean nothing here and begin no saying, in whatever case.
        self._plain: set[str] = set()
        # Words of texts in which none is known: texts of a kind have the same, and other numbers.
        self._unknown: set[frozenset[str]] = set()
        self._seen: dict[str, str | None] = {}
        take = self._words.setdefault
        for language in languages.values():
            for meaning, words in language.items():
                for word in words:
                    # Half of them are so, and all are looked at whenever a text is.
                    if word.isascii() and word.isalpha():
                        take(word, meaning)
                    else:
                        self._learn(word, meaning)

    def _learn(self, word: str, meaning: str) -> None:
        spaced = word.isascii() or not _UNSPACED.search(word)
        if spaced and word.isalpha():
            self._words.setdefault(word, meaning)
        elif word.endswith("*"):
            self._stems.setdefault(word[:-1], meaning)
        elif not spaced:
            self._unspaced.setdefault(word, meaning)
        else:
            first = word.replace("'", " ").replace("-", " ").partition(" ")[0]
            self._phrases.setdefault(first, []).append((word, meaning))

    def _beginning(self, first: str) -> list[tuple[list[str], str]]:
        """Return the sayings that begin with a word, the longest first: their words, and what they mean."""
        found = self._sayings.get(first)
        if found is None:
            known = sorted(self._phrases[first], key=lambda one: -len(one[0]))
            found = self._sayings[first] = [(_BREAK.split(phrase), meaning) for phrase, meaning in known]
        return found

    @cached_property
    def _in_a_row(self) -> re.Pattern[str]:
        longest = sorted(self._unspaced, key=len, reverse=True)
        return re.compile("|".join(map(re.escape, longest)) or r"(?!)")

    def in_english(self, word: str) -> str | None:
        """Return a word in English, None when it is not known, or is the same in English.

        Args:
            word: of letters only; of several in one, such as `radVersjon`, each is looked up.
        """
        found = self._seen.get(word, word)
        if found is word:
            found = self._seen[word] = self._read(word) if len(word) <= _LONGEST else None
        return found

    def _read(self, word: str) -> str | None:
        parts = [word] if word.islower() or word.isupper() else _HUMP.findall(word)
        if len(parts) > _HUMPS:
            return None
        read = [(part, self._known(part)) for part in parts]
        if all(meaning is None for _, meaning in read):
            return None
        return "_".join(part if meaning is None else meaning for part, meaning in read if meaning != "")

    def _known(self, word: str) -> str | None:
        plain, low = bare(word), word.lower()
        # Some words are English but for their marks.
        found = self._words.get(low) or self._words.get(plain)
        for length in range(len(plain), _STEM - 1, -1) if found is None else ():
            found = self._stems.get(plain[:length])
            if found is not None:
                # `unveraendertseit`: another word may be written behind it.
                found = f"{found} {self._words.get(plain[length:], '')}".rstrip()
                break
        if found is None:
            found = self._compound(plain)
        return None if found == low else found

    def _compound(self, plain: str) -> str | None:
        """Return what two words written as one say: a known one, and another behind it."""
        for length in range(len(plain) - _STEM, _STEM - 1, -1):
            first = self._words.get(plain[:length])
            if first is None:
                continue
            rest = plain[length:]
            for link in _LINKS:
                second = self._words.get(rest[len(link) :]) if rest.startswith(link) else None
                if second is not None:
                    return f"{first} {second}".strip()
        return None

    def text(self, said: str) -> str:
        """Return a text with its known words in English, the text itself when none is known.

        Args:
            said: any text.
        """
        if not said.isascii() and _UNSPACED.search(said):
            said = self._in_a_row.sub(self._put_between, said).replace("  ", " ")
        every = frozenset(said.translate(_BETWEEN).split() if said.isascii() else _WORD.findall(said))
        if every in self._unknown:
            return said
        words = every - self._plain
        if not words:
            return said
        sayings = not self._phrases.keys().isdisjoint(map(bare, words)) and self._may_say(every)
        if sayings:
            said = self._put_sayings(said)
        unknown = {word for word in words if self.in_english(word) is None}
        self._plain |= {word for word in unknown if bare(word) not in self._phrases}
        if len(unknown) == len(words):
            if not sayings:
                self._note(every)
            return said
        return _LEFT_OVER.sub("", _WORD.sub(self._put, said))

    def _note(self, words: frozenset[str]) -> None:
        if len(self._unknown) >= _TEXTS_KEPT:
            self._unknown.clear()
        self._unknown.add(words)

    def _put_between(self, found: re.Match[str]) -> str:
        """Return what a word in a row of signs means, apart from the signs beside it."""
        text, meaning = found.string, self._unspaced[found[0]]
        before = text[found.start() - 1 : found.start()].isalnum() if found.start() else False
        behind = text[found.end() : found.end() + 1].isalnum()
        return f"{' ' if before else ''}{meaning}{' ' if behind else ''}"

    def _put(self, found: re.Match[str]) -> str:
        meaning = self.in_english(found[0])
        return found[0] if meaning is None else meaning

    def _put_sayings(self, said: str) -> str:
        """Return a text with what takes several words put in English."""
        words = list(_WORD.finditer(said))
        plain = [bare(found[0]) for found in words]
        pieces: list[str] = []
        end = place = 0
        while place < len(words):
            count, meaning = self._saying_at(said, words, plain, place)
            if count:
                pieces += [said[end : words[place].start()], meaning]
                end = words[place + count - 1].end()
            place += count or 1
        return "".join([*pieces, said[end:]])

    def _may_say(self, words: frozenset[str]) -> bool:
        """Tell whether a text with some words may hold a saying: all words of one."""
        plain = set(map(bare, words))
        begun = (self._beginning(word) for word in self._phrases.keys() & plain)
        return any(plain.issuperset(saying) for known in begun for saying, _ in known)

    def _saying_at(
        self, said: str, words: list[re.Match[str]], plain: list[str], place: int
    ) -> tuple[int, str]:
        """Return of how many words the longest saying is that begins at a word, and what it means."""
        begun = self._beginning(plain[place]) if plain[place] in self._phrases else ()
        for saying, meaning in begun:
            last = place + len(saying)
            if plain[place:last] != saying:
                continue
            between = zip(words[place : last - 1], words[place + 1 : last], strict=True)
            if all(_GAP.fullmatch(said, one.end(), two.start()) for one, two in between):
                return len(saying), meaning
        return 0, ""


@lru_cache(maxsize=_NAMES_KEPT)
def bare(word: str) -> str:
    """Return a word in lower case without the marks on its letters, as many people type it.

    Args:
        word: a word, or several.
    """
    low = word.lower()
    if low.isascii() or _UNSPACED.search(low):
        return low
    marked = unicodedata.normalize("NFKD", low.replace("ł", "l").replace("ø", "o").replace("\u0131", "i"))
    plain = "".join(letter for letter in marked if not unicodedata.combining(letter))
    return unicodedata.normalize("NFC", plain.replace("ß", "ss").replace("æ", "ae").replace("đ", "d"))


def lowered(pattern: str) -> re.Pattern[str] | None:
    """Return a pattern for ASCII in lower case, where letters have one case alone; None without one.

    To take every letter in either case costs a search four times as long, and compiling twice.

    Args:
        pattern: regular expression whose letters match in either case.
    """
    pattern = _FLAGS.sub(lambda found: found[0].replace("i", "").replace("(?)", ""), pattern)
    alike = pattern.isascii() and not _CASED.search(pattern)
    return re.compile(pattern) if alike else None


class Words:
    """A pattern of English words that finds the same in other languages.

    Args:
        pattern: regular expression; letters match in either case.
    """

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        """Return the pattern compiled, at its first use: a short capture needs few of some hundred."""
        return re.compile(self.pattern, re.IGNORECASE)

    def search(self, text: str) -> re.Match[str] | None:
        """Find the pattern anywhere; the match may be in the text's reading in English.

        Args:
            text: to look at.
        """
        return self._search(text) or self._read(self._search, text)

    def _search(self, text: str) -> re.Match[str] | None:
        """Find the pattern anywhere, by a quicker look first: most texts have nothing of it."""
        quick = self._lowered if text.isascii() else None
        if quick is not None and quick.search(text.lower()) is None:
            return None
        return self._compiled.search(text)

    @cached_property
    def _lowered(self) -> re.Pattern[str] | None:
        return lowered(self.pattern)

    def match(self, text: str) -> re.Match[str] | None:
        """Find the pattern at the beginning of a text, or of its reading in English.

        Args:
            text: to look at.
        """
        return self._match(text) or self._read(self._match, text)

    def _match(self, text: str) -> re.Match[str] | None:
        quick = self._lowered if text.isascii() else None
        if quick is not None and quick.match(text.lower()) is None:
            return None
        return self._compiled.match(text)

    def fullmatch(self, text: str) -> re.Match[str] | None:
        """Tell whether a whole text is as the pattern says, or its reading in English.

        Args:
            text: to look at.
        """
        return self._fullmatch(text) or self._read(self._fullmatch, text)

    def _fullmatch(self, text: str) -> re.Match[str] | None:
        quick = self._lowered if text.isascii() else None
        if quick is not None and quick.fullmatch(text.lower()) is None:
            return None
        return self._compiled.fullmatch(text)

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """Yield where the pattern is found; in the reading in English, when nowhere in the text itself.

        Args:
            text: to look at.
        """
        if self._search(text) is not None:
            return self._compiled.finditer(text)
        told = english(text)
        return iter(()) if told is text or told == text else self._compiled.finditer(told)

    def findall(self, text: str) -> list[tuple[str, ...]]:
        """Return the groups of all places where the pattern is found, as `finditer` finds them.

        Args:
            text: to look at.
        """
        return [found.groups("") for found in self.finditer(text)]

    def _read(self, look: Callable[[str], re.Match[str] | None], text: str) -> re.Match[str] | None:
        told = english(text)
        return None if told is text or told == text else look(told)


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
    if len(text) <= _NAME:
        return _name_in_english(text)
    return _text_in_english(text) if len(text) <= _MOST else text


@lru_cache(maxsize=_NAMES_KEPT)
def _name_in_english(text: str) -> str:
    return glossary().text(text)


@lru_cache(maxsize=_TEXTS_KEPT)
def _text_in_english(text: str) -> str:
    return glossary().text(text)
