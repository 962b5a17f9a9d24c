"""Make messages of notations that tell of a request in one line, or of each line of a message by itself.

Source of the notations: the request log of the AWS SDK for Java (`com.amazonaws.request`), varnishtest's log.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

    Line: TypeAlias = tuple[int, str | None]

__all__ = ["AWS_JAVA", "VARNISHTEST", "from_aws_java", "from_varnishtest"]

AWS_JAVA: Final = re.compile(
    r".{0,200}?(?:Sending Request: |>> )([A-Z]{3,8}) (https?://\S+?)(?: (/\S*))? "
    r"(?:Parameters: \(.{0,8000}?\) ?)?Headers: \((.*?)(?:,? ?\.\.\. ?)?,? ?\)[ \t]*\Z"
)
_AWS_ANSWER = re.compile(
    r".{0,200}?(?:<< (HTTP/\d(?:\.\d)? \d{3}.{0,80}?)"
    r"|Received (?:successful |error |failed )?response: "
    r"(?:(\d{3})\b.{0,200}|.{0,2000}?Status Code: (\d{3})\b.{0,400}))[ \t]*\Z"
)
_NEXT_FIELD = re.compile(r", (?=[A-Za-z][\w-]{0,60}: )")
VARNISHTEST: Final = re.compile(
    r"\*{2,4} +(\w+) +(?:\d+\.\d+ +)?(?:tx|rx)(?:req|resp|hdr)\|(.*?)(?:\\r)?(?:\\n)?\Z"
)
_CLIENT: Final = "c"


def from_aws_java(lines: list[Line], dropped: str) -> Iterator[Line]:
    """Yield messages of a log that tells a request's target and fields in one line, and its answer's status.

    Args:
        lines: with their numbers in the source.
        dropped: stands for a line that is not there.
    """
    waits = False
    for number, line in lines:
        sent = AWS_JAVA.match(line) if line else None
        answer = _AWS_ANSWER.match(line) if line and sent is None and waits else None
        if sent is not None:
            waits = True
            yield number, f"{sent[1]} {sent[2].rstrip('/')}{sent[3] or '/'} HTTP/1.1"
            for pair in _NEXT_FIELD.split(sent[4]):
                yield number, pair
            yield number, ""
        elif answer is not None:
            waits = False
            yield number, answer[1] or f"HTTP/1.1 {answer[2] or answer[3]}"
            yield number, ""
        else:
            yield number, dropped if waits else line


def from_varnishtest(lines: list[Line], dropped: str) -> Iterator[Line]:
    """Yield the messages that the clients of a test sent and received; those behind the cache repeat them.

    Args:
        lines: as above.
        dropped: as above.
    """
    found = [(number, VARNISHTEST.match(line) if line else None) for number, line in lines]
    clients = any(one is not None and one[1].startswith(_CLIENT) for _, one in found)
    for number, one in found:
        shown = one is not None and (not clients or one[1].startswith(_CLIENT))
        yield number, one[2] if one is not None and shown else dropped
