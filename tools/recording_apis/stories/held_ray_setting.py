"""What ray's stories share: the programs of Amazon's and IBM's users, and the fields that products' clients send."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from tools.recording_apis.names import route
from tools.recording_apis.stage import StoryError
from tools.recording_apis.stories.vic_setting import at_once, drops, open_box, rest, sure

if TYPE_CHECKING:
    from tools.recording_apis.servers import Server
    from tools.recording_apis.stage import Stage

__all__ = ["Aws", "at_once", "drops", "open_box", "rest", "sure"]

ORACLE = {
    "Authorization": 'Signature version="1",keyId="ocid1.tenancy.oc1..aaaa/ocid1.user.oc1..bbbb/20:3b",algorithm="rsa-sha256",signature="x"',
    "Accept": "application/json",
}
GOOGLE = {"Authorization": "Bearer ya29.a0-example", "Accept": "application/json"}
ODATA = {
    "Authorization": "Bearer eyJ0-example",
    "OData-MaxVersion": "4.0",
    "OData-Version": "4.0",
    "Accept": "application/json",
}
HAWK = {"Authorization": 'Hawk id="eyJleHAi", ts="1764310000", nonce="k3Jb", mac="example="'}


class Aws:
    """A boto3 client behind a tap of its own.

    Args:
        stage: The story's stage.
        name: The actor's file.
        server: Where it sends to.
        service: ``s3`` or ``wafv2``.
        host: Host name in its URLs.
        agent: Its user agent.
    """

    def __init__(  # noqa: PLR0917 - what a client is made of
        self, stage: Stage, name: str, server: Server, service: str, host: str, agent: str
    ) -> None:
        self._port, self._host = stage.tap(name, server), host
        boto3 = importlib.import_module("boto3")
        config = importlib.import_module("botocore.config").Config(
            retries={"mode": "standard", "total_max_attempts": 1},
            proxies={},
            user_agent=agent,
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            **({"s3": {"addressing_style": "path"}} if service == "s3" else {}),
        )
        self._errors = importlib.import_module("botocore.exceptions")
        self.client = boto3.client(
            service,
            endpoint_url=f"http://{host}",
            region_name="eu-central-1",
            aws_access_key_id="AKIAEXAMPLE",
            aws_secret_access_key="nothing",  # noqa: S106 - the server checks nothing
            config=config,
        )

    def __call__(self, operation: str, expect: str = "", **named: Any) -> Any:
        """Call an operation and insist on its error code, empty for success."""
        route(self._host, self._port)
        code, answer = "", {}
        try:
            answer = getattr(self.client, operation)(**named)
        except self._errors.ClientError as refused:
            code = str(refused.response["Error"]["Code"])
        if code != expect:
            raise StoryError(f"{operation}: {code or answer}")
        return answer
