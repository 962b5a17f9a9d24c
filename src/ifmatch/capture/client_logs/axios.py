"""Read errors of axios as Node prints them: what was sent, and what came back; also an answer of `fetch`.

Source of the notation: AxiosError of axios 0.x and 1.x, `util.inspect` of Node.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.capture.base.drafts import Draft
from ifmatch.capture.base.python_literals import python_text
from ifmatch.model.message import Content
from ifmatch.model.places import joined

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ifmatch.capture.base.drafts import Drafts

__all__ = ["AXIOS", "read_axios"]

AXIOS: Final = re.compile(r"\bAxiosHeaders\]? \{|\bxsrfHeaderName: '|^Response \{$")
_ANSWER = re.compile(r"^Response \{$")
_BEGINS = re.compile(r"(?:^|\s)(?:Axios)?Error: \S|\bAxiosError\b")
_MEMBER = re.compile(r"(\s*)(?:'((?:[^'\\]|\\.)+)'|(\[?[\w$-]+\]?)): (.*?),?\s*\Z")
_STRING = re.compile(r"""(?:'(?:[^'\\]|\\.)*+'|"(?:[^"\\]|\\.)*+"|`(?:[^`\\]|\\.)*+`)\Z""")
_DEPTH: Final = 12


def read_axios(lines: Sequence[str], drafts: Drafts) -> None:
    """Read the errors that a program printed, or the answers in them.

    Args:
        lines: of the whole log.
        drafts: takes the exchanges.
    """
    said: dict[str, str] = {}
    start = 1
    for number, line in enumerate(lines, 1):
        answer = _ANSWER.match(line) is not None
        if (answer and said) or (
            _BEGINS.search(line) is not None and said.keys() & {"config.method", "response.status"}
        ):
            _add(said, start, drafts)
            said, start = {}, number
        if (answer or _BEGINS.search(line) is not None) and not said:
            start = number
        for path, value in _members(lines, number):
            said.setdefault(path, value)
    _add(said, start, drafts)


def _members(lines: Sequence[str], number: int) -> Iterator[tuple[str, str]]:
    """Yield path and value of the member in a line; the path is that of the objects it stands in."""
    found = _MEMBER.match(lines[number - 1])
    if found is None or found[4].rstrip().endswith(("{", "[", "+")):
        return
    names = [found[2] or found[3]]
    indent = len(found[1])
    for above in range(number - 2, max(number - 2000, -1), -1):
        line = lines[above]
        if indent == 0:
            break
        width = len(line) - len(line.lstrip())
        if not line.strip() or width >= indent:
            continue
        indent = width
        outer = _MEMBER.match(line)
        ends = outer is None or not outer[4].rstrip().endswith("{") or _BEGINS.search(line) is not None
        if outer is None or ends or len(names) > _DEPTH:
            break
        names.append(outer[2] or outer[3])
    value = found[4].strip()
    literal = value.endswith(("'", '"', "`")) and _STRING.match(value) is not None
    yield ".".join(reversed(names)), python_text(value) if literal else value


def _add(said: dict[str, str], line: int, drafts: Drafts) -> None:
    """Add the exchange that the members of one error tell of."""
    # Of an answer printed alone the members stand outermost.
    where = "response." if any(path.startswith("response.") for path in said) else ""
    status = said.get(f"{where}status") or said.get("status") or ""
    config = {path.removeprefix(where).removeprefix("response."): value for path, value in said.items()}
    url = joined(config.get("config.baseURL", ""), config.get("config.url", "")) or said.get("url", "")
    if base := config.get("config.baseURL"):
        whole = f"{base.rstrip('/')}/{config.get('config.url', '').lstrip('/')}"
        url = url if "://" in config.get("config.url", "") else whole
    draft = Draft(
        method=config.get("config.method", "get" if "config.url" in config else "").upper(),
        url=url,
        line=line,
        sent_complete=False,
        framed=False,
    )
    draft.status = int(status) if status.isascii() and status.isdigit() else 0
    draft.reason = said.get(f"{where}statusText", "")
    for path, value in said.items():
        if path.startswith(f"{where}headers.") and path.count(".") == (2 if where else 1):
            draft.add_received(path.rpartition(".")[2], value)
        elif path.startswith(("config.headers.", "response.config.headers.")):
            draft.sent = [pair for pair in draft.sent or [] if pair[0] != path.rpartition(".")[2]]
            draft.add_sent(path.rpartition(".")[2], value)
    content = config.get("config.data")
    if content and content not in {"undefined", "null"} and not content.startswith(("[", "<")):
        draft.content = Content.from_text(content)
    if draft.url and (draft.sent or draft.status):
        drafts.found.append(draft)
