"""Read what people print at a Python prompt: `r.status_code`, `r.headers`, `r.request.headers`.

Notations: the prompts of python and IPython, and lines of a script that begin with what is printed
(`Response headers: {...}`). Source: `repr` of the structures of requests, httpx and aiohttp.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from ifmatch.capture.base.drafts import Draft
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.capture.base.drafts import Drafts

    _Pairs: TypeAlias = list[tuple[str, str]]

__all__ = ["PROMPT", "read_prompt"]

_SHOWN = r"(?:status_code|status|headers|request\.headers|request_info\.headers)"
_CALL = r"\.(?:get|head|put|post|patch|delete|options|request)\("
_LABEL = (
    r"(?:[\w.]{1,40}[ .])?(?:(request|req|sent|response|resp|res|received)[ _.-]?)?"
    r"(?:(status(?:[ _]code)?|code)|(url)|(method)|(headers))"
)
_DICTIONARY = r"(?:Headers\(|CaseInsensitiveDict\(|<CIMultiDictProxy\()?[\[{(].*['\"].*"
PROMPT: Final = re.compile(
    rf"^(?:>>> ?|In \[\d+\]: ?)(?:print\(|dict\()?[\w.]{{1,60}}\.{_SHOWN}\b|"
    rf"^(?:>>> ?|In \[\d+\]: ?)(?:\w{{1,40}} = )?(?:await )?\w{{1,40}}{_CALL}['\"]|"
    rf"^(?:>>> ?|In \[\d+\]: ?)(?:\w{{1,40}} = )?(?:await )?(?:requests|httpx|session|client){_CALL}|"
    rf"(?i:^(?:[\w.]{{1,40}}[ .])?(?:(?:request|response|sent|received|req|resp|res)[ _.-])headers ?[:=]? ?)"
    rf"(?:Headers\(|CaseInsensitiveDict\()?\{{['\"][A-Za-z-]{{2,60}}['\"]: "
)
_ENTERED = re.compile(r"(?:>>>|In \[\d+\]:)(?: (.*))?\Z")
_CONTINUED = re.compile(r"(?:\.\.\.|\s+\.\.\.:)(?: (.*))?\Z")
_OUT = re.compile(r"Out\[\d+\]: ?")
_RESPONSE = re.compile(r"<(?:Client)?Response[ (\[]")
_SHORT = re.compile(r"<Response \[(\d{3})(?: [^\]]*)?\]>")
_RAISED = re.compile(
    r"\b(?:HTTPError: (\d{3}) (?:Client|Server) Error: ([^\n]*?) for url: (\S+)|"
    r"HTTPStatusError: (?:Client|Server) error '(\d{3}) ([^']*)' for url '([^']+)')"
)
_METHODS: Final = frozenset({"get", "head", "put", "post", "patch", "delete", "options"})
_ONLY_SENT: Final = frozenset(
    {"user-agent", "accept", "if-match", "if-none-match", "if-unmodified-since", "if-modified-since", "host"}
)
_ONLY_RECEIVED: Final = frozenset(
    {"etag", "server", "age", "vary", "last-modified", "set-cookie", "location"}
)
_LABELLED = re.compile(
    rf"{_LABEL} ?[:=]? ?(\d{{3}}|https?://\S+|[A-Z]{{3,10}}|{_DICTIONARY})\s*\Z", re.IGNORECASE
)
_LONGEST: Final = 64 * 1024


@dataclass(slots=True)
class _Answers:
    """The answers that names stand for.

    Attributes:
        drafts: takes the exchanges.
        named: the draft that a name stands for now.
        last: the draft that was named last.
        texts: strings that names stand for.
    """

    drafts: Drafts
    named: dict[str, Draft] = field(default_factory=dict[str, Draft])
    last: Draft | None = None
    texts: dict[str, str] = field(default_factory=dict[str, str])

    def begin(self, name: str, line: int) -> Draft:
        """Let a name stand for a new answer."""
        draft = Draft(line=line, sent_complete=False, framed=False, decodes=True)
        self.drafts.found.append(draft)
        self.named[name] = self.last = draft
        return draft

    def of(self, name: str, line: int) -> Draft:
        """Return the draft that a name stands for."""
        return self.named.get(name) or self.begin(name, line)


class _Known(ast.NodeTransformer):
    """Put strings in the place of the names that stand for them."""

    def __init__(self, texts: dict[str, str]) -> None:
        self._texts = texts

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Return the string that a name stands for, the name itself without one."""
        said = self._texts.get(node.id)
        return ast.Constant(said) if said is not None else node


