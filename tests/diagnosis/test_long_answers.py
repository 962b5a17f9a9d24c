"""What became of one row is told in few words: a long answer is what was asked for."""

from __future__ import annotations

import json

from stories_reader import Story

from ifmatch.diagnosis import diagnose


def _asked(remarks: int) -> Story:
    told = [
        {"kind": "remark", "id": f"r{number}", "text": "edited needs a version"} for number in range(remarks)
    ]
    answer = json.dumps({"json": {"errors": [], "data": {"things": told}}})
    return Story(
        "-",
        "more of a thread is asked for by POST",
        lines=[f"A 0 POST https://forum.example/more | children=a7&sort=top => 200 | {answer}"],
    )


def test_a_long_answer_to_one_row_is_no_report():
    assert diagnose(_asked(400).captures("alone")).incidents == ()
