"""Field lines that are repeated without end cost time in proportion."""

from __future__ import annotations

import time

from ifmatch.model.message import Fields


def test_a_field_that_is_repeated_without_end() -> None:
    """Adding to a tuple took minutes for what a file of 4 MB holds."""
    fields = Fields([("Host", "a"), *(("X-A", str(number)) for number in range(300_000))])
    begun = time.process_time()
    assert fields.get_all("x-a")[:2] == ("0", "1")
    assert len(fields.get_all("X-A")) == 300_000
    assert fields.get_all("host") == ("a",)
    assert time.process_time() - begun < 5
