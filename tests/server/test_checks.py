"""What would refuse honest clients is named at the start, by cause id, on real applications."""

from __future__ import annotations

import itertools
import json
import logging
import os
import subprocess
import sys
from types import SimpleNamespace

import flask
import pytest
from django.conf import global_settings
from fastapi import FastAPI, Response
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.testclient import TestClient

from ifmatch.model.catalogue import causes
from ifmatch.server.checks import concerns_of_application, middleware_of
from ifmatch.server.concerns import concerns_of_stack
from ifmatch.server.fastapi import install
from ifmatch.server.probing import is_asgi
from ifmatch.server.proxies import PROXIES, concerns_behind, concerns_of_configuration

CORS = {"allow_origins": ["*"], "allow_methods": ["*"], "allow_headers": ["content-type"]}
NUMBERS = itertools.count()


def application(etag="constant", *, content="x" * 2_000) -> FastAPI:
    app = FastAPI()

    @app.api_route("/note", methods=["GET", "HEAD"])
    def note(response: Response) -> str:
        if etag == "constant":
            response.headers["ETag"] = '"v1"'
        elif etag == "counting":
            response.headers["ETag"] = f'"v{next(NUMBERS)}"'
        elif etag == "weak":
            response.headers["ETag"] = 'W/"v1"'
        return content

    return app


def found(app, *paths: str) -> list[tuple[str, bool]]:
    return [(concern.cause, concern.is_certain) for concern in concerns_of_application(app, paths=paths)]


def test_a_good_application_raises_no_concern() -> None:
    assert found(application(), "/note") == []


@pytest.mark.parametrize(
    ("etag", "cause"),
    [
        ("none", "unsupported-precondition"),
        ("counting", "unstable-etag"),
        ("weak", "weak-only-origin"),
    ],
)
def test_tags_that_no_client_can_use(etag, cause) -> None:
    assert (cause, True) in found(application(etag), "/note")


def test_compression_that_shares_a_strong_tag() -> None:
    app = application()
    app.add_middleware(GZipMiddleware)
    assert found(app, "/note") == [("representation-mismatch", False)] * 2


def test_cors_that_hides_the_tag_and_blocks_the_field() -> None:
    app = application()
    app.add_middleware(CORSMiddleware, **CORS)
    assert found(app) == [("cors-hidden-etag", True)] * 2
    assert found(app, "/note") == [("cors-hidden-etag", True)] * 4


def test_the_middleware_outside_repairs_cors_for_real() -> None:
    app = application()
    app.add_middleware(CORSMiddleware, **CORS)
    install(app)
    assert found(app, "/note") == []


def test_the_middleware_inside_cannot_repair_cors() -> None:
    app = application()
    install(app)
    app.add_middleware(CORSMiddleware, **CORS)
    assert ("cors-hidden-etag", True) in found(app, "/note")


def test_cors_that_lets_pages_only_read_is_no_certain_fault() -> None:
    app = application()
    app.add_middleware(CORSMiddleware, allow_origins=["*"])  # GET alone: no page can write anyway
    install(app)
    (concern,) = concerns_of_application(app, paths=["/note"])
    assert concern.is_certain is False
    assert "pages of other origins cannot write" in concern.text


@pytest.mark.parametrize(
    ("methods", "fields", "text"),
    [
        ("GET, PUT", "if-match", None),
        ("*", "*", None),
        ("PATCH", "If-Match", None),
        ("PUT", "content-type", "a preflight for If-Match is refused"),
        ("GET", "if-match", "a preflight for PUT, PATCH and DELETE is refused"),
    ],
)
def test_cors_code_is_judged_by_what_a_browser_makes_of_its_answer(methods, fields, text) -> None:
    def application(_environ, start_response):
        lines = [("ETag", '"v1"'), ("Access-Control-Allow-Origin", "*")]
        lines += [("Access-Control-Expose-Headers", "ETag"), ("Access-Control-Allow-Methods", methods)]
        start_response("200 OK", [*lines, ("Access-Control-Allow-Headers", fields)])
        return [b""]

    said = [concern.text for concern in concerns_of_application(application, paths=["/note"])]
    assert [text in one for one in said] == ([] if text is None else [True])


def test_a_path_that_is_not_there_is_told() -> None:
    assert found(application(), "/nothing") == [("target-missing", False)]


def test_middleware_that_evaluates_after_the_method() -> None:
    (concern,) = concerns_of_stack([("ETagMiddleware", {})])
    assert concern.cause == "post-commit-412"


def test_flask_applications_are_asked_too() -> None:
    app = flask.Flask("notes")

    @app.get("/note")
    def note() -> flask.Response:
        response = flask.make_response("text")
        response.headers["ETag"] = f'"{next(NUMBERS)}"'
        return response

    assert not is_asgi(app)
    assert is_asgi(application())
    assert ("unstable-etag", True) in found(app, "/note")


