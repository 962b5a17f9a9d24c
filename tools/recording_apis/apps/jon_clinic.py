"""A clinic's appointments on Django REST framework, with Django's own conditional processing.

Environment: ``SEED`` records by path; ``DATES=1`` validators are dates only, of times with fractions;
``SECOND=1`` compares dates by the second; ``SCOPE=1`` one tag for a day's plan; ``REQUIRE=1`` 428 without a
condition; ``VARIANTS=1`` a tag for each language; ``TRIM=1`` reads ten characters of a date.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import threading
import time
import uuid
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="not-a-secret",  # noqa: S106 - signs nothing
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    DATABASES={},
    USE_TZ=True,
    INSTALLED_APPS=["rest_framework"],
    MIDDLEWARE=[f"{__name__}.Trace"],
    REST_FRAMEWORK={"UNAUTHENTICATED_USER": None, "DEFAULT_AUTHENTICATION_CLASSES": []},
)
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.urls import re_path  # noqa: E402
from django.utils.http import http_date  # noqa: E402

_exceptions: Any = importlib.import_module("rest_framework.exceptions")
_views: Any = importlib.import_module("rest_framework.views")
Response = importlib.import_module("rest_framework.response").Response
JSONRenderer = importlib.import_module("rest_framework.renderers").JSONRenderer
_LOCK = threading.Lock()
_START = time.time() - 5400.372
_STORE: dict[str, dict[str, Any]] = {
    path: {"body": body, "at": _START, "by": "import", "n": 1}
    for path, body in json.loads(os.environ.get("SEED", "{}")).items()
}
_TEXTS = {"de": "Termin", "fr": "Rendez-vous"}


class Changed(_exceptions.APIException):  # type: ignore[misc] # it comes without types
    """The record is not what the client saw."""

    status_code = 412
    default_detail = "Precondition failed: the appointment has been modified."
    default_code = "modified"


class Several(_exceptions.APIException):  # type: ignore[misc] # it comes without types
    """The search of a conditional update found more than one record."""

    status_code = 412
    default_detail = "Multiple matches for the given criteria; nothing was updated."
    default_code = "multiple-matches"


class Required(_exceptions.APIException):  # type: ignore[misc] # it comes without types
    """A condition is required."""

    status_code = 428
    default_detail = "This endpoint only accepts conditional updates. Try again with If-Match."
    default_code = "precondition-required"


def _language(request: Any) -> str:
    return request.headers.get("Accept-Language", "en")[:2] if "VARIANTS" in os.environ else ""


def _tag(path: str, language: str) -> str:
    records = {path: _STORE[path]}
    if "SCOPE" in os.environ:
        day = _STORE[path]["body"].get("day")
        records = {name: one for name, one in _STORE.items() if one["body"].get("day") == day}
    counted = sorted((name, one["n"], json.dumps(one["body"])) for name, one in records.items())
    return f'"{hashlib.sha1(repr((counted, language)).encode(), usedforsecurity=False).hexdigest()}"'


def _date(kept: dict[str, Any]) -> str:
    return http_date(int(kept["at"]))


def _check(request: Any, path: str) -> None:
    kept, match = _STORE.get(path), request.headers.get("If-Match")
    since = request.headers.get("If-Unmodified-Since")
    if request.headers.get("If-None-Match") == "*" and kept:
        raise Changed("An appointment with this number already exists.")
    if match is not None:
        if kept is None:
            raise Changed("There is no such appointment.")
        if match != "*" and _tag(path, _language(request)) not in match.split(", "):
            raise Changed
    elif since is not None and kept is not None:
        _check_date(since, kept)
    elif "REQUIRE" in os.environ and kept is not None:
        raise Required


def _check_date(since: str, kept: dict[str, Any]) -> None:
    try:
        moment = parsedate_to_datetime(since[:10] if "TRIM" in os.environ else since)
    except ValueError:
        if "TRIM" in os.environ:
            raise Changed("If-Unmodified-Since is not a date this service understands.") from None
        return
    stored = int(kept["at"]) if "SECOND" in os.environ else kept["at"]
    if stored > moment.replace(tzinfo=moment.tzinfo or UTC).timestamp():
        raise Changed


class Record(_views.APIView):  # type: ignore[misc] # as above
    """One record, or a list where there is none."""

    renderer_classes = (JSONRenderer,)

    def _answer(self, request: Any, path: str, status: int = 200) -> Any:
        kept, language = _STORE[path], _language(request)
        title = {"title": _TEXTS.get(language, "Appointment")} if language else {}
        moment = datetime.fromtimestamp(kept["at"], UTC).isoformat(timespec="milliseconds")
        body = {"url": path, **kept["body"], **title, "modified": moment, "modified_by": kept["by"]}
        made = Response(body, status)
        if "DATES" not in os.environ:
            made["ETag"] = _tag(path, language)
        made["Last-Modified"] = _date(kept)
        if language:
            made["Content-Language"] = language
        return made

    def get(self, request: Any) -> Any:
        """Show a record, or a page of a list."""
        path = request.path.strip("/")
        if path not in _STORE:
            names = [name for name in _STORE if name.startswith(f"{path}/")]
            if not names:
                raise _exceptions.NotFound
            found = [{"url": name, **_STORE[name]["body"]} for name in names]
            return Response({"count": len(found), "next": None, "previous": None, "results": found})
        made = self._answer(request, path)
        if (
            "ETag" in made.headers
            and request.headers.get("If-None-Match", "").removeprefix("W/") == made["ETag"]
        ):
            return Response(None, 304, headers={"ETag": made["ETag"]})
        return made

    def put(self, request: Any) -> Any:
        """Replace a record, or the one that a search finds."""
        with _LOCK:
            path = request.path.strip("/")
            if request.query_params:
                path = self._search(path, dict(request.query_params.items()))
            _check(request, path)
            before = _STORE.get(path)
            by, count = request.headers.get("X-Staff", "?"), before["n"] + 1 if before else 1
            _STORE[path] = {"body": request.data, "at": time.time(), "by": by, "n": count}
            return self._answer(request, path, 200 if before else 201)

    def _search(self, path: str, wanted: dict[str, str]) -> str:
        found = [
            name
            for name, one in _STORE.items()
            if name.startswith(f"{path}/") and all(one["body"].get(k) == v for k, v in wanted.items())
        ]
        if len(found) > 1:
            raise Several
        if not found:
            raise _exceptions.NotFound
        return found[0]

    def delete(self, request: Any) -> Any:
        """Cancel a record."""
        with _LOCK:
            path = request.path.strip("/")
            _check(request, path)
            if _STORE.pop(path, None) is None:
                raise _exceptions.NotFound
            return Response(None, 204)


def _up(_request: Any) -> HttpResponse:
    return HttpResponse("up")


class Trace:
    """Put a request id and the clinic's fields on each answer.

    Args:
        get_response: What makes the answer.
    """

    def __init__(self, get_response: Any) -> None:
        self._get_response = get_response

    def __call__(self, request: Any) -> Any:
        """Answer."""
        made = self._get_response(request)
        made["X-Request-ID"] = request.headers.get("X-Request-ID") or uuid.uuid4().hex
        made["X-Frame-Options"] = "DENY"
        return made


urlpatterns = [re_path(r"^-/up$", _up), re_path(r"^clinic/.*$", Record.as_view())]
application = get_wsgi_application()
