"""Make the masks that stand in the place of hidden values.

A mask is `masked-` and twelve hexadecimal digits: unreserved characters of a URI (RFC 3986 section 2.3),
so it passes unchanged through URLs, header fields, cookies, JSON, HTML, a shell and SARIF.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Final, Protocol

from ifmatch.model.late import late_pattern
from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from collections.abc import Callable

MASKED: Final = late_pattern(r"masked-[0-9a-f]{12}")


class Mask(Protocol):
    """Turn a value into its mask."""

    def __call__(self, value: str, *, certain: bool = True) -> str:
        """Return the mask.

        Args:
            value: what is to be hidden.
            certain: False when the value is hidden only because nothing says that it is harmless.
        """
        ...


class Hiding(Frozen, frozen=True):
    """How values are hidden: what every redaction of a position works with.

    Attributes:
        mask: turns a value into its mask.
        text: hides what is secret within free text, URLs included.
        tokens: hides learnt values and credentials of known shapes within a short value.
        redact_tags: whether entity tags are hidden too.
        mask_scalars: whether every scalar of a structured body is hidden.
    """

    mask: Mask
    text: Callable[[str], str]
    tokens: Callable[[str], str]
    redact_tags: bool = False
    mask_scalars: bool = False


def is_masked(value: str) -> bool:
    """Tell whether the whole value is a mask."""
    return MASKED.fullmatch(value) is not None


class KeyedMask:
    """Make masks with a key: equal values get equal masks, and no mask can be guessed back without the key.

    Args:
        key: octets of the key.

    Source: RFC 2104 (HMAC).
    """

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __call__(self, value: str, *, certain: bool = True) -> str:  # noqa: ARG002 - as the protocol says
        """Return the mask of a value; empty values and masks stay."""
        if not value or is_masked(value):
            return value
        digest = hmac.new(self._key, value.encode("utf-8", "surrogatepass"), hashlib.sha256)
        return "masked-" + digest.hexdigest()[:12]
