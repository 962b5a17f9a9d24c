"""Advice on unguarded writes: nothing was seen to be lost, and what would protect them is named."""

from __future__ import annotations

import pytest
from stories_reader import Story

from ifmatch.diagnosis import diagnose

READ = 'A 0 GET /doc ; Origin: https://app.example.org => 200 ; ETag: "h1" ; {allow} | {{"n": 1}}'
WRITE = 'A 2 PUT /doc ; Origin: https://app.example.org | {"n": 2} => 200 ; ETag: "h2" ; {allow}'


@pytest.mark.parametrize(
    ("allow", "cause"),
    [
        ("Access-Control-Allow-Origin: *", "cors-hidden-etag"),
        ("Access-Control-Expose-Headers: Link", "cors-hidden-etag"),
        ("Access-Control-Expose-Headers: ETag, Link", "unconditional-write"),
        ("Access-Control-Expose-Headers: *", "unconditional-write"),
    ],
)
def test_a_page_that_may_not_see_the_tag_is_told_from_one_that_does_not_send_it(allow, cause) -> None:
    lines = [READ.format(allow=allow), WRITE.replace("{allow}", allow)]
    diagnosis = diagnose(Story("advice", allow, {"alone": "none"}, lines).captures("alone"))
    assert not diagnosis.incidents
    assert [one.cause for one in diagnosis.advice] == [cause]
