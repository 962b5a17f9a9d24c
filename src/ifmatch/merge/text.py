"""Combine two descendants of a text, line by line."""

from __future__ import annotations

from dataclasses import dataclass

from ifmatch.merge.sequences import three_way_stretches

__all__ = ["TextConflict", "TextMerge", "merge_text"]


@dataclass(frozen=True, slots=True)
class TextConflict:
    """A run of lines that both sides changed, differently.

    Attributes:
        line: where it begins in the base, 1-based.
        base: the lines before, ends of lines included.
        mine: the lines of this side.
        theirs: the lines of the other side.
    """

    line: int
    base: str
    mine: str
    theirs: str


@dataclass(frozen=True, slots=True)
class TextMerge:
    """What came of a merge of texts.

    Attributes:
        parts: merged text and conflicts in order.
    """

    parts: tuple[str | TextConflict, ...]

    @property
    def conflicts(self) -> tuple[TextConflict, ...]:
        """Return the conflicts, in order."""
        return tuple(part for part in self.parts if isinstance(part, TextConflict))

    def text(self, *, mine: str = "mine", theirs: str = "theirs", base: str = "base") -> str:
        """Return the text, conflicts between markers as version control draws them.

        Args:
            mine: name of this side.
            theirs: name of the other side.
            base: name of the base.
        """
        return "".join(
            part if isinstance(part, str) else _marked(part, mine, theirs, base) for part in self.parts
        )


def _ended(lines: str) -> str:
    return lines if not lines or lines.endswith("\n") else lines + "\n"


def _marked(conflict: TextConflict, mine: str, theirs: str, base: str) -> str:
    return (
        f"<<<<<<< {mine}\n{_ended(conflict.mine)}||||||| {base}\n{_ended(conflict.base)}"
        f"=======\n{_ended(conflict.theirs)}>>>>>>> {theirs}\n"
    )


def merge_text(base: str, mine: str, theirs: str) -> TextMerge:
    """Merge two descendants of a text by lines (diff3).

    Lines end with LF; a CR before it belongs to the line, so that files keep their ends of lines.

    Args:
        base: the text both sides started from.
        mine: this side's text.
        theirs: the other side's text.
    """
    if theirs in (mine, base):
        return TextMerge((mine,) if mine else ())
    if mine == base:
        return TextMerge((theirs,) if theirs else ())
    before, ours, other = (_lines(text) for text in (base, mine, theirs))
    parts: list[str | TextConflict] = []
    for stretch in three_way_stretches(before, ours, other):
        texts = ["".join(before[slice(*stretch.base)]), "".join(ours[slice(*stretch.mine)])]
        texts.append("".join(other[slice(*stretch.theirs)]))
        if stretch.stable or texts[1] in (texts[0], texts[2]):
            parts.append(texts[2])
        elif texts[2] == texts[0]:
            parts.append(texts[1])
        else:
            parts.append(TextConflict(stretch.base[0] + 1, texts[0], texts[1], texts[2]))
    return TextMerge(tuple(part for part in parts if part))


def _lines(text: str) -> list[str]:
    lines = text.split("\n")
    last = lines.pop()
    return [line + "\n" for line in lines] + ([last] if last else [])
