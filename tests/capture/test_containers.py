"""What the samples do not show of cassettes, sessions, traces and archives; limits; damage of every kind."""

from __future__ import annotations

import base64
import builtins
import gzip
import io
import json
import pathlib
import random
import tarfile
import time
import zipfile
from typing import TYPE_CHECKING, Any

import brotli
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ifmatch import capture
from ifmatch.capture.base.decompression import decode_content
from ifmatch.diagnosis import diagnose
from ifmatch.errors import IfmatchError, InputError, MissingExtraError
from ifmatch.model.message import Content
from ifmatch.model.unknown import UNKNOWN
from ifmatch.report import render

if TYPE_CHECKING:
    from ifmatch.model.exchange import Capture

ROOT = pathlib.Path(__file__).parents[2] / "cases" / "inputs"
MINE = ("charles", "jaeger", "mitmproxy", "newman", "otlp", "pcap", "postman", "tar", "vcr", "zip", "zstd")
SAMPLES = {
    f"{folder}/{path.name}": path.read_bytes()
    for folder in MINE
    for path in sorted((ROOT / folder).iterdir())
    if not path.name.endswith((".expected.json", ".md"))
}


def read(value: object) -> tuple[Capture, ...]:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return capture.read_all(io.BytesIO(data), "x")


# --- Postman


def collection(*responses: dict[str, Any]) -> dict[str, Any]:
    info = {"schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"}
    return {"info": info, "item": [{"item": [{"response": list(responses)}]}]}


def saved(url: object, **members: object) -> dict[str, Any]:
    request = {"method": "PUT", "url": url, "header": [{"key": "If-Match", "value": '"a"'}], **members}
    return {
        "originalRequest": request,
        "code": 412,
        "status": "Precondition Failed",
        "header": [],
        "body": "no",
    }


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("https://h.example/a?b=c", "https://h.example/a?b=c"),
        ("h.example/a", "http://h.example/a"),
        ({"raw": "{{host}}/a"}, "http://{{host}}/a"),
        (
            {"protocol": "https", "host": ["h", "example"], "path": ["a", {"value": "b"}]},
            "https://h.example/a/b",
        ),
        ({"host": "h.example", "port": "81", "path": "a/b"}, "http://h.example:81/a/b"),
        (
            {
                "host": ["{{base}}"],
                "path": ["a"],
                "query": [{"key": "k", "value": "v w"}, {"key": "off", "disabled": True}],
            },
            "http://{{base}}/a?k=v%20w",
        ),
    ],
)
def test_urls_of_postman(url: object, wanted: str) -> None:
    ((only,),) = (one.exchanges for one in read(collection(saved(url))))
    assert only.request.url == wanted


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (None, None),
        ({"mode": "raw", "raw": ""}, None),
        ({"mode": "raw", "raw": "x"}, "x"),
        ({"mode": "raw", "raw": "x", "disabled": True}, None),
        ({"mode": "urlencoded", "urlencoded": [{"key": "a", "value": "ü"}]}, "a=%C3%BC"),
        ({"mode": "file", "file": {"src": "x.bin"}}, UNKNOWN),
        ({"mode": "formdata", "formdata": []}, UNKNOWN),
    ],
)
def test_contents_of_postman(body: object, wanted: object) -> None:
    (found,) = read(collection(saved("http://h.example/", body=body)))
    content = found.exchanges[0].request.content
    assert (content.text if isinstance(content, Content) else content) == wanted


def test_what_postman_adds_itself_is_not_known() -> None:
    (found,) = read(collection(saved("http://h.example/")))
    fields = found.exchanges[0].request.fields
    assert fields.text("if-match") == '"a"'
    assert fields.get("if-none-match") is UNKNOWN


# --- cassettes


