"""Write the JSON lines of `TF_LOG=JSON` as the text lines that `TF_LOG=DEBUG` has.

Source of the notation: hclog of HashiCorp, as Terraform and its providers use it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from ifmatch.model.json_values import members_in

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["as_text", "is_json_record"]

_OWN: Final = frozenset({"@caller", "@level", "@message", "@module", "@timestamp", "timestamp"})
_LONGEST: Final = 1024 * 1024


def is_json_record(line: str) -> bool:
    """Tell whether a line is a record of hclog as JSON."""
    return line.startswith("{") and '"@message"' in line and '"@level"' in line


def as_text(lines: Sequence[str]) -> tuple[list[str], list[int]]:
    """Return the lines as text, and the 1-based number of the line that each comes from.

    Args:
        lines: of a log; those that are no JSON record stay as they are.
    """
    texts: list[str] = []
    numbers: list[int] = []
    for number, line in enumerate(lines, 1):
        for text in _texts(line) if is_json_record(line) else [line]:
            texts.append(text)
            numbers.append(number)
    return texts, numbers


def _texts(line: str) -> list[str]:
    try:
        value: object = json.loads(line[:_LONGEST])
    except (ValueError, RecursionError):
        return [line]
    record = members_in(value)
    level = str(record.get("@level", "")).upper()
    first, *more = str(record.get("@message", "")).split("\n")
    members = " ".join(
        f"{name}={json.dumps(member, ensure_ascii=False)}"
        for name, member in record.items()
        if name not in _OWN
    )
    module = record.get("@module") or "terraform"
    stamp = str(record.get("@timestamp", ""))
    return [
        f"{stamp} [{level}] provider.{module}: {first}: {members}"
        if members and not more
        else f"{stamp} [{level}] provider.{module}: {first}",
        *more,
    ]
