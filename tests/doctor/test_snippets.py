"""The code that is offered works: two of it at a time on one document, and no change is lost."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

import pytest
from starlette.testclient import TestClient

from ifmatch import Representation
from ifmatch.model.catalogue.snippets import snippet_for_agent, snippets
from tests.cli.running import run
from tests.doctor import setups
from tests.programs import program
from tools.recording import components

ROUNDS = 4


def count(document):
    return {**document, "count": document["count"] + 1}


def with_requests(url, code):
    space: dict = {}
    exec(code, space)  # noqa: S102 - our own data
    for _ in range(ROUNDS):
        space["update"](url, count, attempts=50)


def with_aiohttp(url, code):
    space: dict = {}
    exec(code, space)  # noqa: S102 - our own data

    async def main() -> None:
        for _ in range(ROUNDS):
            await space["update"](url, count, attempts=50)

    asyncio.run(main())


def with_fetch(url, code):
    script = f"{code}\n(async () => {{ for (let i = 0; i < {ROUNDS}; i++) "
    script += f"await update({json.dumps(url)}, (d) => ({{ ...d, count: d.count + 1 }}), {{}}, 50); }})();"
    subprocess.run([program("node"), "-e", script], check=True, capture_output=True, timeout=60)


def with_axios(url, code):
    if not (setups.NODE_MODULES / "axios").is_dir():
        program("axios, installed by make setup-test")
    script = f"{code}\nconst axios = require('axios'); (async () => {{ for (let i = 0; i < {ROUNDS}; i++) "
    script += f"await update(axios, {json.dumps(url)}, (d) => ({{ ...d, count: d.count + 1 }}), 50); }})();"
    environment = {**os.environ, "NODE_PATH": str(setups.NODE_MODULES)}
    subprocess.run(
        [program("node"), "-e", script], check=True, capture_output=True, timeout=240, env=environment
    )


JAVA = """
import java.io.IOException;
import java.net.URI;
import java.net.http.*;
import java.util.function.UnaryOperator;
public class Main {
    %s
    static String count(String text) {
        int at = text.indexOf(':') + 1, end = text.indexOf('}');
        return "{\\"count\\": " + (Integer.parseInt(text.substring(at, end).trim()) + 1) + "}";
    }
    public static void main(String[] arguments) throws Exception {
        var url = URI.create(arguments[0]);
        for (int i = 0; i < %d; i++) update(HttpClient.newHttpClient(), url, Main::count, 50);
    }
}
"""


def with_java(url, code, folder):
    (folder / "Main.java").write_text(JAVA % (code, ROUNDS))
    java = shutil.which("java")
    if java is None or shutil.which("javac") is None:
        pytest.skip("no JDK is installed")
    command = [java, "-XX:TieredStopAtLevel=1", folder / "Main.java", url]
    subprocess.run(command, check=True, capture_output=True, timeout=480)


def with_curl(url, code, folder):
    edit = folder / "edit"
    edit.write_text(
        f"#!{sys.executable}\nimport json, sys\nd = json.load(sys.stdin)\n"
        "d['count'] += 1\njson.dump(d, sys.stdout)\n"
    )
    edit.chmod(0o755)
    loop = f"for i in $(seq {ROUNDS}); do until update {url} {edit}; do :; done; done"
    subprocess.run(
        [program("bash"), "-c", f"{code}\n{loop}"], check=True, cwd=folder, timeout=60, capture_output=True
    )


@pytest.mark.parametrize("name", ["requests", "httpx", "aiohttp", "fetch", "axios", "java", "curl"])
def test_client_code_loses_nothing_against_itself(name, tmp_path) -> None:
    code = snippets()[name].code
    with setups.origin({"count": 0}) as origin:
        url = f"http://127.0.0.1:{origin.port}/notes/7"

        def one(number) -> None:
            folder = tmp_path / str(number)
            folder.mkdir()
            if name in {"requests", "httpx"}:
                with_requests(url, code)
            elif name == "aiohttp":
                with_aiohttp(url, code)
            elif name == "fetch":
                with_fetch(url, code)
            elif name == "axios":
                with_axios(url, code)
            elif name == "java":
                with_java(url, code, folder)
            else:
                with_curl(url, code, folder)

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(one, range(2)))
        assert json.loads(origin.resources["/notes/7"].body) == {"count": 2 * ROUNDS}


@pytest.mark.parametrize("name", ["nginx", "apache", "haproxy", "varnish", "caddy", "envoy"])
def test_proxy_configuration_lets_a_conditional_write_through(name, tmp_path) -> None:
    code = snippets()[name].code
    with setups.origin() as origin:
        origin.store("/api/7", setups.DOCUMENT)
        here = f"http://127.0.0.1:{origin.port}"
        if name == "nginx":
            program("nginx")
            started = components.start_nginx(
                tmp_path, code.replace("http://application", here), "gzip on; gzip_types *; gzip_proxied any;"
            )
        elif name == "apache":
            program("apache2")
            body = f"AddOutputFilterByType DEFLATE application/json\nProxyPass / {here}/\n{code}"
            started = components.start_apache(tmp_path, body)
        elif name == "haproxy":
            program("haproxy")
            backends = code.replace("127.0.0.1:8080", f"127.0.0.1:{origin.port}")
            started = components.start_haproxy(tmp_path, "  default_backend api", backends)
        elif name == "varnish":
            program("varnishd")
            started = components.start_varnish(tmp_path, origin.port, code)
        elif name == "envoy":
            started = envoy_with(code, tmp_path, origin.port)
        else:
            started = components.start_caddy(tmp_path, f"{code}\nreverse_proxy 127.0.0.1:{origin.port}")
        with setups.running(started) as front:
            url = f"http://127.0.0.1:{front.port}/api/7"
            tag = setups.read_tag(url, Accept_Encoding="gzip")
            done = subprocess.run(
                ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-X", "PUT", url,
                 "-H", f"If-Match: {tag}",
                 "-H", "Content-Type: application/json", "-d", '{"name": "Cleo"}'],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
    assert done.stdout.startswith("2")


def envoy_with(code, folder, port):
    """Start Envoy with a compressor, and what a route says about it."""
    first = components.start_envoy(folder, [port], components.ENVOY_COMPRESSOR)
    first.stop()
    file = folder / "envoy.yaml"
    text = file.read_text()
    route = re.search(r"^( +)route: \{cluster: origin\}\n", text, re.MULTILINE)
    file.write_text(text[: route.end()] + textwrap.indent(code, route[1]) + "\n" + text[route.end() :])
    return components.start("envoy", first.process.args[1:], folder, first.port)


def test_fastapi_code_evaluates_before_it_edits() -> None:
    fastapi = pytest.importorskip("fastapi")
    edited = []
    space = {
        **{name: getattr(fastapi, name) for name in ("APIRouter", "Depends", "Security")},
        "Annotated": Annotated,
        "Note": dict,
        "login": lambda: "ana",
        "current": lambda: Representation(etag='"v7"'),
        "app": fastapi.FastAPI(),
    }
    code = snippets()["fastapi"].code.replace("): ...", "): edited.append(number)")
    # Without the annotations of this module: FastAPI reads those of the code.
    exec(compile(code, "snippet", "exec", dont_inherit=True), {**space, "edited": edited}, space)  # noqa: S102
    space["app"].include_router(space["router"])
    with TestClient(space["app"]) as client:
        for tag, status in (('"v6"', 412), ('"v7"', 200)):
            assert client.put("/notes/1", json={}, headers={"If-Match": tag}).status_code == status
    assert edited == [1]


DJANGO_SERVICE = """
import uuid
import django
from django.conf import settings
settings.configure(
    DATABASES={{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}}},
    ALLOWED_HOSTS=["*"], SECRET_KEY="x", ROOT_URLCONF=__name__,
    MIDDLEWARE=["ifmatch.server.django.PreconditionMiddleware"],
)
django.setup()
from django.db import connection, models
from django.test import Client
from django.urls import path