def read_prompt(lines: Sequence[str], drafts: Drafts) -> None:
    """Read what was entered and what it printed, or the lines that a script printed.

    Args:
        lines: of the whole text.
        drafts: takes the exchanges.
    """
    answers = _Answers(drafts)
    if any(_ENTERED.match(line) for line in lines):
        for number, entered, printed in _turns(lines):
            _turn(answers, number, entered, printed)
    else:
        _script(answers, lines)


def _turns(lines: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    """Yield what was entered, in which line, and what was printed below it."""
    number, entered, printed = 0, [""], [""]
    for at, line in enumerate(lines, 1):
        begun = _ENTERED.match(line)
        if begun is not None:
            if number:
                yield number, "\n".join(entered), "\n".join(printed)
            number, entered, printed = at, [begun[1] or ""], []
        elif number and not printed and (more := _CONTINUED.match(line)) is not None:
            entered.append(more[1] or "")
        elif number and sum(map(len, printed[-50:])) < _LONGEST:
            printed.append(_OUT.sub("", line))
    if number:
        yield number, "\n".join(entered), "\n".join(printed)


def _turn(answers: _Answers, number: int, entered: str, printed: str) -> None:
    for found in _RAISED.finditer(printed):
        _raised(answers, number, found)
    tree = _parsed(entered.strip())
    if tree is None:
        return
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name, value = statement.targets[0].id, _Known(answers.texts).visit(statement.value)
            text = _text(value) if isinstance(value, ast.Constant) else None
            answers.texts.pop(name, None)
            if text is not None:
                answers.texts[name] = text
            _call(answers, name, value, number)
        elif isinstance(statement, ast.Expr):
            _expression(answers, statement.value, printed.strip(), number)


def _parsed(text: str) -> ast.Module | None:
    if len(text) > _LONGEST:
        return None
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _value(text: str) -> ast.expr | None:
    tree = _parsed(text.strip())
    only = tree.body[0] if tree is not None and len(tree.body) == 1 else None
    return only.value if isinstance(only, ast.Expr) else None


def _call(answers: _Answers, name: str, value: ast.expr, number: int) -> bool:
    """Take a request that is written as a call; what is no literal in it is not known."""
    call = value.value if isinstance(value, ast.Await) else value
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return False
    method, arguments = call.func.attr, list(call.args)
    if method == "request" and arguments and (said := _text(arguments[0])):
        method, arguments = said.lower(), arguments[1:]
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    url = arguments[0] if arguments else named.get("url")
    if method not in _METHODS or url is None:
        return False
    draft = answers.begin(name, number)
    draft.method, draft.url = method.upper(), _text(url) or ""
    headers = named.get("headers")
    for key, text in _pairs(headers) if headers is not None else ():
        draft.add_sent(key, text)
    for argument in ("data", "content"):
        said = _text(named[argument]) if argument in named else None
        if said is not None:
            draft.content = Content.from_text(said)
    return True


def _expression(answers: _Answers, value: ast.expr, printed: str, number: int) -> None:
    """Take what an expression was worth."""
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.args:
        if value.func.id == "print":
            _each(answers, value.args, printed.splitlines() if len(value.args) == 1 else [], number)
            return
        if value.func.id == "dict":
            value = value.args[0]
    if isinstance(value, ast.Tuple):
        worth = _value(printed)
        parts = [ast.unparse(one) for one in worth.elts] if isinstance(worth, ast.Tuple) else []
        for one, text in zip(value.elts, parts, strict=False):
            _expression(answers, one, text, number)
        return
    if _call(answers, "_", value, number) or (isinstance(value, ast.Name) and _RESPONSE.match(printed)):
        name = value.id if isinstance(value, ast.Name) else "_"
        short = _SHORT.match(printed)
        draft = answers.of(name, number)
        draft.status = int(short[1]) if short is not None else draft.status
        return
    path = ast.unparse(value).split(".")
    if len(path) > 1 and path[0].isidentifier() and printed:
        _take(answers, path[0], ".".join(path[1:]), printed, number)


def _each(answers: _Answers, values: list[ast.expr], lines: list[str], number: int) -> None:
    for value in values:
        if len(values) == 1 and lines:
            text = "\n".join(lines)
            said = (
                repr(text) if ast.unparse(value).endswith((".text", ".url", ".method", ".reason")) else text
            )
            _expression(answers, value, said, number)


def _take(answers: _Answers, name: str, member: str, printed: str, number: int) -> None:
    """Take the value of a member of an answer."""
    value = _value(printed)
    if value is None:
        return
    known = name in answers.named
    text = _text(value) or ""
    if member in {"status_code", "status"} and re.fullmatch(r"[1-5]\d\d", printed):
        answers.of(name, number).status = int(printed)
    elif member in {"headers", "request.headers", "request_info.headers"} and (pairs := _pairs(value)):
        draft = answers.of(name, number)
        if member == "headers":
            draft.received, draft.received_complete = pairs, True
        else:
            draft.sent, draft.sent_complete = pairs, True
    elif member in {"request.url", "url"} and known:
        answers.of(name, number).url = text or answers.of(name, number).url
    elif member in {"request.method", "method"} and known:
        answers.of(name, number).method = text or answers.of(name, number).method
    elif member == "reason" and known:
        answers.of(name, number).reason = text
    elif member in {"text", "content"} and known and text:
        answers.of(name, number).received_content = Content.from_text(text)
    elif member in {"request.body", "request.content"} and known and text:
        answers.of(name, number).content = Content.from_text(text)


def _raised(answers: _Answers, number: int, found: re.Match[str]) -> None:
    """Take status and URL out of the exception of `raise_for_status`."""
    status, reason, url = (found[1], found[2], found[3]) if found[1] else (found[4], found[5], found[6])
    last = answers.last
    draft = last if last is not None and last.status in {0, int(status)} else answers.begin("_", number)
    draft.status, draft.reason, draft.url = int(status), reason, draft.url or url


def _text(value: ast.expr) -> str | None:
    """Return a string, also where a structure wraps it: `URL('http://x')`; None for anything else."""
    if isinstance(value, ast.Call) and len(value.args) == 1 and not value.keywords:
        value = value.args[0]
    said = value.value if isinstance(value, ast.Constant) else None
    if isinstance(said, bytes):
        return said.decode("utf-8", "replace")
    return said if isinstance(said, str) else None


def _pairs(value: ast.expr) -> _Pairs:
    """Return the fields of a dictionary or a list of pairs, also within `Headers(...)`."""
    if isinstance(value, ast.Call):
        return _pairs(value.args[0]) if len(value.args) == 1 else []
    if isinstance(value, ast.Dict):
        found = [(key, one) for key, one in zip(value.keys, value.values, strict=True) if key is not None]
    elif isinstance(value, ast.List | ast.Tuple):
        pairs = [one.elts for one in value.elts if isinstance(one, ast.Tuple) and len(one.elts) == 2]
        found = [(name, one) for name, one in pairs]
    else:
        return []
    said = [(_text(key), _text(one)) for key, one in found]
    return [(name, text) for name, text in said if name and text is not None]


def _script(answers: _Answers, lines: Sequence[str]) -> None:
    """Read labelled lines; a second value of one kind begins another exchange."""
    draft: Draft | None = None
    seen: set[str] = set()
    for number, line in enumerate(lines, 1):
        found = _LABELLED.match(line.strip()) if len(line) < _LONGEST else None
        if found is None:
            continue
        kind = "status" if found[2] else "url" if found[3] else "method" if found[4] else "headers"
        value = _value(found[6]) if kind == "headers" else None
        pairs = _pairs(value) if value is not None else []
        if kind == "headers":
            side = _side(found[1] or "", pairs)
            if not side:
                continue
            kind = side
        if draft is None or kind in seen:
            draft, seen = answers.begin("", number), set()
        seen.add(kind)
        if kind == "status" and found[6].isdigit():
            draft.status = int(found[6])
        elif kind == "url":
            draft.url = found[6]
        elif kind == "method":
            draft.method = found[6].upper()
        elif kind == "sent":
            draft.sent, draft.sent_complete = pairs, True
        elif kind == "received":
            draft.received = pairs


def _side(label: str, pairs: _Pairs) -> str:
    """Tell whether fields were sent or received: by what is printed before them, else by their names."""
    if not pairs:
        return ""
    if label:
        return "sent" if label.lower() in {"request", "req", "sent"} else "received"
    names = {name.lower() for name, _ in pairs}
    if names & _ONLY_SENT and not names & _ONLY_RECEIVED:
        return "sent"
    return "received" if names & _ONLY_RECEIVED and not names & _ONLY_SENT else ""
