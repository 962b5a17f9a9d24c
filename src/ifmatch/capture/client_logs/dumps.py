"""Read logs that hold whole HTTP messages: rclone --dump, Terraform providers, OkHttp, Apache HttpClient.

Source of the notations: rclone fs/fshttp/http.go, hashicorp/go-azure-sdk, terraform-plugin-sdk
helper/logging, okhttp HttpLoggingInterceptor, the wire and headers loggers of Apache HttpClient.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.capture.client_logs.lines import moment
from ifmatch.capture.pastes.dumped_messages import Block, draft_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ifmatch.capture.base.drafts import Drafts

__all__ = ["DUMPS", "read_dumps"]

_RCLONE = re.compile(r"HTTP (REQUEST|RESPONSE) \(req (0x[0-9a-f]{1,20})\)")
_RCLONE_PREFIX = re.compile(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d(?:\.\d{1,9})? [A-Z]+\s*: ")
_RCLONE_END = re.compile(r"(?:>{40,}|<{40,})\s*\Z")
_BOXED = re.compile(
    r"-{3}\[ (REQUEST|RESPONSE)[A-Z -]{0,20}\]-{3,}|={10,} Begin \w{2,20} (Request|Response) ={10,}"
)
_BOX_END = re.compile(r"(?:-{40,}|={10,} End \w{2,20} (?:Request|Response) ={10,})\s*(?:: timestamp=.*)?\Z")
_AZURERM = re.compile(r"AzureRM (Request|Response)(?: for (https?://\S+?))?:\s*(.*)")
_PROVIDER_PREFIX = re.compile(
    r"(?:\[[^\]]{1,40}\] )?\d{4}[-/]\d\d[-/]\d\d[T ]\S{8,32} \[[A-Z]+\]\s{1,2}"
    r"(?:provider|plugin)[.:][^:]{1,120}: "
    r"(?:\d{4}/\d\d/\d\d \d\d:\d\d:\d\d )?(?:\[[A-Z]+\] )?"
)
_PROVIDER_RECORD = re.compile(r"(?:\[[^\]]{1,40}\] )?\d{4}[-/]\d\d[-/]\d\d[T ]\S{8,32} \[[A-Z]+\]")
_INNER_LEVEL = re.compile(r": (?:\d{4}/\d\d/\d\d \d\d:\d\d:\d\d )?\[[A-Z]+\] ")
_TIMESTAMP = re.compile(r": timestamp=\"?\d{4}-[^\s\"]{5,40}\"?\s*\Z")
_OKHTTP = re.compile(
    r"(?:-{2,3}> ([A-Z]{2,20}) (https?://\S+)(?: ((?i:http)/\d(?:\.\d)?|h2))?|"
    r"<-- (\d{3})(?: ([A-Za-z][^(]*?))? (https?://\S+) \(\d+ms)"
)
_OKHTTP_END = re.compile(r"(?:-{2,3}> END [A-Z]+|<-{2,3} END HTTP)")
# Feign writes what OkHttp does, names the method of the interface on each line and no URL beside an answer.
_FEIGN = re.compile(r"<-{3} HTTP/\S{1,4} (\d{3})(?: ([A-Za-z][^(]*?))? ?\(\d+ms")
_FEIGN_METHOD = re.compile(r"\[(\w+#\w+(?:\([\w, .]*\))?)\]")
_APACHE = re.compile(r"(http-outgoing-\d+) (>>|<<) (.*)")
_START = re.compile(r"\"?(?:[A-Z]{2,20} \S+ HTTP/\d|HTTP/\d(?:\.\d)? \d{3})")
DUMPS: Final = re.compile(
    "|".join(f"(?:{one.pattern})" for one in (_RCLONE, _BOXED, _AZURERM, _OKHTTP_END))
    + r"|http-outgoing-\d+ (?:>>|<<) |<-- \d{3} .{0,2000}\(\d+ms|<--- HTTP/\S{1,4} \d{3}"
)
_BLOCK_LINES: Final = 100_000


def read_dumps(lines: Sequence[str], drafts: Drafts) -> None:
    """Read a log of whole messages.

    Args:
        lines: of the whole log.
        drafts: takes the exchanges.
    """
    waiting: dict[str, list[Block]] = {}
    pairs: list[tuple[Block | None, Block | None]] = []
    places: dict[int, int] = {}
    for block in _blocks(lines):
        # Terraform's providers put the time into the line above a box.
        block.at = moment(lines[block.line - 1]) or moment(lines[max(block.line - 2, 0)])
        if block.is_request:
            waiting.setdefault(block.key, []).append(block)
            places[id(block)] = len(pairs)
            pairs.append((block, None))
        elif waiting.get(block.key):
            request = waiting[block.key].pop(0)
            pairs[places[id(request)]] = (request, block)
        else:
            pairs.append((None, block))
    for sent, received in pairs:
        draft = draft_of(sent, received)
        if draft is None and sent is not None:
            drafts.torn = True
        if draft is not None:
            drafts.found.append(draft)


def _blocks(lines: Sequence[str]) -> Iterator[Block]:
    readers: tuple[tuple[re.Pattern[str], Callable[[Sequence[str]], Iterator[Block]]], ...] = (
        (_RCLONE, _rclone),
        (_BOXED, _boxed),
        (_AZURERM, _azurerm),
        (_OKHTTP, _okhttp),
        (_APACHE, _apache),
    )
    for pattern, reader in readers:
        if any(pattern.search(line) for line in lines):
            yield from reader(lines)
            return


def _rclone(lines: Sequence[str]) -> Iterator[Block]:
    """Read rclone: a dump ends at its line of signs, or where the log goes on when people left those out."""
    block: Block | None = None
    for number, line in enumerate(lines, 1):
        text = _RCLONE_PREFIX.sub("", line, count=1)
        found = _RCLONE.search(text)
        ends = found is not None or _RCLONE_END.match(text) is not None
        if block is not None and block.lines and (ends or text != line):
            yield block
            block = None
        if found is not None:
            block = Block(found[1] == "REQUEST", found[2], number)
        elif block is not None and not ends and len(block.lines) < _BLOCK_LINES:
            block.lines.append(text)
    if block is not None and block.lines:
        yield block


def _boxed(lines: Sequence[str]) -> Iterator[Block]:
    """Read what stands between `---[ REQUEST ]---` and a line of dashes."""
    block: Block | None = None
    for number, line in enumerate(lines, 1):
        text = _PROVIDER_PREFIX.sub("", line, count=1)
        if (found := _BOXED.search(text)) is not None:
            block = Block((found[1] or found[2]).upper() == "REQUEST", "", number)
        elif block is not None and _BOX_END.match(text) is not None:
            if block.lines:
                yield block
            block = None
        elif block is not None and len(block.lines) < _BLOCK_LINES:
            block.lines.append(_TIMESTAMP.sub("", text))


def _azurerm(lines: Sequence[str]) -> Iterator[Block]:
    """Read azurerm: a label, the message below it with the prefix on each line or on none."""
    block: Block | None = None
    bare = False
    for number, line in enumerate(lines, 1):
        prefixed = _PROVIDER_RECORD.match(line) is not None
        text = _PROVIDER_PREFIX.sub("", line, count=1)
        if (found := _AZURERM.search(text)) is not None:
            if block is not None and block.lines:
                yield _by_target(block)
            block = Block(found[1] == "Request", "", number, url=found[2] or "")
            bare = False
            if found[3]:
                block.lines.append(found[3])
            continue
        if block is None:
            continue
        bare = bare or not prefixed
        if prefixed and block.lines and (bare or _INNER_LEVEL.search(line[:200]) is not None):
            yield _by_target(block)
            block = None
        elif len(block.lines) < _BLOCK_LINES and (block.lines or text.strip()):
            block.lines.append(_TIMESTAMP.sub("", text))
    if block is not None and block.lines:
        yield _by_target(block)


def _by_target(block: Block) -> Block:
    """Name a block by its request target: several requests are under way at a time."""
    if block.is_request:
        words = block.lines[0].split(" ", 2)
        block.key = words[1] if len(words) > 1 else ""
    else:
        block.key = "/" + block.url.partition("://")[2].partition("/")[2]
    return block


def _okhttp(lines: Sequence[str]) -> Iterator[Block]:
    block: Block | None = None
    width = 0
    for number, line in enumerate(lines, 1):
        found, feign = _OKHTTP.search(line), _FEIGN.search(line)
        if feign is not None:
            if block is not None:
                yield block
            width = feign.start()
            block = Block(is_request=False, key=_feign_method(line), line=number)
            block.lines.append(f"HTTP/1.1 {feign[1]} {feign[2] or ''}".rstrip())
        elif found is not None:
            if block is not None:
                yield block
            width = found.start()
            url = found[2] or found[6]
            block = Block(found[1] is not None, _feign_method(line) or url, number, url=url)
            version = (found[3] or "http/1.1").upper().replace("H2", "HTTP/2")
            answer = f"HTTP/1.1 {found[4]} {found[5] or ''}".rstrip()
            start = f"{found[1]} {url} {version}" if found[1] else answer
            block.lines.append(start)
        elif block is not None and _OKHTTP_END.search(line) is not None:
            yield block
            block = None
        elif block is not None and len(block.lines) < _BLOCK_LINES:
            block.lines.append(line[width:] if _same_prefix(lines[block.line - 1], line, width) else line)
    if block is not None:
        yield block


def _feign_method(line: str) -> str:
    found = _FEIGN_METHOD.search(line) if "---" in line else None
    return found[1] if found is not None else ""


def _same_prefix(one: str, two: str, width: int) -> bool:
    """Tell whether two lines begin with the same prefix, digits apart (times, thread numbers)."""
    return re.sub(r"\d", "0", one[:width]) == re.sub(r"\d", "0", two[:width])


def _apache(lines: Sequence[str]) -> Iterator[Block]:
    """Read the wire log where there is one, else the headers log; both show the same start lines."""
    found = [(number, match) for number, line in enumerate(lines, 1) if (match := _APACHE.search(line))]
    is_wire = any(match[3].startswith('"') for _, match in found)
    open_blocks: dict[tuple[str, str], Block] = {}
    for number, match in found:
        connection, direction, text = match[1], match[2], match[3]
        if text.startswith('"') is not is_wire:
            continue
        key = (connection, direction)
        if _START.match(text) is not None:
            ended = open_blocks.pop(key, None)
            if ended is not None:
                yield ended
            if direction == "<<" and (request := open_blocks.pop((connection, ">>"), None)) is not None:
                yield request
            open_blocks[key] = Block(direction == ">>", connection, number)
        block = open_blocks.get(key)
        if block is not None and len(block.lines) < _BLOCK_LINES:
            block.lines.append(_unwired(text) if is_wire else text)
    yield from sorted(open_blocks.values(), key=lambda block: (block.line, not block.is_request))


def _unwired(text: str) -> str:
    return text.removesuffix('"').removeprefix('"').replace("[\\r]", "").replace("[\\n]", "")
