"""Read what people have when they have no traffic: a traceback, one error line, one sentence.

It becomes one exchange of which little is known. Who wrote the line says how to log the traffic next time.
See docs/decisions/073-error-reports.md.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Final

from ifmatch.capture.base.drafts import Draft, Drafts
from ifmatch.capture.base.json_values import load
from ifmatch.capture.base.moments import iso_moment
from ifmatch.capture.base.target_uri import target_uri
from ifmatch.capture.commands.request_commands import is_request_command, read_request_command
from ifmatch.capture.texts.field_lines import INVISIBLE, repair_value, unescaped
from ifmatch.capture.texts.text_source import decode, read_text
from ifmatch.capture.words.error_signatures import signatures
from ifmatch.capture.words.told_causes import asks_of_conditions, is_meant, is_well, tells_alone, told_causes
from ifmatch.model.message import Content
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import BinaryIO

    from ifmatch.capture.words.error_signatures import Signature
    from ifmatch.model.exchange import Capture

__all__ = [
    "FORMAT",
    "NOT_REFUSED",
    "ErrorReport",
    "looks_like_error_report",
    "read_error_report",
    "understand",
]

FORMAT: Final = "error-report"
# A refusal is worded within this much text; the rest is stack or story.
_TEXT_LIMIT: Final = 64 * 1024
_LINE_LIMIT: Final = 2000
_LINES: Final = 2000
_FAILED: Final = 412
# A note is short; of logs a part may be well.
_NOTE: Final = 1500
# A longer text is a page or a log.
_ACCOUNT: Final = 4000
# So many words make a question; fewer are a title or a line of another kind.
_QUESTION: Final = 12
# A read that was spared its content was not refused, though some call it a condition that is not met.
_UNMODIFIED: Final = re.compile(r"status(?:[ _]?code)?\W{0,3}304\b", re.IGNORECASE)
# What a verb in a sentence was tried with; other refusals may be of reads.
_OF_WRITES: Final = frozenset({400, 409, 412, 423, 428})
# So far from a refusal a verb tells what was tried.
_NEAR: Final = 300
# What a text may tell of that was never refused, though it names the refusal that ought to have come.
NOT_REFUSED: Final = frozenset(
    {"blind-refresh", "check-then-write-race", "precondition-ignored", "unconditional-write"}
)
_ADVICE: Final = "Give the line that names the status, or record the traffic: ifmatch explain capture"
_URL = re.compile(r"https?://[^\s'\"<>)\]`]+")
_TARGET = re.compile(
    r"\b(GET|PUT|POST|PATCH|DELETE|MKCOL|MOVE|COPY|PROPPATCH)\b(?:[ \t]{1,3}"
    r"(?:(?:request )?(?:to|of|for|on|at) (?:url )?['\"`]?)?"
    r"(https?://[^\s'\"<>)\]`]+|/[^\s'\"<>)\]`]*))?"
)
# Pages that explain a status are not where it came from.
_EXPLAINERS = re.compile(
    r"https?://(?:developer\.mozilla|httpstatuses|www\.rfc-editor|tools\.ietf|datatracker|docs\.|go\.microsoft|(?:www\.)?w3\.org|sabredav\.org/ns|schemas\.|aka\.ms|learn\.microsoft"
    r"|stackoverflow|gist\.|forums?\.|support\.|(?:github|gitlab)\.com/[^/\s]+/[^/\s]+/(?:-/)?"
    r"(?:pull|issues|blob|tree|wiki|releases|commit|discussions|merge_requests)\b)"
)
_WORD = re.compile(r"\b[A-Za-z_]{13,60}\b")
# Numbers of lines in a stack are no statuses.
_PLACE = re.compile(r"(?:(?<=\.\w\w:)|(?<=\.\w\w\w:)|(?<=\.\w\w\w\w:)|(?<=\bline ))(\d{3})\b(?!/)")
# What stands before an address that only names a vocabulary or a page.
_NAMES_A_PAGE = re.compile(
    r"""(?:xmlns(?::\w+)?=|"(?:type|documentation_url|moreInfo|helpLink)": ?|\bOrigin:? )["']?\Z"""
)
_BODY = re.compile(r"(?:^|\n)\s{0,4}(?:Content|Body|Response body|response): ?([<{][\s\S]{1,8000})")
_CONDITION = re.compile(
    r"[ \t>*-]{0,6}(If-(?:None-)?Match|If-(?:Un)?Modified-Since|If-Range)[ \t]*:[ \t]*([^\s{}].{0,300})\Z",
    re.IGNORECASE,
)
_VERBS: Final = (
    (re.compile(r"(?<!\bor )\b(?:delet|remov)\w*", re.IGNORECASE), "DELETE"),
    (
        re.compile(
            r"\b(?:updat|overwrit|replac|upload|sav|sync(?!\w*[ -]?token)|writ|chang|edit|put)\w*",
            re.IGNORECASE,
        ),
        "PUT",
    ),
)  # fmt: skip


