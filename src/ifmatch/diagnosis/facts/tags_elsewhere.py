"""Look at the tags of the address that a token came from, when the write goes to another one; pure.

A page is read at the address of one revision and saved at that of the page: what its reads show holds there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.reading import tokens
from ifmatch.diagnosis.reads.content_digests import alike_contents
from ifmatch.diagnosis.steps.resources import host_of, parent_of

if TYPE_CHECKING:
    from ifmatch.diagnosis.facts.incident import Facts
    from ifmatch.diagnosis.steps.step import Step

# From so many on they are ever new: two may be those of two nodes, or before and after a change.
_FEW: Final = 3


def ever_new_at_source(facts: Facts) -> list[Step]:
    """Return the reads of a part of the target that gave the token, when each shows the same under a new tag.

    Args:
        facts: of a refused write whose token another resource gave out.

    Returns:
        The reads, in order; empty where the tags stay, somebody writes there, or caches answer.
    """
    source = facts.elsewhere
    if source is None or host_of(source.resource) != host_of(facts.step.resource):
        return []
    if parent_of(source.resource).rstrip("/") != facts.step.resource.rstrip("/"):
        return []
    history = facts.case.history_of(source.resource)
    if any(one.is_write for one in history):
        return []
    reads = [one for one in history if one.is_read and one.status == 200 and one.etag]
    tags = {tokens.opaque(one.etag or "") for one in reads}
    if len(tags) < _FEW or len(tags) != len(reads) or any(facts.from_cache(one) for one in reads):
        return []
    return reads if alike_contents(reads) else []
