"""Tell the answer that shows an operation under way from the report of what a write left undone.

Cloud services answer a write with an operation that ends later: `done: false` there is no refusal.
Source: google.aip.dev/151 (long-running operations); the `Operation` of Compute Engine; the asynchronous
operations of Azure Resource Manager.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.reading.listed_records import leaves_of
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable

# A flag whose `false` says that something has not ended yet.
_ENDED: Final = late_pattern(r"(?:is[-_]?)?(?:done|completed?|finished|ended|ready)", re.IGNORECASE)
_STATE: Final = late_pattern(r"(?:\w*[-_])?(?:state|status|phase)|\w+(?:State|Status|Phase)", re.IGNORECASE)
_RUNNING: Final = late_pattern(
    r"(?:\w+[-_ ])?(?:pending|queued|running|in[-_ ]?progress|not[-_ ]?started|provisioning|creating"
    r"|updating|deleting|processing|executing)",
    re.IGNORECASE,
)
# What an operation lies below, and what it is of: `operations/7f`, `#operation`, `CreateOperationMetadata`.
_OPERATION: Final = late_pattern(
    r"(?:^|/)(?:\w+[-_])?(?:operations?|operationstatus(?:es)?|operationresults?)/[^\s]+$"
    r"|#operation$|Operation(?:Metadata)?$",
    re.IGNORECASE,
)
_CALLED: Final = late_pattern(
    r"(?:\w*[-_])?operation[-_]?(?:id|type|name|ur[il]|link|href)|requestedCancellation", re.IGNORECASE
)
_FAILED: Final = late_pattern(r"(?:^|/)(?:errors?|failures?|fault|exception)(?:/|$)", re.IGNORECASE)
_LONGEST: Final = 50_000


def under_way(text: str) -> bool:
    """Tell whether an answer shows an operation that has begun and not ended, and no error of it.

    Args:
        text: content of an answer.
    """
    return text.lstrip()[:1] == "{" and len(text) <= _LONGEST and "peration" in text and _under_way(text)


@lru_cache(maxsize=256)
def _under_way(text: str) -> bool:
    leaves = leaves_of(text)
    if any(_FAILED.search(name) is not None and value for name, value in leaves):
        return False
    return _has_begun(leaves) and any(
        _CALLED.fullmatch(name.rpartition("/")[2]) or _OPERATION.search(value) for name, value in leaves
    )


def _has_begun(leaves: Iterable[tuple[str, str]]) -> bool:
    """Tell whether values say that something has not ended: a flag at the top, or a state at any depth."""
    for name, value in leaves:
        last = name.rpartition("/")[2]
        if last == name and value == "false" and _ENDED.fullmatch(name) is not None:
            return True
        if _STATE.fullmatch(last) is not None and _RUNNING.fullmatch(value) is not None:
            return True
    return False
