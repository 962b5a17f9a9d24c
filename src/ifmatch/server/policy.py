"""Say how strict a route is with whom: from not looking at preconditions to demanding them of everybody.

A roll-out goes through the stages in their order. Pure: the clock comes in as an argument.

Source: RFC 9110 section 13.2.1 (when to evaluate) and RFC 6585 section 3 (428).
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, Literal

from ifmatch.server.answers import field_value

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ifmatch.server.answers import RequestFacts

__all__ = ["GUARDED_METHODS", "Policies", "Policy", "Rule", "Stage"]

GUARDED_METHODS: Final = frozenset({"PUT", "PATCH", "DELETE"})
"""Methods of which a precondition is demanded, unless a policy says otherwise."""


class Stage(enum.Enum):
    """How far the roll-out has come; each stage includes what the one before it does, but for the first two.

    Source: RFC 9110 section 13.2.1.
    """

    OFF = "off"
    """Preconditions are not looked at."""
    SHADOW = "shadow"
    """As off; what clients were given and what they overwrote is remembered and reported."""
    REPORT_ONLY = "report-only"
    """Preconditions are evaluated; what 412, 400 and 428 would refuse is reported, and nothing is refused."""
    HONOUR = "honour"
    """A precondition that is sent is honoured: 412, 304, 400. None is demanded."""
    REQUIRE = "require"
    """As honour; a write without a precondition is answered 428 for some of the clients."""
    ENFORCE = "enforce"
    """As honour; a write without a precondition is answered 428 for all clients."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How strict a route is.

    Attributes:
        stage: how far the roll-out has come.
        malformed: `reject` answers 400 to a field that cannot be read, on methods other than GET and HEAD;
            `evaluate` goes by the evaluation alone (a malformed If-Match is false, a malformed
            If-None-Match true).
        methods: of which a precondition is demanded at the stages `require` and `enforce`.
        creations: whether a request that would create a resource needs a precondition too.
        share: of the clients that `require` demands one of, 0.0 to 1.0; the same clients each time.
        header: name of a request field; `require` then demands a precondition only of requests that carry it,
            and of all of those.
        grace_until: until then (aware) a write without a precondition is let through with a notice.
        salt: changes which clients belong to the share.

    Raises:
        ValueError: when `share` is out of range, or `grace_until` is naive.

    Source: RFC 6585 section 3.
    """

    stage: Stage = Stage.HONOUR
    malformed: Literal["reject", "evaluate"] = "reject"
    methods: frozenset[str] = GUARDED_METHODS
    creations: bool = False
    share: float = 1.0
    header: str | None = None
    grace_until: datetime | None = None
    salt: str = ""

    def __post_init__(self) -> None:
        if not 0.0 <= self.share <= 1.0:
            raise ValueError(f"share is a part of the clients from 0.0 to 1.0, not {self.share}")
        if self.grace_until is not None and self.grace_until.utcoffset() is None:
            raise ValueError(
                f"grace_until {self.grace_until.isoformat()} has no time zone: give an aware datetime,"
                " such as datetime(2027, 1, 1, tzinfo=UTC)"
            )

    @property
    def evaluates(self) -> bool:
        """Return whether preconditions are evaluated at all."""
        return self.stage not in (Stage.OFF, Stage.SHADOW)

    @property
    def refuses(self) -> bool:
        """Return whether a false precondition changes the answer."""
        return self.stage in (Stage.HONOUR, Stage.REQUIRE, Stage.ENFORCE)

    def demands(self, facts: RequestFacts, client: str) -> bool:
        """Tell whether a precondition is demanded of this client, the grace aside.

        Args:
            facts: of the request.
            client: name of the client, the same for all its requests.

        Source: RFC 6585 section 3.
        """
        if facts.method not in self.methods or self.stage not in (Stage.REQUIRE, Stage.ENFORCE):
            return False
        if self.stage is Stage.ENFORCE:
            return True
        if self.header is not None:
            return field_value(facts.fields, self.header) is not None
        return self._position(client) < self.share

    def _position(self, client: str) -> float:
        # A place in [0, 1) that is the same in every process and after every restart.
        digest = blake2b(f"{self.salt}\0{client}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") / 2.0**64


@dataclass(frozen=True, slots=True)
class Rule:
    """Bind a policy to routes and methods.

    Attributes:
        pattern: the template of a route or a path: `*` is one segment or a part of it, `**` anything.
        policy: what holds there.
        methods: to which it applies; empty for all.
    """

    pattern: str
    policy: Policy
    methods: frozenset[str] = frozenset()
    _matches: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        parts = re.split(r"(\*\*|\*)", self.pattern)
        regex = "".join({"**": ".*", "*": "[^/]*"}.get(part, re.escape(part)) for part in parts)
        object.__setattr__(self, "_matches", re.compile(regex, re.DOTALL))

    def applies(self, facts: RequestFacts) -> bool:
        """Tell whether the rule is for this request.

        Args:
            facts: of the request; the template of the route is tried, then the path.
        """
        if self.methods and facts.method not in self.methods:
            return False
        path = facts.target.partition("?")[0]
        matches = self._matches.fullmatch
        return bool((facts.route and matches(facts.route)) or matches(path))


@dataclass(frozen=True, slots=True)
class Policies:
    """The policies of a service: the first rule that applies counts.

    Attributes:
        rules: in order.
        default: where no rule applies.
    """

    rules: Sequence[Rule] = ()
    default: Policy = Policy()

    def select(self, facts: RequestFacts) -> Policy:
        """Return the policy for a request.

        Args:
            facts: of the request.
        """
        return next((rule.policy for rule in self.rules if rule.applies(facts)), self.default)
