# mypy: ignore-errors
# ruff: noqa: ANN001, ANN202, ARG001 - Django calls these as it will
"""A ledger of sheets on Django with its own condition decorator; the environment says what a story needs."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, JsonResponse
from django.urls import re_path
from django.views.decorators.http import condition

settings.configure(
    DEBUG=False,
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="not-a-secret",  # noqa: S106 - nothing is signed
    USE_TZ=True,
    APPEND_SLASH=False,
    LOGGING_CONFIG=None,
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
)
django.setup()

_SHEETS = {
    path: {"data": data, "rev": 3 + number, "at": time.time() - 9000 - 77 * number}
    for number, (path, data) in enumerate(json.loads(os.environ.get("SEED", "{}")).items())
}
_LOCK = threading.Lock()
_SLOW = float(os.environ.get("SLOW", "0"))
_SLOW_FOR = os.environ.get("SLOW_FOR", "")
_LATE = float(os.environ.get("LATE", "0"))
_LATE_ONCE = os.environ.get("LATE_ONCE", "")
_NEED = os.environ.get("NEED", "")
_PUBLISH = os.environ.get("PUBLISH", "")
_LATED = []


def _tag(request, path):
    sheet = _SHEETS.get(path)
    if sheet is None:
        return None
    text = json.dumps([path, sheet["rev"]]).encode()
    return f'"{hashlib.blake2s(text, digest_size=9).hexdigest()}"'


def _date(request, path):
    sheet = _SHEETS.get(path)
    return datetime.fromtimestamp(int(sheet["at"]), UTC) if sheet and os.environ.get("DATES") else None


def _shown(sheet):
    stamp = datetime.fromtimestamp(sheet["at"], UTC).isoformat(timespec="milliseconds")
    return {**sheet["data"], "geaendert": stamp}


def _publish(path, sheet) -> None:
    if _PUBLISH:
        target = Path(_PUBLISH) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(_shown(sheet), ensure_ascii=False), encoding="utf-8")
        target.chmod(0o644)


@condition(etag_func=_tag, last_modified_func=_date)
def _guarded(request, path):
    sheet = _SHEETS.get(path)
    if request.method in {"GET", "HEAD"}:
        if sheet is None:
            below = {key: one for key, one in _SHEETS.items() if key.startswith(path.rstrip("/") + "/")}
            if not below:
                return JsonResponse({"detail": "Nicht gefunden."}, status=404)
            return JsonResponse(
                {
                    "anzahl": len(below),
                    "blaetter": [{"pfad": key, **_shown(one)} for key, one in below.items()],
                }
            )
        return JsonResponse(_shown(sheet))
    if request.method == "DELETE":
        del _SHEETS[path]
        return HttpResponse(status=204)
    if _SLOW and _SLOW_FOR in path:
        time.sleep(_SLOW)  # the check is done; the database takes its time
    data = {key: one for key, one in json.loads(request.body).items() if key != "geaendert"}
    with _LOCK:
        _SHEETS[path] = {"data": data, "rev": _SHEETS[path]["rev"] + 1 if sheet else 1, "at": time.time()}
        _publish(path, _SHEETS[path])
    if _LATE_ONCE and _LATE_ONCE in path and not _LATED:
        _LATED.append(path)
        time.sleep(_LATE)  # stored, and the answer takes its time
    return JsonResponse(
        _shown(_SHEETS[path]), status=200 if sheet else 201, headers={"ETag": _tag(request, path)}
    )


def _view(request, path):
    if request.method == "PUT" and _NEED and path in _SHEETS and "If-Match" not in request.headers:
        said = {
            "detail": "Zum Speichern gehört If-Match mit dem ETag des Lesens.",
            "code": "precondition_required",
        }
        return JsonResponse(said, status=int(_NEED))
    return _guarded(request, path)


def _ready(request):
    return HttpResponse("ok", content_type="text/plain")


for _path, _sheet in _SHEETS.items():
    _publish(_path, _sheet)
urlpatterns = [re_path(r"^-/ready$", _ready), re_path(r"^(?P<path>.+)$", _view)]
application = get_wsgi_application()
