"""Evidence that shows no answer is not called well."""

from __future__ import annotations

from ifmatch.diagnosis import diagnose
from ifmatch.report import words
from tests.capture.test_joined_logs import FORENSIC, read


def test_requests_alone_tell_nothing_of_refusals() -> None:
    said = words.checked(diagnose([read(FORENSIC, "forensic.log")]))
    assert "No answer is in the evidence" in said
    assert "All is well" not in said
