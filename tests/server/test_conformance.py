"""Every row of RFC 9110 section 13 that one origin can show passes on every adapter, over raw sockets."""

from __future__ import annotations

import pytest

from tests.server.conformance import ALL_FEATURES, Target, run
from tests.server.conformance_answers import CASES
from tests.server.servers import serving

FEATURES = ALL_FEATURES - {"gzip"}
DJANGO = {"DJANGO_SETTINGS_MODULE": "tests.server.apps.django_settings"}
PLAIN = DJANGO | {"URLS": "tests.server.apps.django_app"}
STACKS = {
    "asgi": ("uvicorn", "asgi_app", {}),
    "wsgi": ("gunicorn", "wsgi_app", {}),
    "wsgiref": ("wsgiref", "wsgi_app", {}),
    "starlette": ("uvicorn", "starlette_app", {}),
    "fastapi": ("uvicorn", "fastapi_app", {}),
    "flask": ("gunicorn", "flask_app", {}),
    "django": ("gunicorn", "django_app", PLAIN),
    "django-classes": ("gunicorn", "django_app", PLAIN | {"VIEWS": "classes"}),
    "django-async": ("gunicorn", "django_app", PLAIN | {"VIEWS": "async"}),
    "django-rest": ("gunicorn", "django_rest_app", DJANGO | {"URLS": "tests.server.apps.django_rest_app"}),
}
# What the server does below the adapter: http.server takes the end of the stream for the end of the headers.
FAULTS_OF_SERVERS = {"wsgiref": {"headers-incomplete"}}


@pytest.mark.parametrize("stack", STACKS)
def test_every_must_and_should_row_passes(stack: str) -> None:
    server, module, environment = STACKS[stack]
    with serving(server, f"tests.server.apps.{module}", environment) as port:
        cases = [case for case in CASES if case.id not in FAULTS_OF_SERVERS.get(stack, ())]
        verdicts = list(run(Target(port, features=FEATURES), cases))
    failed = [
        f"{verdict.case.level} {verdict.case.id}: {verdict.case.title}: {verdict.actual}"
        for verdict in verdicts
        if verdict.status == "fail" and verdict.case.level != "MAY"
    ]
    assert failed == []
    passed = [verdict for verdict in verdicts if verdict.status == "pass"]
    assert len(passed) >= 230
