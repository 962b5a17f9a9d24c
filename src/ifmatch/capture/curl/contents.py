"""Find the response content among what curl displayed between and behind its own lines.

Standard output is buffered where standard error is not: the content of several transfers can stand behind the
last one, and that of one transfer behind lines of the next.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ifmatch.capture.base.captured_content import (
    ReadContent,
    from_display,
    from_wire,
    is_whole_json,
    json_length,
)
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.capture.curl.transfers import Transfer
    from ifmatch.capture.texts.text_source import TextSource
    from ifmatch.model.message import Fields

_PROMPT_AT_END = re.compile(r"\n?[^\n]{0,80}[\w.-]+@[\w.-]{1,80}[: ][^\n$#]{0,80}[$#] ?\Z|\n(?:[$#%] ?)\Z")
_ECHOED_HEAD = re.compile(r"HTTP/\d(?:\.\d)? \d{3}[^\n]*\n")


def _has_content(transfer: Transfer) -> bool:
    return transfer.method not in {"HEAD", "CONNECT"} and transfer.status not in {204, 304}


def _is_chunked(transfer: Transfer) -> bool:
    return any(text.lower().startswith("transfer-encoding:") for _, text in transfer.received[1:])


def _expected_octets(transfer: Transfer) -> int | None:
    """Return how many octets of content curl displays for a transfer; None when the trace does not tell.

    Args:
        transfer: a transfer whose response head is known.
    """
    if not _has_content(transfer) or transfer.body_ignored or transfer.status < 200:
        return 0
    if _is_chunked(transfer):
        return None
    declared = transfer.declared_size()
    if declared is not None:
        return declared
    return transfer.received_size or None


def _without_echo(text: str) -> str:
    """Take off the response heads that `-i` displays before the content.

    Args:
        text: what was displayed behind a response head.
    """
    position = 0
    while (found := _ECHOED_HEAD.match(text, position)) is not None:
        end = found.end()
        while (line_end := text.find("\n", end)) >= 0:
            line = text[end:line_end].strip("\r ")
            end = line_end + 1
            if not line:
                break
        else:
            return ""
        position = end
    return text[position:] if position else text


def distribute(transfers: Sequence[Transfer], source: TextSource) -> None:
    """Hand displayed content on to the transfers that it belongs to, where it stands behind a later one.

    Args:
        transfers: in the order of the trace; their `display` is rewritten.
        source: the text, for sizes in octets.
    """
    without: list[Transfer] = []
    run = -1
    for transfer in transfers:
        if transfer.run != run:
            without, run = [], transfer.run
        if transfer.display and "".join(transfer.display).strip():
            if without:
                _share([*without, transfer], source)
            without = []
        elif _expected_octets(transfer) != 0:
            without.append(transfer)


def _share(transfers: list[Transfer], source: TextSource) -> None:
    owner = transfers[-1]
    text = _without_echo("".join(owner.display))
    rest = source.octets(text)
    own = _expected_octets(owner)
    if own is not None and len(rest.rstrip(b"\r\n")) <= own <= len(rest):
        return
    pieces: list[bytes] = []
    for transfer in transfers[:-1]:
        size = _expected_octets(transfer)
        if size is None:
            length = json_length(rest.decode("utf-8", "replace"))
            size = len(rest.decode("utf-8", "replace")[:length].encode()) if length is not None else None
        if size is None or size >= len(rest):
            return
        pieces.append(rest[:size])
        rest = _without_echo(rest[size:].decode("latin-1")).encode("latin-1")
    if own is not None and len(rest) < own:
        return
    for transfer, piece in zip(transfers, [*pieces, rest], strict=True):
        transfer.display = [piece.decode(source.encoding, "replace")]


def response_content(transfer: Transfer, fields: Fields, source: TextSource) -> ReadContent:
    """Return the content of a transfer's response.

    Args:
        transfer: the transfer, its display already shared out.
        fields: fields of the response.
        source: the text it comes from.
    """
    if not _has_content(transfer):
        return ReadContent(None)
    complete = not transfer.error
    if transfer.received_octets:
        octets = b"".join(transfer.received_octets)
        whole = complete and transfer.received_exact and len(octets) == transfer.received_size
        declared = transfer.declared_size()
        if declared is not None and declared != len(octets) and not _is_chunked(transfer):
            whole = False
        return from_wire(octets, fields, complete=whole)
    size = _expected_octets(transfer)
    if size == 0:
        return ReadContent(UNKNOWN if transfer.body_ignored else None)
    text = _without_echo("".join(transfer.display))
    octets = source.octets(text)
    if size is not None and len(octets) > size and (not octets[size:].strip() or not is_whole_json(octets)):
        octets = octets[:size]
    elif size is None or len(octets) != size:
        octets = source.octets(_trimmed(text))
    if not octets.strip():
        return ReadContent(UNKNOWN)
    return from_display(octets, fields, exact=True)


def _trimmed(text: str) -> str:
    """Cut off what stands behind content of unknown size: a prompt, prose behind JSON, one line end."""
    length = json_length(text)
    if length is not None:
        return text[:length]
    text = (
        _PROMPT_AT_END.sub("", text[-400:])
        if len(text) <= 400
        else text[:-400] + _PROMPT_AT_END.sub("", text[-400:])
    )
    return text.removesuffix("\n").removesuffix("\r")
