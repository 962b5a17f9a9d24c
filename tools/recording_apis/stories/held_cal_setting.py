"""Where these stories play."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from tools.recording_apis.names import route
from tools.recording_apis.stories.vic_setting import Inside, at_once, drops, open_box, rest, sure

if TYPE_CHECKING:
    from tools.recording_apis.servers import Server
    from tools.recording_apis.stage import Stage

__all__ = [
    "AZURITE",
    "Inside",
    "at_once",
    "drops",
    "early",
    "host",
    "lines",
    "open_box",
    "rest",
    "sure",
]

AZURITE = "AccountName=notes;AccountKey=ZXhhbXBsZQ==;DefaultEndpointsProtocol=http;"


def early(part: float = 0.1) -> None:
    """Wait for the first tenth of a second."""
    now = time.time()
    time.sleep((1 + part - now % 1) % 1)


def host(stage: Stage, name: str, server: Server, site: str, **more: Any) -> str:
    """Let an SDK in this process reach a server under a host name, through a tap of its own."""
    route(site, stage.tap(name, server, **more))
    return f"http://{site}"


def lines(*rows: object) -> str:
    """Return JSON lines."""
    return "".join(json.dumps(row) + "\n" for row in rows)