class ErrorReport(Frozen, frozen=True):
    """What a traceback, a line or a sentence says.

    Attributes:
        library: name as `ifmatch explain capture` takes it, "" when unknown.
        title: what people call what wrote it, "" when unknown.
        dialect: API family, "" when nothing tells.
        status: of the answer, 0 where the text tells of no refusal.
        reason: its reason phrase, "" when not said.
        method: "" when not said.
        url: "" when not said.
        message: what the service said, its error code first, "" when nothing.
        content: of the answer where it stands in the text, "" when not.
        line: 1-based line of the wording.
        text: that line.
    """

    library: str
    title: str
    dialect: str
    status: int
    reason: str = ""
    method: str = ""
    url: str = ""
    message: str = ""
    content: str = ""
    line: int = 1
    text: str = ""


def looks_like_error_report(lines: Sequence[str]) -> bool:
    """Tell whether a refused request is spoken of.

    Args:
        lines: the first lines of a source.
    """
    return understand(lines) is not None


def understand(lines: Sequence[str]) -> ErrorReport | None:
    """Return what a text says about a refused request, None when it speaks of none.

    Args:
        lines: of the text.
    """
    text = _PLACE.sub("000", "\n".join(line[:_LINE_LIMIT] for line in lines[:_LINES])[:_TEXT_LIMIT])
    if len(text) < _NOTE and is_meant(text):
        # A note of what is as it should be names refusals, too.
        return None
    for signature in signatures().signatures:
        found = signature.pattern.search(text)
        if found is not None:
            report = _by_signature(signature, found, text)
            if report is not None:
                return report
    report = _by_words(text)
    if report is not None or not (tells_alone(lines[:_LINES]) or _is_question(text)):
        return report
    # A document that is no report may tell of anything.
    if text.lstrip()[:1] in {"{", "["} and load(text.encode("utf-8", "surrogatepass")) is not None:
        return None
    return _in_words(text, 0, len(text) - len(text.lstrip()))


def _is_question(text: str) -> bool:
    """Tell whether a note asks about conditions; an honest answer says what would show more."""
    words = len(text.split())
    asks = words >= _QUESTION and len(text) < _ACCOUNT and not is_well(text)
    return asks and asks_of_conditions(text)


def _by_signature(signature: Signature, found: re.Match[str], text: str) -> ErrorReport | None:
    groups = {name: value for name, value in found.groupdict().items() if value}
    code = groups.get("code", "")
    status = int(groups["status"]) if "status" in groups else signatures().status.get(code, signature.status)
    if not status:
        refusal = _refusal(text)
        if refusal is None:
            return None
        status = refusal[0]
    if status not in {400, 403, 404, 409, 412, 423, 428} or (status in {400, 403, 404} and not code):
        return None
    operation = groups.get("operation", "")
    method = (
        groups.get("method") or signatures().method.get(operation, "") or _method(text, "", found.start())
    )
    url = groups.get("url", "").rstrip(".,;:")
    if not url and "target" in groups:
        url = target_uri(groups["target"], groups.get("host", ""), scheme="http")
    line = text.count("\n", 0, found.start()) + 1
    body = _BODY.search(text)
    return ErrorReport(
        signature.library,
        signature.title,
        signature.dialect,
        status,
        groups.get("reason", "").strip(),
        method,
        url or _url(text),
        ": ".join(said for said in (code, groups.get("message", "").strip()) if said),
        body[1].strip() if body is not None else "",
        line,
        found.group().strip().split("\n")[0][:500],
    )


def _refusal(text: str) -> tuple[int, int] | None:
    """Return status and position of the first wording of a refusal."""
    hits: list[tuple[int, int]] = []
    for pattern, status in signatures().refusals:
        found = pattern.search(text)
        if found is not None:
            hits.append((found.start(), status or int(next(filter(None, found.groups())))))
    if not hits:
        # An error code alone, as the content of an answer holds it.
        code = next((one for one in _WORD.finditer(text) if one[0] in signatures().status), None)
        return (signatures().status[code[0]], code.start()) if code is not None else None
    position, status = min(hits)
    # `412 precondition failed`: the number is the better word.
    number = re.search(r"\b(412|428)\b", text[max(0, position - 40) : position + 80])
    return (int(number[1]) if number is not None else status), position


def _by_words(text: str) -> ErrorReport | None:
    refusal = _refusal(text)
    if refusal is None or (refusal[0] == _FAILED and _UNMODIFIED.search(text) is not None):
        return None
    return _in_words(text, *refusal)


def _in_words(text: str, status: int, position: int) -> ErrorReport:
    """Return a report that only words make; without a status where nothing is said to have been refused."""
    kind = "sentence" if status in _OF_WRITES else ""
    product = next((known for known in signatures().products if known.words.search(text)), None)
    line = text.count("\n", 0, position)
    return ErrorReport(
        product.library if product is not None else "",
        product.title if product is not None else "",
        product.dialect if product is not None else "",
        status,
        method=_method(text, kind, position),
        url=_url(text),
        line=line + 1,
        text=text.split("\n")[line].strip()[:500],
    )


