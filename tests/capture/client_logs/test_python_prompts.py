"""What was printed at a Python prompt is read; what was not printed stays unknown."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from ifmatch.capture import read, sniff
from ifmatch.model.unknown import UNKNOWN

if TYPE_CHECKING:
    from ifmatch.model.exchange import Exchange


def exchanges(text: str) -> tuple[Exchange, ...]:
    assert sniff(text.encode()) == "sdk-log"
    return read(io.BytesIO(text.encode()), "x").exchanges


def test_a_call_tells_what_its_literals_say_and_no_more() -> None:
    (one,) = exchanges(
        ">>> tag = '\"v1\"'\n"
        ">>> r = requests.put(f'{base}/notes', headers={'If-Match': tag, 'X': unknown()})\n"
        ">>> r.status_code\n412\n"
    )
    assert (one.request.method, one.request.url, one.status) == ("PUT", "", 412)
    assert one.request.fields.text("If-Match") == '"v1"'
    assert "x" not in one.request.fields
    assert not one.request.fields.complete
    assert one.request.content is UNKNOWN
    assert not one.response.fields.complete or not len(one.response.fields)


def test_a_name_that_stands_for_another_answer_begins_another_exchange() -> None:
    first, second = exchanges(
        ">>> r = requests.get('http://x.test/a')\n>>> r.headers\n{'ETag': '\"v1\"'}\n"
        ">>> r = requests.put('http://x.test/a')\n>>> r\n<Response [412]>\n"
    )
    assert (first.status, first.response) == (0, None)
    assert (second.request.method, second.status) == ("PUT", 412)


def test_lines_of_a_tuple_a_print_and_an_awaited_call() -> None:
    (one,) = exchanges(
        ">>> r = await client.request('PATCH', 'http://x.test/a', content='{}')\n"
        ">>> r.status_code, r.request.headers\n(412, Headers({'if-match': '\"v1\"', 'host': 'x.test'}))\n"
        ">>> print(r.text)\nrefused\n>>> print(r.headers)\nHeaders({'etag': '\"v2\"'})\n"
    )
    assert (one.request.method, one.status, one.request.content.text) == ("PATCH", 412, "{}")
    assert one.request.fields.complete
    assert one.response.fields.text("ETag") == '"v2"'
    assert one.response.content.text == "refused"


def test_an_exception_names_status_and_url() -> None:
    (one,) = exchanges(
        ">>> r = httpx.put(url)\n>>> r.raise_for_status()\nTraceback (most recent call last):\n"
        "httpx.HTTPStatusError: Client error '412 Precondition Failed' for url 'http://x.test/a'\n"
        ">>> r.request.method\n'PUT'\n"
    )
    assert (one.request.method, one.request.url, one.status) == ("PUT", "http://x.test/a", 412)


def test_what_a_loop_of_a_script_prints_is_an_exchange_a_round() -> None:
    text = "".join(
        f"status: {status}\nRequest headers: {{'If-Match': '\"v{n}\"', 'Accept': '*/*'}}\n"
        "headers: {'ETag': '\"e\"'}\n"
        for n, status in enumerate((412, 204))
    )
    found = exchanges(text)
    assert [one.status for one in found] == [412, 204]
    assert [one.request.fields.text("If-Match") for one in found] == ['"v0"', '"v1"']


@pytest.mark.parametrize(
    "text",
    [
        ">>> 1 + 1\n2\n",
        ">>>>> r.status_code\n412\n",
        "In the end r.status_code was 412\n",
        'Response headers: {"a": 1}\n',
    ],
)
def test_other_text_is_none_of_this(text: str) -> None:
    assert sniff(text.encode()) != "sdk-log"


def test_nothing_is_run() -> None:
    (one,) = exchanges(
        ">>> r = requests.put(__import__('os').getcwd())\n>>> r.status_code\n412\n>>> r.headers\n{((\n"
    )
    assert (one.request.url, one.status) == ("", 412)
