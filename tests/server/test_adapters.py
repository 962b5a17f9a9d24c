"""What the conformance table cannot show of the adapters, over real HTTP where it matters."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime

import flask
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from ifmatch import Representation
from ifmatch.server.fastapi import install
from ifmatch.server.flask import Preconditions, conditional, precondition
from ifmatch.server.gate import Settings
from ifmatch.server.policy import Policies, Policy, Stage
from ifmatch.server.starlette import check
from ifmatch.server.starlette import precondition as starlette_precondition
from ifmatch.server.stores.memory import MemoryStore
from ifmatch.server.stores.protocol import ABSENT, Content
from ifmatch.server.writing import write
from ifmatch.server.wsgi import facts_of
from tests.server.conformance import Target, run
from tests.server.conformance_answers import CASES
from tests.server.raw import Connection, exchange, request
from tests.server.servers import serving
from tests.server.test_conformance import PLAIN, STACKS

STALE = {"If-Match": '"v1"'}
CURRENT = Representation(etag='"v2"')
ORIGIN = {"Origin": "https://app.example"}


# --- before the content, on the wire


@pytest.mark.parametrize("stack", ["asgi", "starlette", "fastapi"])
def test_412_comes_in_the_place_of_100_continue_where_the_server_allows(stack) -> None:
    server, module, environment = STACKS[stack]
    with serving(server, f"tests.server.apps.{module}", environment) as port:
        (verdict,) = run(Target(port), [case for case in CASES if case.id == "a-continue"])
        assert (verdict.status, verdict.actual) == ("pass", "")
        # A true condition is asked for its content.
        etag = exchange("127.0.0.1", port, "GET", "/resource").field("ETag").encode()
        lines = [(b"If-Match", etag), (b"Expect", b"100-continue"), (b"Content-Type", b"application/json")]
        with Connection("127.0.0.1", port) as connection:
            connection.send(request("PUT", "/resource", [*lines, (b"Content-Length", b"13")]))
            assert connection.answer("PUT", interim=True).status == 100
            connection.send(b'{"text": "x"}')
            assert connection.answer("PUT").status == 204


# --- Starlette, Flask, Django


def test_starlette_by_call_and_by_decorator() -> None:
    async def by_call(request):
        conditional_ = await check(request, lambda _: CURRENT)
        return PlainTextResponse(str(conditional_.current.representation.etag))

    @starlette_precondition(lambda _: CURRENT)
    async def by_decorator(request):
        return PlainTextResponse(str(request.state.conditional.current.representation.etag))

    app = Starlette(routes=[Route("/call", by_call), Route("/decorator", by_decorator)])
    install(app)
    with TestClient(app) as client:
        for path in ("/call", "/decorator"):
            assert client.get(path).text == '"v2"'
            assert client.get(path).headers["etag"] == '"v2"'
            assert client.get(path, headers=STALE).status_code == 412


def test_flask_keeps_its_own_error_pages_out_of_it() -> None:
    app = flask.Flask("notes")
    Preconditions(app)

    @app.errorhandler(Exception)
    def everything(error):
        return {"error": "hidden"}, getattr(error, "code", None) or 500

    @app.put("/note")
    @precondition(lambda: CURRENT)
    async def edit() -> str:
        assert conditional() is not None
        return "done"

    with app.test_client() as client:
        refused = client.put("/note", headers=STALE)
        assert refused.status_code == 412
        assert refused.json["precondition"]["presented"] == '"v1"'
        assert client.put("/note", headers={"If-Match": '"v2"'}).status_code == 200


@pytest.mark.parametrize("extended", [False, True])
def test_flask_adds_no_line_that_the_view_has_set_with_the_extension_or_without(extended) -> None:
    app = flask.Flask("notes")
    if extended:
        Preconditions(app)

    @app.get("/note")
    @precondition(lambda: Representation(etag='"v2"', last_modified=datetime(2026, 1, 1, tzinfo=UTC)))
    def read() -> flask.Response:
        return flask.Response("text", headers={"etag": 'W/"own"', "X-Own": "yes"})

    def seen(response: flask.Response) -> flask.Response:
        if response.status_code == 200:
            response.headers["X-Seen"] = response.headers["Last-Modified"]
        return response

    app.after_request(seen)
    with app.test_client() as client:
        lines = client.get("/note").headers.to_wsgi_list()
        assert [value for name, value in lines if name.lower() == "etag"] == ['W/"own"']
        assert [value for name, value in lines if name == "Last-Modified"] == [
            "Thu, 01 Jan 2026 00:00:00 GMT"
        ]
        assert ("X-Seen", "Thu, 01 Jan 2026 00:00:00 GMT") in lines
        assert client.get("/note", headers=STALE).status_code == 412


def test_flask_sends_what_a_write_raises_inside_a_view() -> None:
    app = flask.Flask("notes")
    Preconditions(app)
    store = MemoryStore()
    store.swap("note", ABSENT, Content(b"text"))

    @app.errorhandler(Exception)
    def everything(_error):
        return {"error": "hidden"}, 500

    @app.put("/note")
    def edit() -> tuple[str, int]:
        write(store, "note", facts_of(flask.request.environ), lambda _: Content(b"new"), settings=Settings())
        return "", 204

    with app.test_client() as client:
        refused = client.put("/note", headers=STALE)
        assert refused.status_code == 412
        assert refused.json["precondition"]["presented"] == '"v1"'
        assert client.put("/note", headers={"If-Match": "*"}).status_code == 204


def test_flask_takes_the_settings_of_the_extension_without_its_middleware() -> None:
    app = flask.Flask("notes")
    Preconditions(app, settings=Settings(policies=Policies(default=Policy(stage=Stage.OFF))))
    view = precondition(lambda: CURRENT)(lambda: "done")
    with app.test_request_context("/note", method="PUT", headers=STALE):
        assert view() == "done"


DJANGO_SETTINGS = """
from django.conf import settings
settings.configure(ALLOWED_HOSTS=["*"], SECRET_KEY="x", ROOT_URLCONF=__name__)
import django
django.setup()
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import path
from ifmatch import Representation
from ifmatch.server.django import precondition
from ifmatch.server.gate import Settings
from ifmatch.server.policy import Policies, Policy, Stage
from ifmatch.server.stores.memory import MemoryStore
from ifmatch.server.stores.protocol import ABSENT, Content
from ifmatch.server.writing import write
from ifmatch.server.wsgi import facts_of

