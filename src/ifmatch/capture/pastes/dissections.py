"""Take messages out of what `tshark -V` and Wireshark's Export Packet Dissections as Plain Text print.

Source: the plain text printer of Wireshark (epan/print.c): a level of the tree is indented by four blanks.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.capture.pastes.message_order import Told, in_turn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.capture.pastes.message_order import Line

__all__ = ["DISSECTION", "from_dissections"]

_START = r"(?:[A-Z]{3,20} \S.* HTTP/\d\.\d|HTTP/\d\.\d \d{3}(?: .*)?)"
DISSECTION: Final = re.compile(
    rf"Hypertext Transfer Protocol\s*\Z|\s{{0,8}}{_START}\\r\\n\s*\Z", re.IGNORECASE
)
_SECTION = re.compile(r"(?:Frame \d+: |[A-Z][\w -]{2,40}(?: \(\d+ lines?\))?(?:, |: |\Z))(?!.*\\r\\n)")
_PORTS = re.compile(r"Transmission Control Protocol, Src Port: \D*(\d+)\D*, Dst Port: \D*(\d+)")
_TEXT = re.compile(r"Line-based text data")
_BEGINS = re.compile(rf"(\s*)({_START})\\r\\n\s*\Z", re.IGNORECASE)
_END = re.compile(r"\\r\\n\Z", re.IGNORECASE)
_CUT = re.compile(r"\[(?:truncated|\u2026|\.\.\.)[^\]]*\]? ?[!#$%&'*+.^_`|~0-9A-Za-z-]+:")


def from_dissections(lines: Sequence[tuple[int, str | None]], cut: str) -> list[Line]:
    """Return the lines of the messages in dissections; [] when none begins one.

    Args:
        lines: of the source with their 1-based numbers.
        cut: what stands for a field that is not shown whole.
    """
    messages: list[Told] = []
    key = indent = ""
    is_text = False
    for number, line in lines:
        begun = _BEGINS.match(line) if line else None
        if begun is not None:
            indent, is_text = begun[1], False
            messages.append(Told(key, [(number, begun[2])]))
        elif line and not line[0].isspace() and _SECTION.match(line) is not None:
            found = _PORTS.match(line)
            key = "-".join(sorted((found[1], found[2]))) if found is not None else key
            is_text = _TEXT.match(line) is not None
        elif not messages or not line or not line.startswith(indent):
            continue
        elif is_text:
            messages[-1].lines.append((number, re.sub(r"(?:\\r)?\\n\Z", "", line[len(indent) :].rstrip())))
        elif _END.search(text := line[len(indent) :].rstrip()) is not None and text[:1] not in {" ", "["}:
            messages[-1].lines.append((number, _END.sub("", text)))
        elif _CUT.match(text) is not None:
            messages[-1].lines.append((number, cut))
    return list(in_turn(messages))
