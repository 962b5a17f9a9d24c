"""Read what a client would rather have: Accept, Accept-Language, Accept-Encoding.

Source: RFC 9110 section 12.4.2 (quality values).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["acceptable", "quality"]

_WEIGHT: Final = re.compile(r";\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*$", re.IGNORECASE)


def _weights(value: str) -> dict[str, float]:
    weights: dict[str, float] = {}
    for member in value.split(","):
        found = _WEIGHT.search(member)
        name = (member[: found.start()] if found else member).split(";")[0].strip().lower()
        if name:
            weights[name] = float(found[1]) if found else 1.0
    return weights


def quality(value: str | None, offered: str) -> float:
    """Return how much a client wants something, 0 when it refuses it.

    Args:
        value: of Accept, Accept-Language or Accept-Encoding; None when absent.
        offered: a media type, language or coding, in lower case.

    Source: RFC 9110 section 12.4.2.
    """
    if value is None or not value.strip():
        return 1.0 if value is None else 0.0
    weights = _weights(value)
    kind = offered.split("/", 1)[0]
    shorter = [f"{kind}/*", "*/*", "*"]
    longer = [weight for name, weight in weights.items() if name.startswith(f"{offered}-")]
    for name in (offered, *shorter):
        if name in weights:
            return weights[name]
    return max(longer, default=0.0)


def acceptable(value: str | None, offered: Sequence[str]) -> list[str]:
    """Return what is offered, best first; what the client weighs alike keeps its order."""
    return sorted(offered, key=lambda one: -quality(value, one))
