"""Read the case files of cases/rfc9110."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ifmatch import Representation
from ifmatch.core.http_date import parse_http_date

FOLDER = Path(__file__).parents[2] / "cases" / "rfc9110"


def load_cases() -> list[dict[str, Any]]:
    return [case for path in sorted(FOLDER.glob("*.json")) for case in json.loads(path.read_text())["cases"]]


def when(text: str) -> datetime:
    moment = parse_http_date(text, now=datetime.now(UTC))
    assert isinstance(moment, datetime), moment
    return moment


def representation(current: dict[str, Any] | None) -> Representation | None:
    if current is None:
        return None
    modified = current["last_modified"]
    return Representation(
        etag=current["etag"],
        last_modified=None if modified is None else when(modified),
        last_modified_is_strong=current["last_modified_is_strong"],
    )