def _nearest(text: str, position: int) -> re.Match[str] | None:
    """Return the request that is named last before a place, on its line at best; else the first one."""
    end = text.find("\n", position)
    end = len(text) if end < 0 else end
    before: re.Match[str] | None = None
    for found in _TARGET.finditer(text):
        if found.start() > end:
            return before or found
        before = found
    return before


def _url(text: str) -> str:
    for found in _URL.finditer(text):
        before = text[max(0, found.start() - 40) : found.start()]
        if _EXPLAINERS.match(found.group()) is None and _NAMES_A_PAGE.search(before) is None:
            return found.group().rstrip(".,;:")
    target = _TARGET.search(text)
    return (target[2] or "").rstrip(".,;:") if target is not None else ""


def _method(text: str, kind: str, position: int = 0) -> str:
    found = _nearest(text, position)
    if found is not None and not found[2]:
        # Where one request is named with its address, a bare name elsewhere is a word of the account.
        whole = [one for one in _TARGET.finditer(text) if one[2]]
        found = whole[0] if len(whole) == 1 and abs(whole[0].start() - position) < _NEAR else found
    if found is not None:
        return found[1]
    if kind == "sentence":
        near = text[max(0, position - _NEAR) : position + _NEAR]
        return next((method for pattern, method in _VERBS if pattern.search(near)), "")
    return ""


def _ask(draft: Draft, lines: Sequence[str]) -> None:
    """Take what was sent from a command in the text that has a condition, and no answer."""
    prompts = [read_request_command(lines, at) for at, line in enumerate(lines) if is_request_command(line)]
    guarded = [one for one in prompts if any(name.lower().startswith("if-") for name, _ in one.fields)]
    if not guarded or not guarded[-1].urls:
        _take_conditions(draft, lines)
        return
    asked = guarded[-1]
    draft.method, draft.url = asked.method or "GET", asked.urls[0]
    draft.sent, draft.sent_complete = list(asked.fields), False
    draft.content = Content.from_text(asked.content) if isinstance(asked.content, str) else asked.content


_QUOTED_QUOTE: Final = '\\"'


def _printed(value: str) -> str:
    """Return a value without the quotes that a program put around it, as YAML and Ruby print texts."""
    if value[:1] == '"' and _QUOTED_QUOTE in value:
        return value[1:].removesuffix('"').replace(_QUOTED_QUOTE, '"')
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == "'" else value


def _take_conditions(draft: Draft, lines: Sequence[str]) -> None:
    """Take the conditions that stand in lines of their own, each with one value: they were sent."""
    values: dict[str, set[str]] = {}
    for line in lines:
        found = _CONDITION.match(line)
        if found is not None:
            value, _ = repair_value(found[1], found[2].strip(), unicode_text=True)
            values.setdefault(found[1].lower(), set()).add(_printed(value))
    if values and all(len(one) == 1 for one in values.values()):
        draft.sent, draft.sent_complete = [(name, next(iter(one))) for name, one in values.items()], False


def read_error_report(stream: BinaryIO, name: str) -> Capture:
    """Read a traceback, an error line or a sentence as one exchange of which little is known.

    Args:
        stream: binary stream at the start of the text.
        name: name of the source as the user gave it.

    Raises:
        InputError: the text speaks of no refused request.
    """
    data = stream.read()
    source = read_text(io.BytesIO(data), name)
    lines = [line or "" for line in source.lines]
    # Around a fence stands what somebody says of what is in it.
    whole = decode(data)[0].split("\n")
    report = understand(lines) or understand(whole)
    drafts = Drafts(name, warnings=list(source.warnings))
    if report is not None:
        draft = Draft(method=report.method, url=report.url, line=report.line, initiator=report.library)
        draft.told = told_causes(whole[:_LINES])
        first = max(draft.told, key=lambda one: one.weight, default=None)
        answered = first is not None and (first.cause in NOT_REFUSED or "304" in first.words)
        if not answered or report.message:
            draft.status = report.status
        draft.reason, draft.error = report.reason, report.text
        said = report.content or report.message
        if said:
            draft.received_content = Content.from_text(said, complete=bool(report.content))
        if not draft.status or draft.status in _OF_WRITES:
            _ask(draft, [unescaped(INVISIBLE.sub("", line)) for line in lines[:_LINES]])
        at = iso_moment(lines[report.line - 1][:120])
        if at is not None:
            draft.started, draft.resolution = at
        drafts.found.append(draft)
        drafts.warn(
            f"this tells of {'a refused request' if draft.status else 'what went wrong'} and shows no"
            " traffic: what was sent, what was read before and who wrote in between is not known",
            line=report.line,
        )
    return drafts.capture(FORMAT, nothing="this text speaks of no refused request", advice=_ADVICE)
