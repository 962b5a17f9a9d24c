"""Read the commands that browsers and people hand over for a request: curl, `fetch(...)`, PowerShell.

Such a command tells what was asked for, not what a program added on the way: its fields are not complete.
What pasting did to it (curly quotes, lost backslashes) is undone here: docs/decisions/070-pasted-commands.md.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, cast

from ifmatch.capture.commands import curl_prompt
from ifmatch.capture.commands.curl_prompt import CurlPrompt
from ifmatch.capture.commands.httpie_command import curl_words
from ifmatch.errors import InputError
from ifmatch.model.json_values import members_in
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["is_request_command", "read_request_command"]

_FETCH = re.compile(r"[^\n\"'`]{0,80}?\bfetch\(\s*[\"'`\u201c\u201d]\s*https?:")
_POWERSHELL = re.compile(
    r"[ \t]*(?:PS [^>\n]{0,80}> ?)?(?:[$]\w{1,40} ?= ?)?(?:Invoke-WebRequest|Invoke-RestMethod|iwr|irm)\b",
    re.IGNORECASE,
)
# HTTPie and xh, behind a prompt or with a method.
_HTTPIE = re.compile(
    r"(?:[^\n]{0,120}?[$#%>\u276f\u279c\u00bb][ \t]+(?=[^\n]*[.:/])"
    r"|(?=\w{2,5} (?:-\S+ ){0,8}[A-Z]{3,9} \S))"
    r"(https?|xhs?)[ \t]+(?=\S)"
)
_SESSION = re.compile(r"[ \t]*[$]session\b")
_MAXIMAL_LINES: Final = 2000
_MAXIMAL_TEXT: Final = 256 * 1024
# What a browser puts into the list of header fields though it is none.
_NO_FIELDS: Final = frozenset({"authority", "method", "path", "scheme"})
# `"if-match": ""v2""`: the backslashes before the inner quotes are gone.
_LOST: Final = re.compile(
    r'("(?:if-(?:none-)?match|if-range)"\s*[:=]\s*")((?:W/)?"[^"\n]*")(")', re.IGNORECASE
)
_MEMBER = re.compile(
    r"""(?:["']([^"'\n]{1,100})["']|\b([A-Za-z_]\w{0,60}))\s*[:=]\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""",
    re.DOTALL,
)
_PS_PARAMETER = re.compile(
    r"-(Uri|Method|ContentType|Body)\s+(\"(?:[^\"`]|`.|\"\")*\"|'(?:[^']|'')*'|[^\s`]+)",
    re.IGNORECASE | re.DOTALL,
)
_PS_MEMBER = re.compile(
    r"(\"(?:[^\"`]|`.)*\"|'[^']*'|[\w-]+)\s*=\s*(\"(?:[^\"`]|`.|\"\")*\"|'(?:[^']|'')*')", re.DOTALL
)
_PS_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}
_PS_AGENT = re.compile(r"[$]session\.UserAgent\s*=\s*(\"(?:[^\"`]|`.)*\")")


def is_request_command(line: str) -> bool:
    """Tell whether a line starts a command that describes a request."""
    if "etch(" in line[:120] and _FETCH.match(line.translate(curl_prompt.CURLY)[:400]):
        return True
    if _SESSION.match(line) or (_POWERSHELL.match(line) and len(line) < 20_000):
        return True
    return curl_prompt.is_command(line) or (len(line) < 20_000 and _HTTPIE.match(line) is not None)


def read_request_command(lines: Sequence[str | None], index: int) -> CurlPrompt:
    """Read the command that starts at a line.

    Args:
        lines: all lines of the source.
        index: 0-based line of the command.
    """
    line = lines[index] or ""
    if curl_prompt.is_command(line):
        return curl_prompt.read_prompt(lines, index)
    if _SESSION.match(line) or _POWERSHELL.match(line):
        return _powershell(lines, index)
    if (httpie := _HTTPIE.match(line)) is not None:
        return _httpie(line, httpie, index)
    return _fetch(lines, index)


def _httpie(line: str, found: re.Match[str], index: int) -> CurlPrompt:
    prompt = CurlPrompt(index + 1, index + 1)
    text = line[found.end() :]
    straight = curl_prompt.straightened(text)
    prompt.repaired = straight != text
    words, _ = curl_prompt.split_words(straight)
    try:
        as_curl = curl_words(words, secure=found[1] in {"https", "xhs"})
    except InputError:
        return prompt
    return curl_prompt.interpret(as_curl, prompt)


def _block(lines: Sequence[str | None], index: int, starts: re.Pattern[str]) -> list[str]:
    """Return the lines that can belong to a command: up to the start of the next one."""
    found: list[str] = []
    size = begun = 0
    for number in range(index, min(index + _MAXIMAL_LINES, len(lines))):
        line = lines[number]
        if line is None or size > _MAXIMAL_TEXT:
            break
        begun += starts.match(line.translate(curl_prompt.CURLY)) is not None
        if begun > 1:
            break
        found.append(line.rstrip("\r"))
        size += len(line)
    return found


def _repaired(text: str) -> str:
    """Undo curly quotes and lost backslashes of a command's text."""
    return _LOST.sub(
        lambda found: found[1] + found[2].replace('"', '\\"') + found[3], curl_prompt.straightened(text)
    )


