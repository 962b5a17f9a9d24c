"""What quin's stories share: clients of stores, and small things."""

from __future__ import annotations

import importlib
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from tools.recording_apis.names import route
from tools.recording_apis.stories.vic_setting import at_once, drops, open_box, rest, sure

if TYPE_CHECKING:
    from tools.recording_apis.servers import Server
    from tools.recording_apis.stage import Stage

__all__ = ["Bucket", "at_once", "drops", "http_date", "iso_of", "now", "open_box", "rest", "sure"]


def http_date(moment: float) -> str:
    """Return a moment as HTTP has it."""
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(moment))


def iso_of(date: str) -> str:
    """Return a date of HTTP as ISO 8601 has it."""
    return parsedate_to_datetime(date).strftime("%Y-%m-%dT%H:%M:%SZ")


def now() -> float:
    """Return this moment."""
    return time.time()


class Bucket:
    """A boto3 client of an S3-like store behind a tap of its own."""

    def __init__(self, stage: Stage, name: str, server: Server, host: str, region: str = "auto") -> None:
        self._port, self._host = stage.tap(name, server), host
        boto3 = importlib.import_module("boto3")
        config = importlib.import_module("botocore.config").Config(
            retries={"mode": "standard", "total_max_attempts": 3},
            proxies={},
            user_agent=f"Boto3/{boto3.__version__} md/Botocore ua/2.1 os/linux lang/python#3.12",
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        self._errors = importlib.import_module("botocore.exceptions")
        self.client = boto3.client(
            "s3",
            endpoint_url=f"http://{host}",
            region_name=region,
            aws_access_key_id="AKIAEXAMPLE",
            aws_secret_access_key="nothing",  # noqa: S106 - the server checks nothing
            config=config,
        )

    def call(self, operation: str, expect: str = "", **named: Any) -> Any:
        """Call an operation and insist on its error code, empty for success."""
        route(self._host, self._port)
        code, answer = "", {}
        try:
            answer = getattr(self.client, operation)(**named)
        except self._errors.ClientError as refused:
            code = str(refused.response["Error"]["Code"])
        sure(code == expect, f"{operation}: {code or answer}")
        return answer
