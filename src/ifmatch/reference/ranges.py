"""Cut ranges out of a representation.

Source: RFC 9110 section 14.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal

from ifmatch.reference.messages import Answer

if TYPE_CHECKING:
    from ifmatch.reference.messages import Pairs

__all__ = ["parse_ranges", "partial"]

_SPEC: Final = re.compile(r"(?:(\d+)-(\d*)|-(\d+))", re.ASCII)
_MOST_RANGES: Final = 16
_BOUNDARY: Final = "ifmatch-part"


def parse_ranges(value: str, length: int) -> list[tuple[int, int]] | Literal["unsatisfiable"] | None:
    """Read a value of Range.

    Args:
        value: the field value.
        length: octets of the representation.

    Returns:
        First octet and one past the last of each satisfiable range; `unsatisfiable` when there is none; None
        when the field is to be ignored: another unit, malformed, or more ranges than a client needs.

    Source: RFC 9110 sections 14.1.1, 14.1.2 and 14.2.
    """
    unit, equals, specs = value.partition("=")
    if not equals or unit.strip().lower() != "bytes":
        return None
    members = [member.strip(" \t") for member in specs.split(",")]
    members = [member for member in members if member]
    if not members or len(members) > _MOST_RANGES:
        return None
    ranges: list[tuple[int, int]] = []
    for member in members:
        found = _SPEC.fullmatch(member)
        if found is None:
            return None
        if found[3] is not None:
            wanted = min(int(found[3]), length)
            if wanted:
                ranges.append((length - wanted, length))
            continue
        first = int(found[1])
        if found[2] and int(found[2]) < first:
            return None
        if first < length:
            ranges.append((first, min(int(found[2]) + 1, length) if found[2] else length))
    return ranges or "unsatisfiable"


def partial(value: str, octets: bytes, fields: Pairs, described: Pairs) -> Answer | None:
    """Make the 206 or the 416, None when Range is to be ignored.

    Args:
        value: of Range.
        octets: the representation.
        fields: field lines of the 200 that every 206 has to carry too.
        described: further field lines about the representation (Content-Type, Content-Encoding, ...); empty
            when If-Range tells that the client has them already.

    Source: RFC 9110 sections 15.3.7, 14.6 and 15.5.17.
    """
    length = len(octets)
    ranges = parse_ranges(value, length)
    if ranges is None:
        return None
    if ranges == "unsatisfiable":
        text = f"The representation has {length} octets.\n".encode()
        unsatisfied = (("Content-Range", f"bytes */{length}"), ("Content-Type", "text/plain"))
        return Answer(416, unsatisfied, text)
    if len(ranges) == 1:
        first, end = ranges[0]
        single = (("Content-Range", f"bytes {first}-{end - 1}/{length}"), *described)
        return Answer(206, (*single, *fields), octets[first:end])
    about = "".join(f"{name}: {text}\r\n" for name, text in described)
    parts = b"".join(
        f"--{_BOUNDARY}\r\n{about}Content-Range: bytes {first}-{end - 1}/{length}\r\n\r\n".encode("latin-1")
        + octets[first:end]
        + b"\r\n"
        for first, end in ranges
    )
    kind = ("Content-Type", f"multipart/byteranges; boundary={_BOUNDARY}")
    return Answer(206, (kind, *fields), parts + f"--{_BOUNDARY}--\r\n".encode())
