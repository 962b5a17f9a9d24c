"""Turn the octets of a text capture into lines, free of what mail, Markdown and terminals put around them.

The octets stay recoverable: `TextSource.octets` undoes the decoding exactly, so that content keeps its
length and field values keep their octets (RFC 9110 section 5.5: obs-text is not decoded).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ifmatch.capture.base.decompression import gunzip
from ifmatch.capture.texts.line_prefixes import turned, without_comment_signs, without_prefixes
from ifmatch.capture.texts.recognised_text import without_odd_blanks
from ifmatch.errors import InputError
from ifmatch.model.exchange import CaptureWarning
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from typing import BinaryIO

# A text capture is read whole. A trace of this size holds some hundred thousand exchanges.
MAXIMAL_TEXT_OCTETS = 256 * 1024 * 1024

CURL_PREFIX = r"(?:\d\d:\d\d:\d\d\.\d{3,6} )?(?:\[[0-9x]+-[0-9x]+\] )?"
_START = r"(?:[A-Za-z-]{2,20} \S.{0,4000}? HTTP/\d|HTTP/\d(?:\.\d)? \d{3}\b)"
# What tells a line of HTTP from prose, below any number of `> `, `< ` and time stamps.
_MARK = re.compile(rf"\s*{CURL_PREFIX}(?:[<>]{{1,2}} ?)?(?:{_START}|\* {{1,3}}[A-Z]|== Info: |[=<][=>] )")
_ANSI = re.compile(r"\x1b(?:\[[0-9;:?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][A-Z0-9])")
_BINARY = re.compile(r"[\x00-\x06\x0e-\x1a\x1c-\x1f\ufffd]")
_QUOTED_STATUS = re.compile(rf"(?:> ?){{1,9}}(?:{CURL_PREFIX}< ?)?HTTP/\d(?:\.\d)? \d{{3}}\b")
_QUOTED_CURL = re.compile(rf"> {CURL_PREFIX}(?:\* {{1,3}}[A-Z]|== Info: )")
# Markdown, Jira, HTML.
_FENCE = re.compile(
    r"[ \t]{0,8}(?:(?:`{3,}|~{3,})[^`]{0,60}|\{(?:code|noformat)(?::[^}]{0,60})?\}|</?pre>)\s*$"
)
_INDENT = re.compile(r"[ \t]*")
_QUOTES = re.compile(r'"+')
_SERVER_QUOTES = re.compile(r"(?:(?<![\w-])|(?<=\\n))etag:?\s{0,5}(?:W/)?\\?\"\"[^\"]", re.IGNORECASE)
_NO_BREAK = "\u00a0"
_LINE_NUMBER = re.compile(r"[ \t]{0,8}(\d{1,6})(?::|[.|)]?(?=\s|\Z))([ \t]*)(.*)\Z", re.DOTALL)
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7,9}(?:Z|[+-]\d\d:\d\d) ?")
_LOOKED_AT = 50
_NUMBERED_LEAST = 4
_NUMBERED_SHARE = 0.7
_UTF16_MARKS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


class TextSource(Frozen, frozen=True):
    """The lines of a text capture.

    Attributes:
        name: name of the source as the user gave it.
        lines: text of each line without its line end, `None` where nothing of interest stands (prose
            around Markdown fences); the line with index i is line i + 1 of the file.
        encoding: what `octets` encodes with.
        warnings: what was repaired on the way.
    """

    name: str
    lines: tuple[str | None, ...]
    encoding: str
    warnings: tuple[CaptureWarning, ...] = ()

    def octets(self, text: str) -> bytes:
        """Return the octets that stood in the source for this text.

        Args:
            text: text taken from `lines`.
        """
        return text.encode(self.encoding, "surrogatepass")

    def wire(self, text: str) -> str:
        """Return a field value as the model holds it: each octet as one latin-1 character.

        Args:
            text: text taken from `lines`.
        """
        return text if text.isascii() else self.octets(text).decode("latin-1")


def read_text(stream: BinaryIO, name: str) -> TextSource:
    """Read a whole text capture; gzip, byte order marks and UTF-16 are undone.

    Args:
        stream: binary stream at the start of the capture.
        name: name of the source, for warnings and errors.

    Raises:
        InputError: the source is empty, larger than 256 MiB or broken gzip.
    """
    data = stream.read(MAXIMAL_TEXT_OCTETS + 1)
    if len(data) > MAXIMAL_TEXT_OCTETS:
        raise InputError(
            "the text is larger than 256 MiB", source=name, advice="Cut out the part around the failure"
        )
    warnings: list[CaptureWarning] = []
    if data[:2] == b"\x1f\x8b":
        data, cut = gunzip(data, name)
        if cut:
            warnings.append(CaptureWarning("the gzip file ends early; what was whole is read"))
    text, encoding = decode(data)
    if not text.strip():
        raise InputError("the source is empty", source=name, advice="Give a HAR file or a curl -v trace")
    lines, repairs = unwrap(_split(text))
    warnings.extend(CaptureWarning(repair) for repair in repairs)
    return TextSource(name, tuple(lines), encoding, tuple(warnings))


def decode(data: bytes) -> tuple[str, str]:
    """Decode text: byte order mark, UTF-16 without one, UTF-8, else latin-1.

    Args:
        data: the octets of a capture, or of its head.

    Returns:
        The text, and the encoding that turns it back into the octets that the tool wrote (for UTF-16,
        which only a shell in between can have made, UTF-8).
    """
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    wide = _UTF16_MARKS.get(data[:2])
    if wide:
        return data[2:].decode(wide, "replace"), "utf-8"
    head = data[:512]
    if len(head) >= 4 and b"\0" in head:
        for offset, guess in ((1, "utf-16-le"), (0, "utf-16-be")):
            if head[offset::2].count(0) > 0.9 * (len(head) // 2) and b"\0" not in head[1 - offset :: 2]:
                return data.decode(guess, "replace"), "utf-8"
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as error:
        if error.start > len(data) - 4 and "unexpected end" in error.reason:
            return data[: error.start].decode("utf-8"), "utf-8"
        return data.decode("latin-1"), "latin-1"


def _split(text: str) -> list[str | None]:
    if "\n" not in text and "\r" in text:
        return list(text.split("\r"))
    lines = text.split("\n")
    with_return = sum(line.endswith("\r") for line in lines)
    if with_return and with_return >= len(lines) - 1:
        # The whole file was written with CRLF by a shell or an editor; the tool wrote LF.
        return [line.removesuffix("\r") for line in lines]
    return list(lines)


def _is_mark(line: str | None) -> bool:
    """Tell whether a line looks like HTTP or like a line of a curl trace, whatever stands before it."""
    return bool(line) and _MARK.match(line or "") is not None


# Wireshark's tree: what stands below it belongs to it.
_TREE = "Hypertext Transfer Protocol"
# `wget -S` indents the heads of answers.
_AWAITED = "HTTP request sent, awaiting response..."


def unwrap(lines: list[str | None]) -> tuple[list[str | None], list[str]]:
    """Take off colour codes, mail quoting, Markdown fences and a common indent.

    Args:
        lines: the lines of a source.

    Returns:
        As many lines, and a sentence for each repair.
    """
    repairs: list[str] = []
    coloured = [i for i, line in enumerate(lines) if line and "\x1b" in line and _is_coloured(line)]
    if coloured:
        lines = list(lines)
        for index in coloured:
            lines[index] = _ANSI.sub("", lines[index] or "")
        repairs.append("terminal colour codes were taken off")
    prefixless = without_prefixes(lines, _is_mark)
    if prefixless is not None:
        lines = prefixless
        repairs.append("what a log collector had put before the lines was taken off")
    commented = without_comment_signs(lines)
    if commented is not None:
        lines = commented
        repairs.append("the signs of comments before traffic were taken off")
    upright = turned(lines)
    if upright is not None:
        lines = upright
        repairs.append("`<` stands before what was sent here, `>` before answers; read so")
    recognised = without_odd_blanks(lines)
    if recognised is not None:
        lines = recognised
        repairs.append("blanks that the recognition of text had put into signs of HTTP were taken out")
    blanks = _with_plain_blanks(lines)
    if blanks is not lines:
        lines = blanks
        repairs.append("no-break blanks were made plain ones")
    for _level in range(5):
        if not (_all_quoted(lines) or any(line and line[0] == ">" and _is_quoted(line) for line in lines)):
            break
        lines = [_unquoted(line) for line in lines]
        if not any(repair.startswith("mail") for repair in repairs):
            repairs.append("mail quoting (`> `) was taken off")
    stampless = _without_stamps(lines)
    if stampless is not lines:
        lines = stampless
        repairs.append("the times before the lines were taken off")
    numberless = _without_numbers(lines)
    if numberless is not lines:
        lines = numberless
        repairs.append("line numbers were taken off")
    lines = _inside_fences(lines)
    if _is_doubled(lines):
        lines = [line.replace('""', '"') if line else line for line in lines]
        repairs.append("quotes that a spreadsheet had doubled were undone")
    return _dedented(lines), repairs


def _with_plain_blanks(lines: list[str | None]) -> list[str | None]:
    """Make plain blanks of no-break ones before a line's text; everywhere where no plain one is."""
    if not any(line and _NO_BREAK in line for line in lines):
        return lines
    if not any(line and " " in line for line in lines):
        return [line.replace(_NO_BREAK, " ") if line else line for line in lines]
    if not any(line and line[0] == _NO_BREAK for line in lines):
        return lines
    return [
        " " * (len(line) - len(rest)) + rest if line and (rest := line.lstrip(_NO_BREAK)) != line else line
        for line in lines
    ]


