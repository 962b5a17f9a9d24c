"""The verb `dialect`, `explain dialect` and `diagnose --dialect`, on files as users write them."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner

from ifmatch.cli.dialect_topics import dialect_topics
from ifmatch.cli.program import program

MINE = """
id = "my-api"
name = "My API"
source = "our wiki"
fresh-token = "X-Revision field"
mark = [{ at = "response-header", name = "X-Revision", weight = 1.0 }]
guard = [{ carrier = "header", name = "X-Expect-Revision", grammar = "integer" }]
token = [{ at = "header", name = "X-Revision" }]
signal = [{ status = [418], means = "mismatch" }]
"""


def run(*arguments):
    result = CliRunner().invoke(program, [str(one) for one in arguments])
    return result.exit_code, result.stdout, result.stderr


def _entry(method, status, second, *, sent=(), got=(), body=None, answer="{}"):
    def fields(pairs):
        return [{"name": name, "value": value} for name, value in pairs]

    return {
        "startedDateTime": f"2026-03-10T09:14:{second:02d}.000Z",
        "time": 10,
        "request": {
            "method": method,
            "url": "http://my.example.test/things/1",
            "httpVersion": "HTTP/1.1",
            "headers": fields(sent),
            **({"postData": {"mimeType": "application/json", "text": body}} if body else {}),
        },
        "response": {
            "status": status,
            "statusText": "",
            "httpVersion": "HTTP/1.1",
            "headers": fields(got),
            "content": {"size": len(answer), "mimeType": "application/json", "text": answer},
        },
    }


@pytest.fixture
def capture(tmp_path):
    entries = [
        _entry("GET", 200, 1, got=[("X-Revision", "7001")], answer='{"n": 1}'),
        _entry("PUT", 418, 20, sent=[("X-Expect-Revision", "7001")], body='{"n": 2}'),
        _entry("GET", 200, 21, got=[("X-Revision", "7002")], answer='{"n": 5}'),
    ]
    path = tmp_path / "bug.har"
    path.write_text(json.dumps({"log": {"version": "1.2", "creator": {"name": "t"}, "entries": entries}}))
    return path


def _file(tmp_path, text):
    path = tmp_path / "my-api.toml"
    path.write_text(text)
    return path


def test_a_dialect_of_a_user_makes_the_refusal_known(tmp_path, capture) -> None:
    # What became of the version tells without it that this is a refusal, of an unknown API.
    status, out, _ = run("diagnose", capture, "--format", "json")
    assert status == 1
    assert "418 is how this API says that a precondition failed" in out
    assert "My API" not in out
    status, out, _ = run("diagnose", capture, "--format", "json", "--dialect", _file(tmp_path, MINE))
    incident = json.loads(out)["incidents"][0]
    assert status == 1
    assert (incident["status"], incident["findings"][0]["cause"]) == (418, "other-writer")
    assert "My API" in out


def test_a_good_file_is_told_so(tmp_path) -> None:
    status, out, _ = run("dialect", "check", _file(tmp_path, MINE))
    assert status == 0
    assert "my-api (My API) is well formed: 1 mark, 1 guard, 1 token, 1 signal" in out


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ('name = "My API"', "key name"),
        ('carrier = "header"', "carrier"),
        ("status = [418]", "status"),
        ("weight = 1.0", "weight"),
        ('grammar = "integer"', "grammar"),
    ],
)
def test_a_missing_or_wrong_key_is_named(tmp_path, wrong, told) -> None:
    name = wrong.partition(" =")[0]
    broken = MINE.replace(wrong, f'{name} = ["neither", "nor"]')
    status, _, err = run("dialect", "check", _file(tmp_path, broken))
    assert status == 3
    assert told in err
    assert "my-api.toml" in err
    assert "ifmatch dialect show" in err


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("weight = 1.0", "weight = 0.3", "the weights add up to 0.30; expected 1.0"),
        (
            'at = "response-header", name = "X-Revision"',
            'at = "host", matches = "x"',
            "a host alone proves no dialect",
        ),
        (
            'name = "X-Revision", weight',
            'name = "X-Revision", matches = "(", weight',
            "is no regular expression",
        ),
        ('at = "header", name = "X-Revision"', 'at = "body", name = "revision"', "expected a JSON Pointer"),
        ('source = "our wiki"', 'source = "our wiki"\nextends = "nobody"', "'nobody' is no other dialect"),
        ('source = "our wiki"', 'source = "our wiki"\nsauce = "x"', "sauce"),
        ("[418]", "[41]", "signal"),
        ('means = "mismatch"', 'means = "mismatch", current = "x"', "expected ( ) around the token"),
        ('name = "X-Revision" }]', 'name = "X-Revision", feeds = ["If-Match"] }]', "'If-Match' is no guard"),
        ("id =", "id :", "is no TOML"),
        ("means =", "meens =", "key signal[0]: Object contains unknown field `meens`; is `means` meant?"),
        ("fresh-token", "fresh_token", "unknown field `fresh_token`; is `fresh-token` meant?"),
        ('"mismatch"', '"missmatch"', "'missmatch'; expected one of mismatch, exists, absent"),
        ('carrier = "header"', 'carrier = "head"', "expected one of header, query, body"),
        ('source = "our wiki"', 'source = "our wiki"\nzzzz = 1', "expected one of id, name, source"),
    ],
)
def test_what_types_do_not_say_is_checked(tmp_path, before, after, told) -> None:
    assert before in MINE
    status, _, err = run("dialect", "check", _file(tmp_path, MINE.replace(before, after, 1)))
    assert status == 3
    assert told in err
    assert "my-api.toml: " in err


def test_an_unreadable_file_is_said(tmp_path) -> None:
    status, _, err = run("dialect", "check", tmp_path / "missing.toml")
    assert status == 3
    assert "cannot be read" in err
    latin = tmp_path / "latin.toml"
    latin.write_bytes(b'id = "\xe9"')
    status, _, err = run("dialect", "check", latin)
    assert (status, "is not UTF-8" in err) == (3, True)


def test_list_show_and_explain() -> None:
    status, out, _ = run("dialect", "list")
    assert status == 0
    assert "kubernetes" in out
    status, out, _ = run("dialect", "show", "gcs-json")
    assert (status, 'id = "gcs-json"' in out) == (0, True)
    status, _, err = run("dialect", "show", "gcs")
    assert status == 2
    assert "Near: gcs-json, gcs-xml" in err
    status, out, _ = run("explain", "dialect", "kubernetes")
    assert status == 0
    assert "/metadata/resourceVersion" in out
    status, out, _ = run("explain", "dialect")
    assert (status, "zotero" in out) == (0, True)
    assert run("explain", "etcd")[0] == 0
    # The list has names, also where a name is the id.
    assert [line for line in out.splitlines() if line.split()[:1] == ["commercetools"]] == [
        "  commercetools            commercetools"
    ]


@pytest.mark.parametrize("topic", dialect_topics(), ids=lambda topic: topic.id)
def test_the_first_line_of_a_dialect_has_words_and_no_patterns(topic) -> None:
    assert not re.search(r"\\[rnsdw]|\(\[|\[\^", topic.brief)
    assert "such as any text" not in "".join(topic.blocks)


def test_the_status_of_a_refusal_comes_before_those_of_batches() -> None:
    briefs = {topic.id: topic.brief for topic in dialect_topics()}
    assert briefs["gcs-json"].endswith("ifSourceGenerationMatch and others; a refusal is 412, 200, 202.")
    assert briefs["consul-kv"].endswith("a refusal is 200, 409, 404, 500.")


def test_what_show_prints_can_be_checked(tmp_path) -> None:
    """A user begins with the file of a family that is known."""
    text = run("dialect", "show", "s3")[1]
    assert run("dialect", "check", _file(tmp_path, text))[0] == 0
