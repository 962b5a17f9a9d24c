"""Tell by their first octets the files that are no text: archives and packet captures.

Source: APPNOTE of the zip format, POSIX.1-2024 (ustar), the pcap and pcapng formats of the IETF's opsawg.
"""

from __future__ import annotations

from typing import Final

__all__ = ["is_archive", "is_pcap", "is_zip"]

# Of both byte orders, with micro- and nanoseconds; pcapng.
_PCAP: Final = frozenset({
    b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\x0a\x0d\x0d\x0a",
})  # fmt: skip
_ZIP: Final = frozenset({b"PK\x03\x04", b"PK\x05\x06"})


def is_archive(head: bytes) -> bool:
    """Tell whether this is a zip or a tar archive."""
    return is_zip(head) or head[257:262] == b"ustar"


def is_zip(head: bytes) -> bool:
    """Tell whether this is a zip archive."""
    return head[:4] in _ZIP


def is_pcap(head: bytes) -> bool:
    """Tell whether this is a packet capture."""
    return head[:4] in _PCAP
