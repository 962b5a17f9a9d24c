"""Read recorded traffic: bytes in, exchanges out.

Names are loaded when they are asked for: who redacts or parses a curl command needs no reader.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ifmatch.capture.reading import FORMATS, HEAD_OCTETS, CaptureFormat, read, read_all, sniff

__all__ = ["FORMATS", "HEAD_OCTETS", "CaptureFormat", "read", "read_all", "sniff"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module("ifmatch.capture.reading"), name)
    globals()[name] = value
    return value
