"""The lines of `ifmatch explain capture NAME` make the real library log what a diagnosis needs, masked."""

from __future__ import annotations

import io
import os
import pathlib
import subprocess
import sys
import textwrap

import pytest

from ifmatch import capture, diagnose
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
        client = httpx.Client()
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


LOST = {
    "requests": """
        import requests
        session = requests.Session()
        tag = session.get(URL).headers["ETag"]
        for _ in range(2):
            try:
                session.put(URL, data=b'{"title": "mine"}', headers={"If-Match": tag})
            except requests.ConnectionError:
                pass
        session.get(URL)
    """,
    "httpx": """
        with httpx.Client() as client:
            tag = client.get(URL).headers["ETag"]
            for _ in range(2):
                try:
                    client.put(URL, content=b'{"title": "mine"}', headers={"If-Match": tag})
                except httpx.TransportError:
                    pass
            client.get(URL)
    """,
    "aiohttp": """
        import asyncio
        async def main():
            async with make_session() as session:
                async with session.get(URL) as got:
                    tag = got.headers["ETag"]
                fields = {"If-Match": tag}  # aiohttp repeats it by itself
                try:
                    data = b'{"title": "mine"}'
                    async with session.put(URL, data=data, headers=fields, raise_for_status=True):
                        pass
                except aiohttp.ClientResponseError:
                    pass
                async with session.get(URL):
                    pass
        asyncio.run(main())
    """,
    "fetch": """
        const body = '{"title": "mine"}';
        const put = (tag) => fetch(URL_, {method: 'PUT', headers: {'If-Match': tag}, body});
        (async () => {
            const tag = (await fetch(URL_)).headers.get('etag');
            await put(tag).catch(() => {});
            await put(tag);
            await fetch(URL_);
        })();
    """,
    "axios": """
        const put = (tag) => axios.put(URL_, {title: "mine"}, {headers: {'If-Match': tag}}).catch(() => {});
        (async () => {
            const tag = (await axios.get(URL_)).headers.etag;
            await put(tag);
            await put(tag);
            await axios.get(URL_);
        })();
    """,
}


@pytest.mark.parametrize("name", sorted(LOST))
def test_request_that_gets_no_answer_is_logged_too(name: str, tmp_path: pathlib.Path) -> None:
    """Who repeats it meets the own write: without the first attempt another writer would be blamed."""
    is_python = name not in JAVASCRIPT
    environment = {**os.environ, "NODE_PATH": str(NODE_MODULES)}
    interpreter, flag = (sys.executable, "-c") if is_python else (program("node"), "-e")
    with serve(losing=1) as base:
        head = f"URL = {base + '/notes/7'!r}\n" if is_python else f"const URL_ = {base + '/notes/7'!r};\n"
        head += "const axios = require('axios');\n" if name == "axios" else ""
        ran = subprocess.run(
            [interpreter, flag, head + lines_of(name) + textwrap.dedent(LOST[name])],
            cwd=tmp_path,
            capture_output=True,
            check=False,
            timeout=60,
            env=environment,
        )
    assert ran.returncode == 0, ran.stderr.decode()[-2000:]
    log = tmp_path / "wire.log"
    read = capture.read(io.BytesIO(log.read_bytes() if log.exists() else ran.stderr), "wire.log")
    methods = [(one.request.method, one.status) for one in read.exchanges]
    assert methods == [("GET", 200), ("PUT", 0), ("PUT", 412), ("GET", 200)]
    lost, refused = read.exchanges[1:3]
    assert lost.request.fields.text("If-Match") == refused.request.fields.text("If-Match") is not None
    (incident,) = diagnose(read.exchanges).incidents
    assert incident.findings[0].cause == "lost-response-replay"


def test_threads_of_a_python_program_are_told_apart() -> None:
    """Two requests under way at once: the number before each line says whose answer it is."""
    wire = """\
11 send: b'PUT /notes/7 HTTP/1.1\\r\\nHost: api.example\\r\\nIf-Match: "a"\\r\\nContent-Length: 0\\r\\n\\r\\n'
22 send: b'PUT /notes/8 HTTP/1.1\\r\\nHost: api.example\\r\\nIf-Match: "b"\\r\\nContent-Length: 0\\r\\n\\r\\n'
22 reply: 'HTTP/1.1 412 Precondition Failed\\r\\n'
11 reply: 'HTTP/1.1 204 No Content\\r\\n'
22 header: Content-Length: 0
11 header: ETag: "c"
"""
    read = capture.read(io.BytesIO(wire.encode()), "wire.log")
    told = [(one.request.url, one.status) for one in read.exchanges]
    assert told == [("http://api.example/notes/7", 204), ("http://api.example/notes/8", 412)]
    assert read.exchanges[0].response is not None
    assert read.exchanges[0].response.fields.text("ETag") == '"c"'


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
    assert '\ndef text(start, headers, body=b""):\n    lines = [' in code
    compile(code, "httpx", "exec")