def _begins_with(lines: list[str | None], pattern: re.Pattern[str]) -> bool:
    """Tell whether one of the first lines shows what a text would have on nearly every line."""
    return any(line and pattern.match(line) for line in lines[:_LOOKED_AT])


def _without_stamps(lines: list[str | None]) -> list[str | None]:
    """Take off the times that `kubectl logs --timestamps` puts before the lines of a trace or of messages."""
    if not _begins_with(lines, _STAMP):
        return lines
    filled = [line for line in lines if line and line.strip()]
    stamped = [found for line in filled if (found := _STAMP.match(line)) is not None]
    if not stamped or len(stamped) < 0.9 * len(filled):
        return lines
    bare = [_STAMP.sub("", line, count=1) if line else line for line in lines]
    return bare if any(_is_mark(line) for line in bare) else lines


def _without_numbers(lines: list[str | None]) -> list[str | None]:
    """Take off the numbers that an editor or a page wrote before the lines: each one more than the last."""
    if not _begins_with(lines, _LINE_NUMBER):
        return lines
    found = [_LINE_NUMBER.match(line) if line else None for line in lines]
    numbers = [(index, int(match[1])) for index, match in enumerate(found) if match is not None]
    filled = sum(1 for line in lines if line and line.strip() and _FENCE.match(line) is None)
    if len(numbers) < max(_NUMBERED_LEAST, _NUMBERED_SHARE * filled):
        return lines
    first, last = numbers[0], numbers[-1]
    between = range(first[0], last[0] + 1)
    if any(number - first[1] != index - first[0] for index, number in numbers) or any(
        found[index] is None and (lines[index] or "").strip() for index in between
    ):
        return lines
    gaps = [len(match[2]) for match in found if match is not None and match[3]]
    gap = min(gaps, default=0)
    return [
        line if match is None or line is None else match[2][gap:] + match[3]
        for line, match in zip(lines, found, strict=True)
    ]


