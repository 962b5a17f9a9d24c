from __future__ import annotations

import json

import pytest

from ifmatch.capture.redact import Redactor
from ifmatch.capture.redaction import vocabulary
from ifmatch.capture.redaction.hints import NAME_PARTS, may_hold_secrets
from ifmatch.model.exchange import Exchange, Provenance
from ifmatch.model.message import Fields, Request, Response
from tests.capture.redaction.redaction_cases import planted


def test_every_secret_key_holds_a_hint():
    keys = {*vocabulary._SECRET_KEYS, *vocabulary._SECRET_PARTS, *vocabulary._SECRET_ENDINGS}
    without = [key for key in keys if not any(part in key for part in NAME_PARTS)]
    assert not without


FORMS = [
    '{{"{0}": "x"}}',
    '{{"a": "{{\\"{0}\\": 1}}"}}',
    "{0}=x&b=1",
    "<{0}>x</{0}>",
    '<input name="{0}" value="x">',
    '[{{"name": "{0}", "value": "x"}}]',
    '[{{"op": "add", "path": "/{0}", "value": "x"}}]',
    "a line {0}: x",
    '{{"query": "m({0}: 1)"}}',
    '{{"url": "/x?{0}=1"}}',
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("key", ["password", "client_secret", "sid", "access_token", "pin"])
def test_names_are_seen_in_every_kind_of_body(form, key):
    assert may_hold_secrets(form.format(key))
    assert not may_hold_secrets(form.format("colour"))


def test_what_bodies_teach_does_not_depend_on_looking_at_many_at_once():
    exchanges = planted().exchanges
    filler = [
        Exchange(Provenance("f", n), Request("GET", "/f"), Response(200, "", Fields(), content))
        for n, content in enumerate(_fillers())
    ]
    alone, among = Redactor(b"k"), Redactor(b"k")
    for exchange in exchanges:
        alone.learn([exchange])
    among.learn([*filler[:40], *exchanges, *filler[40:]])
    assert set(alone._known._originals) == set(among._known._originals)


def _fillers():
    from ifmatch.model.message import Content

    return [Content.from_text(json.dumps({"id": n, "items": list(range(50))})) for n in range(80)]