def test_start_up_logs_concerns(caplog) -> None:
    app = application()
    install(app)
    app.add_middleware(CORSMiddleware, **CORS)
    with caplog.at_level(logging.WARNING, "ifmatch.server"), TestClient(app):
        pass
    assert {record.ifmatch_cause for record in caplog.records} == {"cors-hidden-etag"}
    assert middleware_of(app)[0][0] == "CORSMiddleware"


# --- servers in front

NGINX = """
http {
    # gzip on;
    server {
        location / { proxy_pass http://127.0.0.1:8000; }
        location /api/ {
            gzip on;
            proxy_cache api;
        }
    }
}
"""


def test_a_configuration_of_nginx_is_read() -> None:
    concerns = concerns_of_configuration(NGINX, "nginx.conf")
    assert {concern.cause for concern in concerns} == {"etag-weakened", "stale-cache-read"}
    assert concerns[0].where == "nginx-gzip: nginx.conf, line 7"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("gzip off;\nproxy_cache off;", []),
        ("# gzip on;", []),
        ("AddOutputFilterByType DEFLATE application/json", ["apache-deflate"]),
        ("AddOutputFilterByType DEFLATE application/json\nDeflateAlterETag NoChange", []),
        ("SetOutputFilter BROTLI_COMPRESS", ["apache-brotli"]),
        (":80 {\n\tencode zstd gzip\n}", ["caddy-encode"]),
        (":80 {\n\t@s path *.css\n\tencode @s gzip\n}", []),
        ("  compression algo gzip", ["haproxy-compression"]),
        ("set beresp.do_gzip = true;", ["varnish-gzip"]),
        ("- name: envoy.filters.http.compressor", ["envoy-compressor"]),
        ("- name: envoy.filters.http.compressor\n  disable_on_etag_header: true", []),
        ("compress.so /etc/trafficserver/compress.config", ["trafficserver-compress"]),
        ("sub_filter 'a' 'b';", ["nginx-sub-filter"]),
        ("# - name: envoy.filters.http.compressor", []),
    ],
)
def test_configurations_of_others(text, names) -> None:
    assert [concern.where.partition(":")[0] for concern in concerns_of_configuration(text, "file")] == names


def test_every_cause_is_in_the_catalogue() -> None:
    assert {proxy.cause for proxy in PROXIES.values()} <= set(causes())
    assert len(concerns_behind(tuple(PROXIES))) == len(PROXIES)


# --- Django

GZIP = "django.middleware.gzip.GZipMiddleware"
CONDITIONAL_GET = "django.middleware.http.ConditionalGetMiddleware"
CORS_HEADERS = "corsheaders.middleware.CorsMiddleware"
OURS = "ifmatch.server.django.PreconditionMiddleware"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"MIDDLEWARE": []}, []),
        ({"MIDDLEWARE": [GZIP]}, [("etag-weakened", True)]),
        ({"MIDDLEWARE": [CONDITIONAL_GET]}, [("etag-source-mismatch", False)]),
        ({"MIDDLEWARE": [CORS_HEADERS]}, [("cors-hidden-etag", True)] * 2),
        ({"MIDDLEWARE": [OURS, CORS_HEADERS]}, []),
        ({"MIDDLEWARE": [CORS_HEADERS, OURS]}, [("cors-hidden-etag", True)] * 2),
        (
            {
                "MIDDLEWARE": [CORS_HEADERS],
                "CORS_EXPOSE_HEADERS": ["ETag"],
                "CORS_ALLOW_HEADERS": ("accept", "if-match"),
            },
            [],
        ),
    ],
)
def test_settings_of_django(settings, expected) -> None:
    from ifmatch.server.django_checks import concerns_of_settings

    concerns = concerns_of_settings(SimpleNamespace(**settings))
    assert [(concern.cause, concern.is_certain) for concern in concerns] == expected
    assert global_settings.MIDDLEWARE == []