def _fetch(lines: Sequence[str | None], index: int) -> CurlPrompt:
    block = _block(lines, index, _FETCH)
    pasted = "\n".join(block)
    text = _repaired(pasted)
    start = text.index("fetch(") + len("fetch(")
    end = _closing(text, start)
    prompt = CurlPrompt(index + 1, index + 1 + text.count("\n", 0, end), repaired=text != pasted)
    arguments = text[start:end]
    quoted = re.match(r"\s*([\"'`])\s*(https?:[^\"'`\n]{1,8000})\s*\1?", arguments)
    if quoted is None:
        return prompt
    prompt.urls.append(quoted[2].strip())
    brace = arguments.find("{", quoted.end())
    options = _loose_object(arguments[brace:]) if brace >= 0 else {}
    prompt.method = _text(options.get("method")) or "GET"
    headers = options.get("headers")
    if isinstance(headers, dict):
        for name, value in cast("dict[str, object]", headers).items():
            if isinstance(value, str) and name.lower().lstrip(":") not in _NO_FIELDS:
                prompt.fields.append((name, value))
    body = options.get("body")
    if isinstance(body, str):
        prompt.content = body
    elif "body" in options and body is not None:
        prompt.content = UNKNOWN
    return prompt


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _closing(text: str, start: int) -> int:
    """Return where the parenthesis closes that opens before `start`; quoted text is skipped."""
    depth, position = 1, start
    while position < len(text):
        character = text[position]
        if character in "\"'`":
            position += 1
            while position < len(text) and text[position] != character:
                position += 2 if text[position] == "\\" else 1
        elif character in "({[":
            depth += 1
        elif character in ")}]":
            depth -= 1
            if depth == 0:
                return position
        position += 1
    return position


def _loose_object(text: str) -> dict[str, object]:
    """Read the options of a call: JSON as browsers write it, else what has the shape of a member."""
    try:
        value, _ = json.JSONDecoder(strict=False).raw_decode(text)
    except (ValueError, RecursionError):
        return _by_shape(text)
    return members_in(value)


def _by_shape(text: str) -> dict[str, object]:
    found: dict[str, object] = {}
    headers: dict[str, object] = {}
    begin = re.search(r"\bheaders[\"']?\s*:\s*\{", text)
    end = _closing(text, begin.end()) if begin else -1
    for member in _MEMBER.finditer(text):
        name = member[1] or member[2]
        inside = begin is not None and begin.end() <= member.start() < end
        (headers if inside else found)[name] = _unquoted(member[3])
    stringified = re.search(r"\bbody[\"']?\s*:\s*(?![\"'])\S", text)
    if stringified:
        found["body"] = 0
    return {**found, "headers": headers}


