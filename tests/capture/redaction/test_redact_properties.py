from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from ifmatch.capture.redact import Redactor
from ifmatch.capture.redaction.commands import redact_command
from ifmatch.capture.redaction.contents import redact_text
from ifmatch.capture.redaction.masks import MASKED
from ifmatch.model.exchange import Exchange, Provenance
from ifmatch.model.message import Content, Fields, Request, Response
from tests.capture.redaction.redaction_cases import dump

# Pieces that the scans look for, so that random texts come near their edges.
PIECES = st.sampled_from(
    [
        "password",
        "token",
        "=",
        ":",
        " ",
        '"',
        "'",
        "\\",
        "&",
        "?",
        "/",
        "//",
        "://",
        "https://",
        "@",
        "#",
        ";",
        ",",
        "Bearer ",
        "Basic ",
        "Authorization: ",
        "Cookie: ",
        "a=b",
        "eyJhbGciOiJI",
        ".",
        "x1",
        "AKIAIOSFODNN7EXAMPLE",
        "-----BEGIN X-----",
        "-----END X-----",
        "%41",
        "%3D",
        "%",
        "<",
        ">",
        "<input name=",
        "</",
        "{",
        "}",
        "[",
        "]",
        "null",
        "masked-0123456789ab",
        "masked-",
        "YWJjZGVmZ2hpamtsbW5vcA==",
        "\n",
        "\r\n",
        "\u00e9",
        "\ud800",
        "\0",
        "sk-",
        "abcdefgh12345678",
        "curl ",
        "-H ",
        "-u ",
        "--data ",
        "$",
        "W/",
        "hunter22",
        "p4ssw0rd",
    ]
)
TEXT = st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=14).map("".join))
NAMES = st.one_of(
    TEXT,
    st.sampled_from(
        ["Authorization", "Cookie", "Set-Cookie", "ETag", "Location", "Link", "X-Y", "If", "Forwarded"]
    ),
)
FIELDS = st.lists(st.tuples(NAMES, TEXT), max_size=5).map(Fields)
TYPES = st.sampled_from(
    [
        "application/json",
        "text/html",
        "application/x-www-form-urlencoded",
        "text/plain",
        "",
        "multipart/form-data; boundary=x1",
        "image/png",
    ]
)


@settings(max_examples=400, deadline=None)
@given(TEXT)
def test_text_and_urls_are_redacted_once_and_for_all(text):
    """Redacting what is redacted changes nothing, and no text raises."""
    one = Redactor(b"k")
    for redact in (one.text, one.url):
        once = redact(text)
        assert redact(once) == once


@settings(max_examples=200, deadline=None)
@given(FIELDS)
def test_any_fields_keep_their_number_and_are_redacted_once_and_for_all(fields):
    """Redacting any field lines raises nothing, keeps their number, and is idempotent."""
    once = Redactor(b"k").fields(fields)
    assert len(once) == len(fields)
    assert Redactor(b"k").fields(once) == once


@settings(max_examples=200, deadline=None)
@given(
    TEXT,
    FIELDS,
    st.one_of(TEXT.map(Content.from_text), st.binary(max_size=60).map(Content.from_octets)),
    TYPES,
)
def test_any_exchange_is_redacted_once_and_for_all(url, fields, content, kind):
    """Redacting any exchange raises nothing and is idempotent."""
    headers = Fields([*fields.pairs, ("Content-Type", kind)])
    exchange = Exchange(
        Provenance("a", 0),
        Request("PUT", url, headers, content),
        Response(200, "", headers, content),
        error=url,
    )
    once = Redactor(b"k").exchange(exchange)
    assert dump(Redactor(b"k").exchange(once)) == dump(once)


@settings(max_examples=200, deadline=None)
@given(TEXT, TYPES)
def test_any_body_and_command_is_redacted_once_and_for_all(text, kind):
    """Redacting any body text or command raises nothing and is idempotent."""
    hiding = Redactor(b"k")._hiding
    once = redact_text(text, kind, hiding)
    assert redact_text(once, kind, hiding) == once
    command = redact_command(text, hiding)
    assert redact_command(command, hiding) == command


SECRETS = st.text(
    alphabet=st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_categories=("Cs", "Cc", "Zs")),
    min_size=8,
    max_size=40,
).filter(
    lambda s: (
        MASKED.search(s) is None
        and not s.isalpha()
        and not s.startswith(("[", "<", "(", "{", "*", "x", "X", "…", "."))
    )
)


@settings(max_examples=200, deadline=None)
@given(SECRETS)
def test_a_secret_is_hidden_wherever_it_is_quoted(secret):
    """What stood behind `Authorization: Bearer` is found in a sentence, in JSON, in a URL and in the body."""
    from urllib.parse import quote

    exchange = Exchange(
        Provenance("a", 0),
        Request(
            "PUT",
            "/x",
            Fields([("Authorization", "Bearer " + secret)]),
            Content.from_text(json.dumps({"note": secret})),
        ),
    )
    one = Redactor(b"k")
    assert secret not in dump(one.exchange(exchange)) or secret in "x/PUT"
    for text in (f"the key {secret} was sent", json.dumps({"k": secret}), "at " + quote(secret, safe="")):
        assert text not in one.text(text)


WORDS = st.lists(
    st.text(alphabet="abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=9), min_size=1, max_size=8
)


@settings(max_examples=200, deadline=None)
@given(WORDS)
def test_plain_words_stay(words):
    """Words in lower case, in a sentence or as a path, are no secrets."""
    one = Redactor(b"k")
    assert one.text(" ".join(words)) == " ".join(words)
    assert one.text("/" + "/".join(words)) == "/" + "/".join(words)
