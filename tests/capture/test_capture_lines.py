"""The lines of `ifmatch explain capture NAME` make the real library log what a diagnosis needs, masked."""

from __future__ import annotations

import io
import os
import pathlib
import subprocess
import sys
import textwrap

import pytest

from ifmatch import capture
from ifmatch.model.catalogue.topics import topics
from tests.capture.small_origin import serve
from tests.cli.running import run
from tests.programs import program

ROOT = pathlib.Path(__file__).parents[2]
COMPONENTS = ROOT / ".venvs" / "components" / "bin" / "python"
NODE_MODULES = ROOT / ".venvs" / "node" / "node_modules"
SECRET = "quite-secret-words"
# A read, a write of somebody else, the write that is refused, one more read.
CLIENTS = {
    "requests": """
        import requests
        session = requests.Session()
        tag = session.get(URL).headers["ETag"]
        other()
        session.put(URL, data=b"{}", headers={"If-Match": tag, "Authorization": "Bearer " + SECRET_WORD})
        session.get(URL)
    """,
    "httpx": """
        tag = client.get(URL).headers["ETag"]
        other()
        client.put(URL, content=b"{}", headers={"If-Match": tag, "Authorization": "Bearer " + SECRET_WORD})
        client.get(URL)
    """,
    "aiohttp": """
        import asyncio
        async def main():
            async with make_session() as session:
                async with session.get(URL) as got:
                    tag = got.headers["ETag"]
                other()
                fields = {"If-Match": tag, "Authorization": "Bearer " + SECRET_WORD}
                async with session.put(URL, data=b"{}", headers=fields):
                    pass
                async with session.get(URL):
                    pass
        asyncio.run(main())
    """,
    "botocore": """
        s3 = boto3.client("s3", endpoint_url=BASE, region_name="us-east-1", aws_access_key_id="AKIAEXAMPLE",
                          aws_secret_access_key="x", aws_session_token=SECRET_WORD)
        tag = s3.get_object(Bucket="notes", Key="7")["ETag"]
        other()
        try:
            s3.put_object(Bucket="notes", Key="7", Body=b"{}", IfMatch=tag)
        except s3.exceptions.ClientError as error:
            assert "PreconditionFailed" in str(error)
        s3.head_object(Bucket="notes", Key="7")
    """,
    "azure": """
        import base64
        from azure.core import MatchConditions
        from azure.core.exceptions import ResourceModifiedError
        from azure.storage.blob import BlobClient
        key = {"account_name": "a", "account_key": base64.b64encode(SECRET_WORD.encode()).decode()}
        blob = BlobClient(BASE, "notes", "7", credential=key)
        tag = blob.get_blob_properties().etag
        other()
        try:
            blob.upload_blob(b"{}", overwrite=True, etag=tag, match_condition=MatchConditions.IfNotModified)
        except ResourceModifiedError:
            pass
        blob.get_blob_properties()
    """,
}
CLIENTS["google-cloud"] = CLIENTS["requests"]
IN_COMPONENTS = {"botocore", "azure"}
OTHER = """
import urllib.request
def other():
    import http.client
    before, http.client.HTTPConnection.debuglevel = http.client.HTTPConnection.debuglevel, 0
    urllib.request.urlopen(urllib.request.Request(URL, data=b"{1}", method="PUT")).read()
    http.client.HTTPConnection.debuglevel = before
"""


def lines_of(name: str) -> str:
    """Return the code of a topic, its first block."""
    block = next(block for block in topics()[f"capture-{name}"].blocks if block.startswith("    "))
    return textwrap.dedent(block)


def checked(log: bytes, form: str) -> None:
    """Assert that a log tells the story whole and holds no secret."""
    assert SECRET.encode() not in log
    read = capture.read(io.BytesIO(log), "wire.log")
    assert read.format == form
    exchanges = [one for one in read.exchanges if one.request.method != "CONNECT"]
    assert [one.status for one in exchanges] == [200, 412, 200]
    first, refused, last = exchanges
    assert refused.request.method == "PUT"
    assert refused.request.url == first.request.url
    assert refused.request.url.startswith("http://127.0.0.1:")
    tag = refused.request.fields.text("If-Match")
    assert tag is not None
    assert tag == first.response.fields.text("ETag")
    assert tag != last.response.fields.text("ETag")