def _is_doubled(lines: list[str | None]) -> bool:
    """Tell whether every quote was made two, those of the server too: a client may write `""v1""` itself."""
    runs = [len(run) for line in lines if line and '""' in line for run in _QUOTES.findall(line)]
    if len(runs) < 4 or any(length % 2 for length in runs):
        return False
    if any(line and '"' in line and '""' not in line for line in lines):
        return False
    return _SERVER_QUOTES.search("\n".join(line or "" for line in lines)) is not None


def _is_coloured(line: str) -> bool:
    """Tell whether a line holds colour codes and is text otherwise: binary content stays as it is."""
    return _ANSI.search(line) is not None and _BINARY.search(line) is None


def _all_quoted(lines: list[str | None]) -> bool:
    """Tell whether every line is quoted, so that the sign says nothing of who sent it."""
    filled = [line for line in lines if line and line.strip()]
    return len(filled) > 3 and all(line[0] == ">" and not line.startswith(">>>>") for line in filled)


def _is_quoted(line: str) -> bool:
    return _QUOTED_STATUS.match(line) is not None or _QUOTED_CURL.match(line) is not None


def _unquoted(line: str | None) -> str | None:
    if line is None or not line.startswith(">"):
        return line
    return line[2:] if line.startswith("> ") else line[1:]


def _inside_fences(lines: list[str | None]) -> list[str | None]:
    fences = [i for i, line in enumerate(lines) if line and line[0] in "`~{< \t" and _FENCE.match(line)]
    if not fences:
        return lines
    inside: set[int] = set()
    for start, end in zip(fences[::2], [*fences[1::2], len(lines)], strict=False):
        inside.update(range(start + 1, end))
    marks = [i for i, line in enumerate(lines) if _is_mark(line)]
    if not marks or marks[0] < fences[0]:
        # The fences stand inside content, or nothing tells what they are.
        return lines
    if all(i in inside for i in marks):
        return [line if i in inside else None for i, line in enumerate(lines)]
    dropped = set(fences)
    return [None if i in dropped else line for i, line in enumerate(lines)]


def _dedented(lines: list[str | None]) -> list[str | None]:
    first = next((line for line in lines if line is not None and _is_mark(line)), None)
    if first is None or not first[:1].isspace():
        return lines
    if first.lstrip().startswith("* ") and sum(_is_mark(line) for line in lines) == 1:
        return lines  # an item of a list: a trace has more than one such line
    found = _INDENT.match(first)
    indent = found.group() if found else ""
    if any(line is not None and _is_mark(line) and not line.startswith(indent) for line in lines):
        return lines
    if any(line and line.startswith((_TREE, _AWAITED)) for line in lines):
        return lines
    # What stands further left is the prose around it.
    return [_indented(line, indent) for line in lines]


def _indented(line: str | None, indent: str) -> str | None:
    if line is None or not line.strip():
        return line
    return line.removeprefix(indent) if line.startswith(indent) else None