note = precondition(lambda request: Representation(etag='"v2"'))(lambda request: HttpResponse("text"))
urlpatterns = [path("note", note)]
enforced = Settings(policies=Policies(default=Policy(stage=Stage.ENFORCE)))
answers = [Client().put("/note").status_code]
with override_settings(IFMATCH=enforced):
    answers.append(Client().put("/note").status_code)
answers.append(Client().put("/note").status_code)
print(answers)
"""


def test_django_takes_settings_that_a_test_overrides() -> None:
    done = subprocess.run([sys.executable, "-c", DJANGO_SETTINGS], capture_output=True, text=True, check=True)
    assert done.stdout == "[200, 428, 200]\n"


@pytest.mark.parametrize("views", ["", "classes", "async"])
def test_django_answers_from_asgi_too(views) -> None:
    environment = PLAIN | {"VIEWS": views, "ASGI": "1"}
    with serving("uvicorn", "tests.server.apps.django_app", environment) as port:
        verdicts = list(
            run(Target(port, features=frozenset({"tagged", "forbidden", "moved", "writes"})), CASES)
        )
    failed = [
        (verdict.case.id, verdict.actual)
        for verdict in verdicts
        if verdict.status == "fail" and verdict.case.level == "MUST"
    ]
    assert failed == []


DJANGO_CORS = """
import json, sys
from django.conf import settings
settings.configure(ALLOWED_HOSTS=["*"], SECRET_KEY="x", ROOT_URLCONF=__name__, MIDDLEWARE=[
    "ifmatch.server.django.PreconditionMiddleware", "__main__.cors"])
import django
django.setup()
from django.http import HttpResponse
from django.test import Client
from django.urls import path
from ifmatch import Representation
from ifmatch.server.django import check