@pytest.mark.parametrize("name", sorted(CLIENTS))
def test_lines_for_a_python_library(name: str, tmp_path: pathlib.Path) -> None:
    python = str(COMPONENTS) if name in IN_COMPONENTS else sys.executable
    with serve() as base:
        head = f"URL, BASE, SECRET_WORD = {base + '/notes/7'!r}, {base!r}, {SECRET!r}\n"
        code = head + lines_of(name) + OTHER + textwrap.dedent(CLIENTS[name])
        ran = subprocess.run(
            [python if name not in IN_COMPONENTS else program(python), "-c", code],
            cwd=tmp_path,
            capture_output=True,
            check=False,
            timeout=60,
        )
    assert ran.returncode == 0, ran.stderr.decode()[-2000:]
    log = tmp_path / "wire.log"
    checked(
        log.read_bytes() if log.exists() else ran.stderr,
        "http-messages" if name in {"httpx", "aiohttp"} else "sdk-log",
    )


JAVASCRIPT = {
    "fetch": """
        const body = (fields) => fields ? '{}' : undefined;
        const call = (method, fields) => fetch(URL_, {method, headers: fields, body: body(fields)});
        const tagOf = (got) => got.headers.get('etag');
    """,
    "axios": """
        const call = (method, fields) =>
            axios.request({url: URL_, method, headers: fields, data: fields ? '{}' : undefined}).catch(
                (error) => { if (!error.response) throw error; });
        const tagOf = (got) => got.headers.etag;
    """,
}


@pytest.mark.parametrize("name", sorted(JAVASCRIPT))
def test_lines_for_javascript(name: str, tmp_path: pathlib.Path) -> None:
    node = program("node")
    if name == "axios":
        program(str(NODE_MODULES / ".bin" / "azurite-blob"))  # axios is installed with it
    with serve() as base:
        code = f"""
        const URL_ = {base + "/notes/7"!r};
        {"const axios = require('axios');" if name == "axios" else ""}
        {lines_of(name)}
        {JAVASCRIPT[name]}
        (async () => {{
            const tag = tagOf(await call('GET'));
            await new Promise((done) => require('http').request(URL_, {{method: 'PUT'}}, (got) => {{
                got.resume(); got.on('end', done); }}).end('{{1}}'));
            await call('PUT', {{'If-Match': tag, 'Authorization': 'Bearer {SECRET}'}});
            await call('GET');
        }})();
        """
        ran = subprocess.run(
            [node, "-e", code],
            cwd=tmp_path,
            capture_output=True,
            check=False,
            timeout=60,
            env={**os.environ, "NODE_PATH": str(NODE_MODULES)},
        )
    assert ran.returncode == 0, ran.stderr.decode()[-2000:]
    checked(ran.stderr, "http-messages")


def test_lines_for_curl(tmp_path: pathlib.Path) -> None:
    """Both commands of the topic, the URL and the tag put in."""
    blocks = [block.strip() for block in topics()["capture-curl"].blocks if block.startswith("    ")]
    assert len(blocks) == 2
    (tmp_path / "note.json").write_text("{}")
    program("curl")
    with serve() as base:
        for block in blocks:
            command = block.replace("https://api.example", base)
            subprocess.run(
                ["/bin/sh", "-c", command], cwd=tmp_path, check=True, capture_output=True, timeout=60
            )
            read = capture.read(io.BytesIO((tmp_path / "trace.txt").read_bytes()), "trace.txt")
            (exchange,) = read.exchanges
            assert (exchange.request.method, exchange.status) == ("PUT", 412)
            assert exchange.request.fields.text("If-Match") == '"v7"'


def test_every_library_of_the_list_has_its_lines() -> None:
    wanted = (
        "requests httpx aiohttp botocore azure google-cloud fetch axios okhttp java go dotnet curl chrome "
        "firefox safari kubectl terraform rclone nginx apache haproxy varnish caddy envoy"
    )
    assert {f"capture-{name}" for name in wanted.split()} <= set(topics())


@pytest.mark.parametrize(
    ("words", "shows"),
    [
        ("capture boto3", "set_stream_logger"),
        ("capture-requests", "debuglevel"),
        ("capture k8s", "-v=9"),
        ("capture aws-cli", "--debug"),
        ("capture opentofu", "TF_LOG"),
        ("capture edge", "Export HAR"),
        ("capture", "ifmatch explain capture NAME"),
    ],
)
def test_the_lines_are_found_by_what_people_call_the_library(words: str, shows: str) -> None:
    for form in ("text", "markdown", "json"):
        ran = run("explain", *words.split(), "--format", form)
        assert ran.status == 0
        # Words of a sentence may stand on two lines.
        assert shows in " ".join(ran.out.split()), form


def test_code_keeps_its_indent_in_markdown() -> None:
    shown = run("explain", "capture", "httpx", "--format", "markdown").out
    code = shown.split("```")[1]
    assert '\ndef dump(start, headers, body=""):\n    lines = [' in code
    compile(code, "httpx", "exec")
