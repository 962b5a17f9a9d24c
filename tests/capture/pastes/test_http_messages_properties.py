"""What is written as raw messages reads as what was written, whatever stands around it."""

from __future__ import annotations

import io
import json

from hypothesis import given
from hypothesis import strategies as st

from ifmatch import capture
from ifmatch.model.message import Content

TAGS = st.one_of(
    st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=12),
    st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters='"'), max_size=8).map(
        lambda tag: f'W/"{tag}"'
    ),
)
JSON = st.dictionaries(
    st.text(max_size=5), st.integers() | st.text(max_size=9) | st.none(), max_size=3
)  # fmt: skip
PAIRS = st.lists(
    st.tuples(
        st.sampled_from(["PUT", "PATCH", "DELETE", "PROPPATCH"]),
        st.from_regex(r"/[a-z0-9/._%-]{0,20}(\?[a-z=&]{0,9})?", fullmatch=True),
        TAGS,
        JSON,
        st.sampled_from([200, 412, 428, 409]),
        TAGS,
        JSON,
    ),
    min_size=1,
    max_size=4,
)
WRAPPINGS = st.sampled_from(
    ["plain", "quoted", "indented", "fenced", "crlf", "separated", "directed", "utf-16"]
)


def _written(
    pairs: list[tuple[str, str, str, object, int, str, object]], wrapping: str, indent: int | None
) -> bytes:
    blocks: list[tuple[str, str]] = []
    for method, target, sent_tag, sent, status, received_tag, received in pairs:
        request = (
            f"{method} {target} HTTP/1.1\nHost: h.example\nIf-Match: {sent_tag}\nContent-Length: 9999\n\n"
        )
        response = f"HTTP/1.1 {status} X\nETag: {received_tag}\nContent-Type: application/json\n\n"
        blocks.append((">", request + json.dumps(sent, indent=indent)))
        blocks.append(("<", response + json.dumps(received, indent=indent)))
    if wrapping == "directed":
        lines = [f"{sign}{sign} {line}" for sign, block in blocks for line in block.split("\n")]
        return "\n".join(lines).encode()
    text = ("\n\n---\n\n" if wrapping == "separated" else "\n\n").join(block for _, block in blocks)
    if wrapping == "quoted":
        text = "He wrote:\n" + "".join(f"> {line}\n" for line in text.split("\n")) + "\nbye\n"
    elif wrapping == "indented":
        text = "Look:\n\n" + "".join(f"    {line}\n" for line in text.split("\n")) + "\nbye\n"
    elif wrapping == "fenced":
        text = f"# Bug\n```http\n{text}\n```\nbye\n"
    elif wrapping == "crlf":
        text = text.replace("\n", "\r\n")
    return text.encode("utf-16" if wrapping == "utf-16" else "utf-8")


@given(pairs=PAIRS, wrapping=WRAPPINGS, indent=st.sampled_from([None, 2]))
def test_pairs_come_out_as_they_went_in(
    pairs: list[tuple[str, str, str, object, int, str, object]], wrapping: str, indent: int | None
) -> None:
    """Method, target, tags (malformed ones too) and content survive any wrapping; Content-Length may lie."""
    read = capture.read(io.BytesIO(_written(pairs, wrapping, indent)), "x", format="http-messages")
    assert len(read.exchanges) == len(pairs)
    for exchange, (method, target, sent_tag, sent, status, received_tag, received) in zip(
        read.exchanges, pairs, strict=True
    ):
        assert (exchange.request.method, exchange.status) == (method, status)
        assert exchange.request.url == f"http://h.example{target}"
        assert exchange.request.fields.get_all("If-Match") == (sent_tag,)
        assert exchange.response is not None
        assert exchange.response.fields.get_all("ETag") == (received_tag,)
        for content, expected in ((exchange.request.content, sent), (exchange.response.content, received)):
            assert isinstance(content, Content)
            assert content.json() == expected