def test_manage_py_check_prints_them(tmp_path) -> None:
    (tmp_path / "site_settings.py").write_text(
        'SECRET_KEY = "for tests"\nUSE_TZ = True\n'
        'INSTALLED_APPS = ["ifmatch.server.django_checks.PreconditionChecks"]\n'
        f'MIDDLEWARE = ["{GZIP}"]\n'
    )
    done = subprocess.run(
        [sys.executable, "-m", "django", "check", "--settings", "site_settings"],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "(ifmatch.etag-weakened) GZipMiddleware: it turns strong tags weak" in done.stderr


DJANGO = """
from django.conf import settings
settings.configure(SECRET_KEY="x", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, MIDDLEWARE=[
    "ifmatch.server.django.PreconditionMiddleware", "django.middleware.gzip.GZipMiddleware"])
import django
django.setup()
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path
from ifmatch import Representation
from ifmatch.server.django import precondition

note = precondition(lambda request: Representation(etag='"v1"'))(lambda request: HttpResponse("x" * 2000))
urlpatterns = [path("note", note)]
by_wsgi, by_asgi = get_wsgi_application(), get_asgi_application()
"""


@pytest.mark.parametrize("name", ["by_wsgi", "by_asgi"])
def test_django_is_asked_for_its_settings_and_its_answers(name, tmp_path) -> None:
    (tmp_path / "service.py").write_text(DJANGO)
    done = run_check(f"service:{name}", "--path", "/note", "--format", "json", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    concerns = json.loads(done.stdout)["concerns"]
    assert [(one["cause"], one["where"]) for one in concerns] == [
        ("etag-weakened", "GZipMiddleware"),
        ("etag-weakened", "/note"),
    ]


def test_an_application_that_ends_without_an_answer_is_told(tmp_path) -> None:
    (tmp_path / "service.py").write_text("async def app(scope, receive, send):\n    return\n")
    done = run_check("service:app", "--path", "/note", cwd=tmp_path)
    assert done.returncode == 3
    assert "it ended without an answer" in done.stderr


# --- the verb


def run_check(*arguments: str, cwd=None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ifmatch.cli", "check", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


def test_the_verb_checks_an_application_where_it_stands(tmp_path) -> None:
    (tmp_path / "service.py").write_text(
        "from starlette.applications import Starlette\n"
        "from starlette.responses import PlainTextResponse\n"
        "from starlette.routing import Route\n"
        "def note(request):\n"
        "    return PlainTextResponse('x', headers={'ETag': 'W/\"1\"'})\n"
        "app = Starlette(routes=[Route('/note', note)])\n"
    )
    done = run_check("service:app", "--path", "/note", "--format", "json", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    (concern,) = json.loads(done.stdout)["concerns"]
    assert concern["cause"] == "weak-only-origin"
    text = run_check("service:app", "--path", "/note", cwd=tmp_path).stdout
    assert "weak-only-origin (refuses honest clients)" in text
    assert "ifmatch explain weak-only-origin" in text


def test_a_function_that_makes_an_application_is_called_with_brackets(tmp_path) -> None:
    (tmp_path / "service.py").write_text(
        "from flask import Flask\n"
        "def make():\n"
        "    app = Flask('service')\n"
        "    app.add_url_rule('/note', view_func=lambda: 'text')\n"
        "    return app\n"
    )
    done = run_check("service:make()", "--path", "/note", cwd=tmp_path)
    assert (done.returncode, "unsupported-precondition" in done.stdout) == (1, True), done.stderr
    failed = run_check("service:make", "--path", "/note", cwd=tmp_path)
    assert failed.returncode == 3
    assert "the application failed when it was asked: TypeError" in failed.stderr
    assert "module:make()" in failed.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ((), 2, "Name an application as module:app"),
        (("nothing",), 2, "not of the form module:app"),
        (("no_such_module:app",), 3, "there is no module no_such_module"),
        (("json:app",), 3, "module json has no app"),
        (("--behind", "unknown"), 2, "--behind unknown is not known"),
        (("json:dumps", "--header", "x"), 2, "not of the form NAME:VALUE"),
    ],
)
def test_bad_input_is_told(arguments, status, said, tmp_path) -> None:
    done = run_check(*arguments, cwd=tmp_path)
    assert done.returncode == status, done.stderr
    assert said in done.stderr


def test_what_stands_in_front(tmp_path) -> None:
    (tmp_path / "nginx.conf").write_text("gzip on;\n")
    done = run_check("--behind", "caddy-encode", "--proxy-config", "nginx.conf", cwd=tmp_path)
    assert done.returncode == 1
    assert "etag-suffix-rewrite" in done.stdout
    assert "nginx-gzip: nginx.conf, line 1" in done.stdout
    assert run_check("--behind", "list").stdout.count("\n") >= len(PROXIES)


def test_the_verb_rollout(tmp_path) -> None:
    from ifmatch.server.shadow import Shadow

    shadow = Shadow()
    shadow.wrote("ann", "/notes/1", "PUT", guarded=False)
    shadow.save(tmp_path / "a.json")

    def rollout(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "ifmatch.cli", "rollout", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)

    done = rollout("a.json")
    assert done.returncode == 0, done.stderr
    assert "ann: 1 would be answered 428" in done.stdout
    assert json.loads(rollout("a.json", "--format", "json").stdout)["writes"] == 1
    assert rollout("a.json", "--notice", "--service", "Notes").stdout.startswith("# Notes: writes need")
    missing = rollout("b.json")
    assert (missing.returncode, "b.json: it cannot be read" in missing.stderr) == (3, True)
    (tmp_path / "c.json").write_text("{}")
    assert "this is no report" in rollout("c.json").stderr