def cassette(body: object, headers: object = None) -> bytes:
    response = {"status": {"code": 200, "message": "OK"}, "headers": headers or {}, "body": body}
    request = {"method": "get", "uri": "http://h.example/", "headers": {}, "body": None}
    return json.dumps({"version": 1, "interactions": [{"request": request, "response": response}]}).encode()


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({"string": ""}, None),
        ({"string": None}, None),
        ({"string": "x"}, "x"),
        ("x", "x"),
        ({"encoding": None, "base64_string": "eHl6"}, "xyz"),
        ({"base64_string": "%%%"}, None),
        ({}, UNKNOWN),
        (7, UNKNOWN),
    ],
)
def test_contents_of_cassettes(body: object, wanted: object) -> None:
    (found,) = read(cassette(body))
    response = found.exchanges[0].response
    assert response is not None
    assert found.exchanges[0].request.method == "GET"
    content = response.content
    assert (content.text if isinstance(content, Content) else content) == wanted


def test_a_compressed_answer_is_decoded() -> None:
    yaml = b"""interactions:
- request: {method: GET, uri: 'http://h.example/', headers: {}, body: null}
  response:
    status: {code: 200, message: OK}
    headers: {content-encoding: [gzip], x: [a, b]}
    body: {string: !!binary %s}
version: 1
""" % base64.b64encode(gzip.compress(b"plain"))
    (found,) = read(yaml)
    response = found.exchanges[0].response
    assert response is not None
    assert response.content == Content.from_octets(b"plain")
    assert response.fields.get_all("x") == ("a", "b")


def test_tags_of_other_languages_make_nothing() -> None:
    yaml = b"""http_interactions:
- request: !ruby/object:VCR::Request
    method: !python/object/apply:os.system ['false']
    uri: http://h.example/
  response: {status: {code: 200}}
  recorded_at: 2026-03-10 09:14:11
- request: {method: get, uri: 'http://h.example/'}
  response: {status: {code: 204}, body: {string: ''}}
  recorded_at: 2026-03-10 09:14:11
recorded_with: VCR
"""
    (found,) = read(yaml)
    assert [one.status for one in found.exchanges] == [204]
    assert found.exchanges[0].started == 1773134051.0


def test_aliases_do_not_multiply() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    begun = time.process_time()
    with pytest.raises(InputError):
        capture.read(io.BytesIO(("interactions:\n- {}\n" + "\n".join(lines)).encode()), "x", format="vcr")
    assert time.process_time() - begun < 5


def test_without_pyyaml_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **named: Any) -> Any:
        if name in {"yaml", "zstandard", "brotli"}:
            raise ImportError(name)
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"pip install 'ifmatch\[vcr\]'"):
        read(SAMPLES["vcr/vcrpy.yaml"])
    assert len(read(SAMPLES["vcr/betamax.json"])[0].exchanges) == 1
    with pytest.raises(MissingExtraError, match="compressed"):
        read(SAMPLES["zstd/pair.txt.zst"])
    assert decode_content(b"x", "zstd") is None
    assert decode_content(b"x", "br") is None


# --- traces


def test_attributes_of_older_conventions() -> None:
    attributes = [
        {"key": "http.method", "value": {"stringValue": "_OTHER"}},
        {"key": "http.request.method", "value": {"stringValue": "_OTHER"}},
        {"key": "http.request.method_original", "value": {"stringValue": "PROPFIND"}},
        {"key": "http.target", "value": {"stringValue": "/a?b"}},
        {"key": "net.host.name", "value": {"stringValue": "h.example"}},
        {"key": "net.host.port", "value": {"intValue": "8080"}},
        {"key": "http.status_code", "value": {"intValue": 207}},
        {
            "key": "http.response.header.x_list",
            "value": {"arrayValue": {"values": [{"stringValue": "1"}] * 2}},
        },
    ]
    spans = [{"kind": 2, "attributes": attributes, "startTimeUnixNano": "1e400", "endTimeUnixNano": -5}]
    (found,) = read({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]})
    (only,) = found.exchanges
    assert (only.request.method, only.request.url, only.status) == (
        "PROPFIND",
        "http://h.example:8080/a?b",
        207,
    )
    assert only.started is None
    assert only.response is not None
    assert only.response.fields.get_all("x-list") == ("1", "1")
    assert only.response.fields.get("etag") is UNKNOWN