def _unquoted(text: str) -> str:
    inner = text[1:-1]
    if text[0] == "'":
        return re.sub(r"\\(.)", r"\1", inner, flags=re.DOTALL)
    try:
        value: object = json.loads(text, strict=False)
    except ValueError:
        return re.sub(r"\\(.)", r"\1", inner, flags=re.DOTALL)
    return value if isinstance(value, str) else inner


def _powershell(lines: Sequence[str | None], index: int) -> CurlPrompt:
    text, last = _powershell_text(_block(lines, index, _POWERSHELL))
    prompt = CurlPrompt(index + 1, index + 1 + last)
    agent = _PS_AGENT.search(text)
    begin = re.search(r"-Headers\s+@\{", text, re.IGNORECASE)
    rest = text
    if begin is not None:
        end = _closing_brace(text, begin.end())
        rest = text[: begin.start()] + " " + text[end + 1 :]
        for member in _PS_MEMBER.finditer(text, begin.end(), end):
            name = _powershell_value(member[1])
            if name.lower().lstrip(":") not in _NO_FIELDS:
                prompt.fields.append((name, _powershell_value(member[2])))
    if agent is not None:
        prompt.fields.append(("User-Agent", _powershell_value(agent[1])))
    for name, raw in _PS_PARAMETER.findall(rest):
        value = _powershell_value(raw)
        match name.lower():
            case "uri":
                prompt.urls.append(value)
            case "method":
                prompt.method = value.upper()
            case "contenttype":
                prompt.fields.append(("Content-Type", value))
            case _:
                prompt.content = UNKNOWN if raw[:1] not in "\"'" or "System.Text.Encoding" in raw else value
    if "-Body (" in rest:
        prompt.content = UNKNOWN
    bare = re.search(r"(?:Request|Method|iwr|irm)\s+[\"']?(https?://[^\s\"'`]+)", rest, re.IGNORECASE)
    if not prompt.urls and bare is not None:
        prompt.urls.append(bare[1])
    prompt.method = prompt.method or "GET"
    return prompt


def _powershell_text(block: list[str]) -> tuple[str, int]:
    """Return the command and the 0-based line, within the block, of its end."""
    open_braces, seen = 0, False
    for number, line in enumerate(block):
        seen = seen or _POWERSHELL.match(line) is not None
        if seen:
            open_braces += line.count("@{") - (1 if open_braces and line.lstrip().startswith("}") else 0)
            following = block[number + 1].lstrip() if number + 1 < len(block) else ""
            # Without the backtick a parameter or a brace at the start of the next line tells.
            goes_on = line.rstrip().endswith("`") or re.match(r"-[A-Z]\w+\b|[}]", following)
            if open_braces <= 0 and not goes_on:
                return _lost_backticks("\n".join(block[: number + 1])), number
        elif not _SESSION.match(line) and line.strip():
            return "", max(number - 1, 0)
    return _lost_backticks("\n".join(block)), len(block) - 1


def _lost_backticks(text: str) -> str:
    return _LOST.sub(
        lambda found: found[1] + found[2].replace('"', '`"') + found[3], curl_prompt.straightened(text)
    )


def _closing_brace(text: str, start: int) -> int:
    position = start
    while position < len(text):
        character = text[position]
        if character == '"':
            position += 1
            while position < len(text) and text[position] != '"':
                position += 2 if text[position] == "`" else 1
        elif character == "}":
            return position
        position += 1
    return position


def _powershell_value(text: str) -> str:
    if text[:1] == "'" and text[-1:] == "'" and len(text) > 1:
        return text[1:-1].replace("''", "'")
    if text[:1] == '"' and text[-1:] == '"' and len(text) > 1:
        inner = re.sub(
            r"`(.)", lambda found: _PS_ESCAPES.get(found[1], found[1]), text[1:-1], flags=re.DOTALL
        )
        return inner.replace('""', '"')
    return text