class Note(models.Model):
    text = models.TextField()
    version = models.UUIDField(default=uuid.uuid4)
    class Meta:
        app_label = "notes"

with connection.schema_editor() as editor:
    editor.create_model(Note)
first = Note.objects.create(pk=1, text="first")
login_required = lambda view: view
{code}
urlpatterns = [path("notes/<int:number>", note)]

def put(tag, number=1):
    fields = {{"If-Match": tag}}
    return Client().put(f"/notes/{{number}}", '{{"text": "second"}}', "application/json", headers=fields)

print(put('"other"').status_code, Note.objects.get().text)
done = put(f'"{{first.version}}"')
print(done.status_code, Note.objects.get().text, done["ETag"] == f'"{{Note.objects.get().version}}"')
print(put("*", 2).status_code)
# Somebody writes between the condition and the statement.
make = uuid.uuid4
def faster():
    uuid.uuid4 = make
    Note.objects.update(text="theirs", version=make())
    return make()
uuid.uuid4 = faster
print(put(done["ETag"]).status_code, Note.objects.get().text)
uuid.uuid4 = faster
print(put("*").status_code, Note.objects.get().text)
"""


def test_django_code_compares_and_stores_in_one_step() -> None:
    pytest.importorskip("django")
    script = DJANGO_SERVICE.format(code=snippets()["django"].code)
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ran.stdout.splitlines() == [
        "412 first", "204 second True", "412", "412 theirs", "204 second"
    ], ran.stderr  # fmt: skip


def test_express_code_refuses_and_stores_in_one_step(tmp_path) -> None:
    modules = setups.NODE_MODULES
    if not (modules / "express").is_dir():
        program("express, installed by make setup-test")
    script = tmp_path / "app.js"
    script.write_text(
        "const express = require('express'); const app = express(); app.use(express.json());\n"
        "const notes = { 1: { version: 1, document: { count: 0 } } };\n"
        "const database = { get: (id) => notes[id], compareAndSet: (id, version, document) => {\n"
        "  if (notes[id].version !== version) return undefined;\n"
        "  notes[id] = { version: version + 1, document }; return version + 1; } };\n"
        + snippets()["express"].code
        + "\nconst server = app.listen(0, '127.0.0.1', () => console.log(server.address().port));\n"
    )
    process = subprocess.Popen(
        [program("node"), script],
        stdout=subprocess.PIPE,
        text=True,
        env={"NODE_PATH": str(modules), "PATH": ""},
    )
    try:
        url = f"http://127.0.0.1:{process.stdout.readline().strip()}/notes/1"

        def put(*conditions):
            words = ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-X", "PUT", url]
            words += ["-H", "Content-Type: application/json", "-d", '{"count": 1}']
            words += [part for condition in conditions for part in ("-H", f"If-Match: {condition}")]
            return subprocess.run(words, capture_output=True, text=True, check=True).stdout

        assert put() == "428"
        assert put('"7"') == "412"
        assert put('"9", "1"') == "204"
        assert put('"1"') == "412"
    finally:
        process.terminate()
        process.wait(120)
        process.stdout.close()


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("python-requests/2.32.0", "requests"),
        ("python-httpx/0.28", "httpx"),
        ("Python/3.11 aiohttp/3.9", "aiohttp"),
        ("Mozilla/5.0 (X11)", "fetch"),
        ("axios/1.7", "axios"),
        ("okhttp/4.12", "okhttp"),
        ("Java-http-client/21", "java"),
        ("Go-http-client/1.1", "go"),
        ("curl/8.5.0", "curl"),
        ("lab-client/1", None),
        ("", None),
    ],
)
def test_the_language_is_told_by_the_user_agent(agent, name) -> None:
    found = snippet_for_agent(agent)
    assert (found.id if found is not None else None) == name


@pytest.mark.parametrize("snippet", snippets().values(), ids=snippets())
def test_every_snippet_can_be_asked_for(snippet) -> None:
    prefix = "update" if snippet.side == "client" else "server"
    ran = run("explain", f"{prefix}-{snippet.id}")
    assert ran.status == 0
    assert snippet.code.strip().splitlines()[0] in ran.out


def test_python_snippets_are_python() -> None:
    for name in ("requests", "httpx", "aiohttp", "django", "fastapi"):
        compile(snippets()[name].code, name, "exec")
    if shutil.which("node"):
        for name in ("fetch", "axios", "express"):
            subprocess.run(
                [program("node"), "--check", "-"], input=snippets()[name].code, text=True, check=True
            )
