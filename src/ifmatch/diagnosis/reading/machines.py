"""Tell which machine answered, from the fields that say so and the cookies of balancers."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from ifmatch.model.message import Fields

# Fields that name the machine that answered, the usual ones first.
_NODE_FIELDS = (
    "x-served-by",
    "x-backend",
    "x-node",
    "x-node-id",
    "x-server",
    "x-server-id",
    "x-backend-server",
    "x-instance",
    "x-instance-id",
    "x-pod",
    "x-pod-name",
    "x-upstream",
    "x-upstream-addr",
    "x-host",
    "x-hostname",
    "x-container-id",
    "x-replica",
)
# The same in fields of a service's own, such as X-Shop-Node or Served-From-Pod.
_NODE_LIKE = late_pattern(
    r"(?:^|[-_])(?:node|pod|instance|backend|replica|worker|machine|container|upstream|hostname"
    r"|mirror|vm|dyno|rack|peer|srv"
    r"|(?:app|web|api|db|origin)[-_]?(?:server|host)"
    r"|(?:served|handled|answered|read|written|wrote|stored|loaded)[-_](?:by|from|to|at|on))"
    r"(?:[-_](?:id|name|no|addr|host))?$",
    re.IGNORECASE,
)
_TIMED = late_pattern(
    r"\b(?:node|pod|instance|backend|host|replica|worker)\s*;\s*desc=\"?([^\",;]+)", re.IGNORECASE
)
# Cookies that balancers stick a client to a machine with.
_STICKY = late_pattern(
    r"(?:^|,\s*)(SERVERID|SRV|SERVER|ROUTEID|route|BIGipServer[^=]*|INGRESSCOOKIE|lb|node|backend"
    r"|sticky)=([^;,]+)",
    re.IGNORECASE,
)
# What stores of which one follows another are called, whatever the field.
_ROLE = late_pattern(
    r"(?:[\w.]+[-_.])?(?:(?:replica|primary|secondary|standby|follower|leader)(?:[-_.]?\w{1,4})?|r[ow][-_.]?\d{1,3})",
    re.IGNORECASE,
)
# What is made anew for each answer, or says yes or no, names no machine.
_NO_NAME = late_pattern(
    r"true|false|yes|no|-|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{14,}|[0-9a-f]{16,}|.{65,}", re.IGNORECASE
)


@lru_cache(maxsize=4096)
def _names_node(name: str) -> bool:
    return _NODE_LIKE.search(name) is not None


def machine_of(received: Fields) -> str:
    """Return which machine an answer says that it comes from, "" when it does not say.

    Args:
        received: fields of the answer.
    """
    for name in _NODE_FIELDS:
        value = (received.text(name) or "").strip()
        if value and not value.startswith("cache-"):
            return value
    for name, value in received:
        if _names_node(name) and value.strip() and not _NO_NAME.fullmatch(value.strip()):
            return value.strip()
    for name, value in received:
        if name.lower().startswith("x-") and _ROLE.fullmatch(value.strip()):
            return value.strip()
    timed = _TIMED.search(received.text("server-timing") or "")
    if timed is not None:
        return timed[1].strip()
    found = _STICKY.search(received.text("set-cookie") or "")
    return f"{found[1]}={found[2]}" if found is not None else ""
