"""Other evaluators agree on every case, but for known differences; the id names the section that decides."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.peers import PEERS
from tests.core.rfc9110_cases import load_cases

CASES = {case["id"]: case for case in load_cases()}

# peer -> why -> case id -> what the peer answers. What is right stands in the case; its id names the section.
DIFFERENCES: dict[str, dict[str, dict[str, int | None]]] = {
    "etag": {
        "a malformed If-None-Match is true, whatever members can be read": {
            "rfc9110/5.5/14": None,
            "rfc9110/13.1.2/22": None,
            "rfc9110/13.1.2/25": None,
        },
        "empty elements may stand beside the wildcard": {"rfc9110/13.1.1/24": None},
    },
    "django": {
        "members that cannot be read are dropped, and an empty rest counts as absent": dict.fromkeys(
            (
                "rfc9110/8.8.3/7",
                "rfc9110/8.8.3/8",
                "rfc9110/8.8.3/9",
                "rfc9110/8.8.3/10",
                "rfc9110/8.8.3/16",
                "rfc9110/5.3/5",
                "rfc9110/5.6.1/3",
                "rfc9110/5.6.1/4",
                "rfc9110/5.6.1/5",
                "rfc9110/5.6.1.2/3",
                "rfc9110/5.6.1.2/5",
                "rfc9110/13.1.1/20",
                "rfc9110/13.1.1/21",
                "rfc9110/13.1.1/22",
                "rfc9110/13.1.1/23",
                "rfc9110/13.1.1/24",
                "rfc9110/13.1.1/25",
                "rfc9110/13.1.1/26",
                "rfc9110/13.1.1/27",
                "rfc9110/13.1.4/24",
            )
        ),
        "a field that is malformed or empty does not switch the date field off": {
            "rfc9110/13.1.3/25": 304,
            "rfc9110/13.1.3/26": 304,
        },
        "white space is stripped as Python does, controls and NBSP included": {
            "rfc9110/5.5/7": None,
            "rfc9110/5.5/9": None,
            "rfc9110/5.5/11": None,
            "rfc9110/5.5/13": None,
            "rfc9110/5.5/15": 304,
        },
        "a comma inside the quotes ends a tag": {"rfc9110/8.8.3/18": None, "rfc9110/8.8.3/19": 412},
        "the wildcard asks for an entity tag": {"rfc9110/13.1.1/14": 412, "rfc9110/13.1.2/15": None},
        "If-Unmodified-Since is false without a modification date": {"rfc9110/13.1.4/20": 412},
        "second 60 is refused": {"rfc9110/5.6.7/12": None},
        "OPTIONS, TRACE and CONNECT are evaluated": dict.fromkeys(
            (
                "rfc9110/13.2.1/1",
                "rfc9110/13.2.1/2",
                "rfc9110/13.2.1/3",
                "rfc9110/13.2.1/5",
                "rfc9110/13.2.1/6",
                "rfc9110/13.2.1/7",
                "rfc9110/13.2.1/9",
                "rfc9110/13.2.1/10",
                "rfc9110/13.2.1/11",
            ),
            412,
        ),
    },
    "werkzeug": {
        "dates are read by the rules of mail": dict.fromkeys(
            (
                "rfc9110/13.1.3/1",
                "rfc9110/13.1.3/2",
                "rfc9110/13.1.3/3",
                "rfc9110/13.1.3/4",
                "rfc9110/13.1.3/20",
                "rfc9110/13.1.3/21",
                "rfc9110/5.5/15",
            ),
            304,
        ),
        "second 60 is refused": {"rfc9110/5.6.7/12": None},
        "a field that is malformed or empty does not switch the date field off": {
            "rfc9110/13.1.3/25": 304,
            "rfc9110/13.1.3/26": 304,
        },
        "tags without quotes are accepted": {"rfc9110/13.1.2/20": 304},
        "the wildcard is compared as a tag by If-Match": {"rfc9110/13.1.1/16": 412},
        "a true If-Match overrides what the fields behind it said": {
            "rfc9110/13.2.2/2": None,
            "rfc9110/13.2.2/6": None,
        },
    },
}


@pytest.mark.parametrize("peer", PEERS)
def test_peer_agrees_but_for_the_known_differences(peer: str) -> None:
    answers = {name: PEERS[peer](case) for name, case in CASES.items()}
    asked = {name: answer for name, answer in answers.items() if answer != "not applicable"}
    found = {name: answer for name, answer in asked.items() if answer != CASES[name]["expected"]["status"]}
    known = {name: answer for group in DIFFERENCES[peer].values() for name, answer in group.items()}
    assert found == known
    assert len(asked) >= 40


def test_every_difference_is_decided_by_a_section() -> None:
    for groups in DIFFERENCES.values():
        for reason, group in groups.items():
            for name in group:
                case: dict[str, Any] = CASES[name]
                assert reason
                assert case["level"] in ("MUST", "SHOULD")
