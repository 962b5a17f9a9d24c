"""List the verbs, where they live, and the words that people try instead.

Help is printed from this table, so that `ifmatch --help` imports no verb.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["INSTEAD_OF", "VERBS", "Verb"]


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb of the command line.

    Attributes:
        module: holds the click command, under the name `command`.
        summary: one line for the list of verbs.
    """

    module: str
    summary: str


VERBS: Final[Mapping[str, Verb]] = MappingProxyType(
    {
        "diagnose": Verb(
            "ifmatch.cli.diagnose", "Find the cause in recorded traffic: HAR, curl trace, messages."
        ),
        "dialect": Verb("ifmatch.cli.dialect", "List, show and check how API families spell a precondition."),
        "explain": Verb("ifmatch.cli.explain", "Explain a status, a header, a cause, or answer a question."),
        "demo": Verb("ifmatch.cli.demo", "Let two writers collide on this machine and diagnose it."),
        "learn": Verb("ifmatch.cli.learn", "Take exercises on a server of this machine, each checked."),
        "serve": Verb("ifmatch.cli.serve", "Run a practice server, right or wrong on request."),
        "check": Verb("ifmatch.cli.check", "Check a service for what would refuse honest clients."),
        "rollout": Verb("ifmatch.cli.rollout", "Answer who breaks if preconditions are enforced."),
        "fix": Verb("ifmatch.cli.fix", "Repair a refused write: refresh, rebase, retry."),
        "undo": Verb("ifmatch.cli.undo", "Put back the version that a repair replaced."),
        "escalate": Verb("ifmatch.cli.escalate", "Write the redacted bundle for whoever must mend it."),
        "redact": Verb("ifmatch.cli.redact", "Take the secrets out of a recording."),
        "schema": Verb("ifmatch.cli.schema", "Print the JSON Schema of a report."),
        "completion": Verb("ifmatch.cli.completion", "Print the completion script for bash, zsh or fish."),
    }
)

_DIAGNOSE: Final = "Hand the recorded traffic over: ifmatch diagnose {rest}"
_RETRY: Final = (
    "Sending a refused write again unchanged cannot work, and with a fresh tag alone it overwrites "
    "somebody's change. Refresh, rebase, retry: ifmatch fix {rest}. Find the cause first: "
    "ifmatch diagnose {rest}"
)
_ABSENT: Final = "This version has no such verb. From recorded traffic: ifmatch diagnose {rest}"

INSTEAD_OF: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(
            (
                "analyse",
                "analyze",
                "analysis",
                "debug",
                "detect",
                "diag",
                "diagnosis",
                "diagnostics",
                "doctor",
                "examine",
                "find",
                "har",
                "inspect",
                "investigate",
                "lint",
                "open",
                "parse",
                "read",
                "report",
                "run",
                "scan",
                "show",
                "test",
                "trace",
                "triage",
                "validate",
                "verify",
                "view",
                "why",
            ),
            _DIAGNOSE,
        ),
        **dict.fromkeys(("heal", "repair", "resend", "resolve", "retry", "replay"), _RETRY),
        **dict.fromkeys(("rollback", "revert"), "Put back what a repair replaced: ifmatch undo"),
        **dict.fromkeys(("sanitize", "anonymize", "scrub", "mask"), "Without secrets: ifmatch redact {rest}"),
        **dict.fromkeys(("bundle", "support", "ticket"), "The bundle for support: ifmatch escalate {rest}"),
        **dict.fromkeys(("live", "probe"), "Ask the server: ifmatch diagnose URL, or diagnose -- curl ..."),
        **dict.fromkeys(("audit", "record", "logs", "conformance"), _ABSENT),
        **dict.fromkeys(
            ("ask", "about", "define", "describe", "doc", "docs", "man", "topic", "topics", "what"),
            "Ask for a topic: ifmatch explain {rest}",
        ),
        **dict.fromkeys(("example", "examples", "start", "try"), "See it happen: ifmatch demo"),
        **dict.fromkeys(
            ("course", "exercise", "exercises", "lesson", "lessons", "teach", "train", "tutorial"),
            "Exercises, each checked: ifmatch learn",
        ),
        **dict.fromkeys(
            ("server", "practice", "practise", "httpbin", "mock", "quirk", "quirks", "simulate", "play"),
            "A server to practise against, faults on request: ifmatch serve",
        ),
        **dict.fromkeys(("help", "usage"), "The list of verbs: ifmatch --help"),
        "version": "The version: ifmatch --version",
        "json-schema": "The schema of a report: ifmatch schema diagnosis",
        "complete": "The completion script: ifmatch completion bash",
    }
)
