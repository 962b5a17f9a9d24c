"""Tell whether answers carry one content: by what they hold, else by checksums, or size and date."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.links.likeness import same_state
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.steps.step import Step
    from ifmatch.model.message import Fields

# Fields whose value is a checksum of the content: those of RFC 9530, of RFC 1864, and of stores and proxies.
_CHECKSUM: Final = late_pattern(
    r"(?:(?:want|unencoded)-)?(?:content|repr|representation)?-?digest|content-md5"
    r"|x-goog-hash|oc-checksum|x-ms-(?:blob-)?content-(?:md5|crc64)|x-amz-checksum-\w+"
    r"|(?:.*-)?(?:content|body|blob|object|file|payload|data|repr|artifact|checksum|digest)-?"
    r"(?:md5|sha-?\d*|digest|checksum|hash|crc-?\d*c?)"
    r"|(?:x-)?(?:checksum|digest|md5)(?:-(?:md5|sha-?\d*|crc-?\d*c?))?",
    re.IGNORECASE,
)
# A shorter value is no checksum.
_SHORT: Final = 6
# So small a content has one size in many states, and so many seconds make a date a strong validator.
_SMALL: Final = 2
_STRONG: Final = 60
_TWO: Final = 2


def _checksums(fields: Fields) -> dict[str, str]:
    """Return what the fields of an answer call a checksum of its content, by their names.

    Args:
        fields: of the answer.
    """
    return {
        name.lower(): value.strip()
        for name, value in fields
        if len(value.strip()) >= _SHORT and _CHECKSUM.fullmatch(name) is not None
    }


def alike_by_fields(one: Step, two: Step) -> bool | None:
    """Tell whether two answers carry one content, as their fields have it; None when these do not tell.

    Checksums prove it. Without any, one size and one date that is settled in both answers tell as much
    as a validator by date does.

    Args:
        one: a whole answer.
        two: another one of the same resource, coded in the same way.

    Source: RFC 9530 sections 2 and 3 (Content-Digest, Repr-Digest), RFC 9110 section 8.8.2.2 (when a date is
    a strong validator).
    """
    if one.received is None or two.received is None:
        return None
    first, second = _checksums(one.received), _checksums(two.received)
    both = first.keys() & second.keys()
    if both:
        return all(first[name] == second[name] for name in both)
    sizes = [step.header("content-length") or "" for step in (one, two)]
    if not all(size.strip().isdigit() for size in sizes):
        return None
    if int(sizes[0]) != int(sizes[1]):
        return False
    dated = one.last_modified is not None and one.last_modified == two.last_modified
    return True if dated and _strongly_dated(one) and int(sizes[0]) > _SMALL else None


def _strongly_dated(step: Step) -> bool:
    return (
        step.date is not None and step.last_modified is not None and step.date - step.last_modified >= _STRONG
    )


def alike_contents(reads: Sequence[Step]) -> bool | None:
    """Tell whether reads show one content; None when too few contents are known, such as those of one tag.

    Args:
        reads: of one resource.
    """
    known = [step for step in reads if step.representation is not None]
    if len(known) < _TWO:
        told = [alike_by_fields(reads[0], step) for step in reads[1:] if step.etag != reads[0].etag]
        whole = bool(told) and all(step.withheld for step in reads)
        return all(told) if whole and None not in told else None
    if not all(same_state(known[0], step) for step in known[1:]):
        return False
    # What is the same under one tag says nothing of the content under another.
    return True if len({step.etag for step in known}) > 1 or len({step.etag for step in reads}) == 1 else None
