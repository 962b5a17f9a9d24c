"""What tia's stories share: the fields that programs of clouds and offices send."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tools.recording_apis.apps.ray_core import guid
from tools.recording_apis.stories.vic_setting import at_once, drops, open_box, rest, sure

if TYPE_CHECKING:
    from tools.recording_apis.apps.ray_core import Api

__all__ = [
    "CHROME",
    "amazon",
    "at_once",
    "bearer",
    "drops",
    "fill",
    "google",
    "ids",
    "open_box",
    "rest",
    "since_midnight",
    "sure",
    "till_fraction",
]

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"


def bearer(agent: str, **more: str) -> dict[str, str]:
    """Return the fields of a client with a token."""
    own = {"Authorization": "Bearer ***", "User-Agent": agent}
    return {**own, **{name.replace("_", "-"): value for name, value in more.items()}}


def google(agent: str) -> dict[str, str]:
    """Return the fields of Google's client libraries."""
    return bearer(agent, x_goog_api_client="gl-python/3.11.9 gdcl/2.149.0", Accept="application/json")


def amazon(agent: str, scope: str = "eu-central-1/s3") -> dict[str, str]:
    """Return the fields of a signed request."""
    day = time.strftime("%Y%m%d", time.gmtime())
    return {
        "Authorization": f"AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/{day}/{scope}/aws4_request, SignedHeaders=host;x-amz-date, Signature=***",
        "X-Amz-Date": time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()),
        "User-Agent": agent,
    }


def ids(name: str) -> dict[str, str]:
    """Return a request id as Microsoft's programs send it."""
    return {"client-request-id": guid(f"{name}{time.time()}")}


def fill(api: Api, folder: str, content: dict[str, object], age: float = 86000.0) -> None:
    """Store rows below a folder."""
    for number, (name, data) in enumerate(content.items()):
        api.keep(f"{folder}{name}", data, "", age + 3011.37 * number)


def till_fraction(wanted: float) -> None:
    """Wait for a moment shortly after the given fraction of a second."""
    time.sleep((wanted - time.time() % 1.0) % 1.0)


def since_midnight() -> str:
    """Return today's date."""
    return time.strftime("%Y-%m-%d", time.gmtime())