def test_a_trace_without_http_says_what_to_trace() -> None:
    with pytest.raises(InputError, match="1 spans, none of an HTTP call") as raised:
        read({"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "work"}]}]}]})
    assert "CAPTURE_HEADERS" in raised.value.advice


# --- archives and compression


def tar(*members: tuple[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, octets in members:
            info = tarfile.TarInfo(name)
            info.size = len(octets)
            archive.addfile(info, io.BytesIO(octets))
    return stream.getvalue()


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_every_sample_may_be_wrapped(name: str) -> None:
    """gzip, zstd and tar around a file change nothing but its name."""
    data = SAMPLES[name]
    if name.startswith(("tar/", "zip/", "zstd/")):
        return
    plain = outcome(data)
    assert outcome(gzip.compress(data)) == plain
    assert outcome(zstandard.compress(data)) == plain
    packed = outcome(gzip.compress(tar(("a", data), ("b.txt", b"\x89PNG\r\n\x1a\n"))))
    if isinstance(plain, list):
        assert isinstance(packed, list)
        assert [count for _, count in packed] == [count for _, count in plain]


def outcome(data: bytes) -> object:
    try:
        return [(one.format, len(one.exchanges)) for one in capture.read_all(io.BytesIO(data), "x")]
    except InputError as error:
        return error.text


def zipped(*files: tuple[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, octets in files:
            archive.writestr(name, octets)
    return stream.getvalue()


@pytest.mark.parametrize("pack", [zipped, tar])
def test_archives_of_fiddler_in_an_archive_are_sources(pack) -> None:
    session = (ROOT / "fiddler" / "refused.saz").read_bytes()
    alone = read(session)
    packed = read(pack(("a/one.saz", session), ("b.zip", zipped(("c.har", b"{}")))))
    assert [(one.name, one.format) for one in packed] == [("x!a/one.saz", "fiddler")]
    assert len(packed[0].exchanges) == len(alone[0].exchanges)
    assert packed[0].warnings[-1].text == "b.zip was skipped: this is an archive inside the archive"


def test_archives_in_an_archive_share_one_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ifmatch.capture.documents.archives.MAXIMAL_OCTETS", 500_000)
    noise = random.Random(4).randbytes(20_000) * 10
    head = b"GET http://h.example/a HTTP/1.1\r\nHost: h.example\r\n\r\n"
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(noise)
    session = zipped(("raw/1_c.txt", head), ("raw/1_s.txt", answer + noise))
    assert len(read(zipped(("1.saz", session)))) == 1
    with_more = zipped(*((f"{number}.saz", session) for number in range(2)), ("pad", bytes(100)))
    assert len(read(with_more)) == 2
    monkeypatch.setattr("ifmatch.capture.documents.archives.MAXIMAL_OCTETS", 300_000)
    assert len(read(with_more)) == 1


def bombs() -> dict[str, bytes]:
    zeros = bytes(4 * 1024 * 1024)
    sparse = tarfile.TarInfo("a")
    sparse.size = 1 << 40
    return {
        "gzip": gzip.compress(zeros * 8),
        "zstd": zstandard.compress(zeros * 8),
        "zstd-frames": zstandard.compress(zeros) * 200,
        "tar-claims": sparse.tobuf() + bytes(1024),
        "zstd-window": b"\x28\xb5\x2f\xfd\x00\xff" + bytes(60),
    }


@pytest.mark.parametrize("name", sorted(bombs()))
def test_bombs_are_refused_in_time(name: str) -> None:
    begun = time.process_time()
    with pytest.raises(InputError) as raised:
        capture.read_all(io.BytesIO(bombs()[name]), "x")
    assert time.process_time() - begun < 8
    assert raised.value.advice


def test_content_codings_grow_within_limits() -> None:
    assert decode_content(brotli.compress(b"hello" * 50), "br") == (b"hello" * 50, True)
    assert decode_content(zstandard.compress(b"hello" * 50), "zstd") == (b"hello" * 50, True)
    cut = decode_content(brotli.compress(random.Random(1).randbytes(9000))[:5000], "br")
    assert cut is not None
    assert cut[1] is False
    zeros = bytes(3 * 1024 * 1024)
    assert decode_content(brotli.compress(zeros), "br") is None
    assert decode_content(zstandard.compress(zeros), "zstd") is None
    assert decode_content(b"no brotli at all", "br") in (None, (b"", False))


DEEP = {
    "charles": b'[{"protocolVersion":1,"host":1,"tunnel":' + b"[" * 300_000,
    "newman": b'{"run":{"executions":[' + b'{"a":' * 300_000,
    "postman": b'{"info":{"_postman_id":1},"item":[' + b'{"item":[' * 200_000,
    "postman-whole": b'{"info":{"_postman_id":1},"item":[' + b'{"item":[' * 400 + b"]}" * 400 + b"]}",
    "vcr": b'{"interactions":[' + b"[" * 300_000,
    "vcr-yaml": b"interactions:\n- " + b"[" * 100_000,
    "otlp": b'{"resourceSpans":[' + b"[" * 300_000,
    "jaeger": b'{"data":[{"traceID":1,"spans":[' + b'{"a":' * 300_000,
}


@pytest.mark.parametrize("name", sorted(DEEP))
def test_depth_is_no_danger(name: str) -> None:
    begun = time.process_time()
    with pytest.raises(InputError):
        read(DEEP[name])
    assert time.process_time() - begun < 8


def test_huge_numbers_are_no_danger() -> None:
    number = "9" * 5000
    texts = [
        SAMPLES["charles/session.chlsj"].decode().replace("443", number).replace("200", number),
        SAMPLES["newman/run-6.2.2.json"].decode().replace("412", number).replace("53", number),
        SAMPLES["otlp/two-services.json"].decode().replace("1773134051", number).replace("412", number),
        SAMPLES["jaeger/trace.json"].decode().replace("1773134051", number).replace("412", "1e400"),
        SAMPLES["vcr/go-vcr.yaml"].decode().replace("412", number),
    ]
    for text in texts:
        told(text.encode())


def told(data: bytes) -> None:
    """Read, diagnose and report: an error that says what is wrong, or a report."""
    try:
        found = capture.read_all(io.BytesIO(data), "x")
    except IfmatchError as error:
        assert str(error).isprintable()  # noqa: PT017 - either outcome is right
        return
    json.loads(render(diagnose(found), "json"))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(name=st.sampled_from(sorted(SAMPLES)), seed=st.integers(0, 2**32))
def test_damaged_files_are_read_and_diagnosed_or_refused(name: str, seed: int) -> None:
    """Bits flipped, pieces cut out, doubled, moved: never a traceback, from reading to the report."""
    told(mutated(SAMPLES[name], random.Random(seed)))


@pytest.mark.full
@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_thousand_damages_of_each_sample(name: str) -> None:
    for seed in range(1000):
        begun = time.process_time()
        told(mutated(SAMPLES[name], random.Random(seed)))
        assert time.process_time() - begun < 10, seed


def mutated(data: bytes, rng: random.Random) -> bytes:
    octets = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 5, 20])):
        if not octets:
            break
        at, size = rng.randrange(len(octets)), rng.choice([1, 2, 4, 30, 400])
        kind = rng.randrange(5)
        if kind == 0:
            octets[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del octets[at : at + size]
        elif kind == 2:
            octets[at:at] = octets[at : at + size]
        elif kind == 3:
            other = rng.randrange(len(octets))
            octets[at : at + size] = octets[other : other + size]
        else:
            octets[at : at + size] = bytes(rng.choice([0, 0xFF, 0x22, 0x7B]) for _ in range(size))
    return bytes(octets[: rng.randrange(len(octets) + 1)] if rng.random() < 0.2 else octets)


def test_damaged_compression_is_named() -> None:
    data = bytearray(gzip.compress(SAMPLES["charles/session.chlsj"]))
    for at in range(2, len(data), 37):
        broken = bytes(data[:at] + bytes([data[at] ^ 0x40]) + data[at + 1 :])
        told(broken)