def cors(get_response):
    def middleware(request):
        asked = request.headers.get("access-control-request-headers", "")
        response = HttpResponse() if request.method == "OPTIONS" else get_response(request)
        response["Access-Control-Allow-Origin"] = "https://app.example"
        response["Access-Control-Allow-Headers"] = asked
        return response
    return middleware

def note(request):
    check(request, lambda: Representation(etag='"v2"'))
    return HttpResponse("text")

urlpatterns = [path("note", note)]
client = Client()
origin = {"Origin": "https://app.example"}
asked = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "x-own, if-match"}
answers = [client.get("/note", headers=origin), client.put("/note", headers=origin | {"If-Match": '"v1"'}),
           client.options("/note", headers=origin | asked)]
print(json.dumps([[answer.status_code, dict(answer.items())] for answer in answers]))
"""


def test_django_answers_what_a_view_raises_past_its_cors_code() -> None:
    done = subprocess.run([sys.executable, "-c", DJANGO_CORS], capture_output=True, text=True, check=True)
    (read, refused, preflight) = json.loads(done.stdout)
    assert (read[0], refused[0], preflight[0]) == (200, 412, 200)
    for _, fields in (read, refused):
        assert "ETag" in fields["Access-Control-Expose-Headers"]
        assert fields["Access-Control-Allow-Origin"] == "https://app.example"
    assert preflight[1]["Access-Control-Allow-Headers"] == "x-own, if-match"


# --- the shadow behind real servers


@pytest.mark.parametrize(
    ("server", "kind", "route"), [("uvicorn", "asgi", "/notes/{}"), ("gunicorn", "wsgi", "/notes/<number>")]
)
def test_the_shadow_changes_no_answer_and_sees_who_overwrote_whom(server, kind, route) -> None:
    with serving(server, "tests.server.apps.shadowed", {"KIND": kind}) as port:

        def send(client: str, method: str, content: bytes | None = None, *lines) -> int:
            fields = [(b"X-Client", client.encode()), *lines]
            return exchange("127.0.0.1", port, method, "/notes/1", fields, content).status

        for client in ("ann", "bob"):
            assert send(client, "GET") == 200
        assert send("ann", "PUT", b"ann was here") == 204
        assert send("bob", "PUT", b"bob was here") == 204
        assert send("eve", "PUT", b"never read", (b"If-Match", b'"never"')) == 204
        report = json.loads(exchange("127.0.0.1", port, "GET", "/report").content)
    rows = {row["client"]: row for row in report["rows"]}
    assert rows["ann"]["unguarded_current"] == 1
    assert rows["bob"]["overwrote"] == 1
    assert rows["eve"]["guarded"] == 1
    assert {row["route"] for row in report["rows"]} == {route}


# --- what is loaded


def test_the_names_of_the_package_are_those_of_its_modules() -> None:
    import ifmatch.server as package

    assert set(package._MODULE_OF) == set(package.__all__)
    for name in package.__all__:
        assert getattr(package, name).__module__.startswith("ifmatch.server.")
    assert set(package.__all__) <= set(dir(package))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = package.nothing
    code = "import sys, ifmatch.server; print(*[name for name in sys.modules if 'ifmatch.server' in name])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["ifmatch.server"]


@pytest.mark.parametrize("module", ["asgi", "wsgi", "starlette", "fastapi", "flask", "django", "django_rest"])
def test_users_of_an_adapter_load_nothing_of_the_command_line(module) -> None:
    code = f"import sys, ifmatch.server.{module}; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    forbidden = {"msgspec", "jinja2", "ifmatch.diagnosis", "ifmatch.model", "ifmatch.report", "ifmatch.cli"}
    # Flask itself needs click and jinja2.
    forbidden -= {"jinja2"} if module == "flask" else set()
    forbidden |= set() if module == "flask" else {"click"}
    assert loaded & forbidden == set()
    frameworks = {"starlette", "fastapi", "flask", "django", "rest_framework"}
    own = {"asgi": set(), "wsgi": set(), "fastapi": {"fastapi", "starlette"}, "django_rest": {"django"}}
    assert loaded & frameworks == own.get(module, {module})
