"""Compare JSON values as the merge does."""

from __future__ import annotations

from ifmatch.merge.identity import Identities


def same_json(first, second):
    """Tell whether two JSON values are the same; `1`, `1.0` and `true` are not, member order is no matter."""
    identities = Identities()
    return identities.of(first) == identities.of(second)
