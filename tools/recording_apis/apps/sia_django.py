"""Articles in several languages on Django, guarded by its ``condition`` decorator."""

# The frameworks live in an environment of their own, where mypy does not look.
# mypy: ignore-errors

from __future__ import annotations

import hashlib
import json
import os
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.utils import translation
from django.views.decorators.http import condition

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="not-a-secret",  # noqa: S106 - nothing is signed
    USE_I18N=True,
    LANGUAGE_CODE="de",
    MIDDLEWARE=["django.middleware.locale.LocaleMiddleware"],
    LANGUAGES=[("de", "Deutsch"), ("fr", "Français"), ("it", "Italiano")],
)
ARTICLES = json.loads(os.environ["SIA"])["docs"]


def _tag(_request: HttpRequest, name: str) -> str | None:
    if name not in ARTICLES:
        return None
    shown = json.dumps([ARTICLES[name], translation.get_language()], sort_keys=True)
    return f'"{hashlib.md5(shown.encode(), usedforsecurity=False).hexdigest()}"'


def _shown(name: str, spoken: str) -> dict[str, Any]:
    article = ARTICLES[name]
    return {
        "name": name,
        "title": article["title"][spoken],
        "price": article["price"],
        "stock": article["stock"],
    }


@condition(etag_func=_tag)
def article(request: HttpRequest, name: str) -> HttpResponse:
    """Read, replace or remove an article."""
    spoken = translation.get_language()
    if request.method == "PUT":
        sent = json.loads(request.body)
        held = ARTICLES.setdefault(name, {"title": {}, "price": 0, "stock": 0})
        held["title"][spoken] = sent["title"]
        held.update(price=sent["price"], stock=sent["stock"])
        answer = JsonResponse(_shown(name, spoken), json_dumps_params={"ensure_ascii": False})
        answer["ETag"] = _tag(request, name)
        return answer
    if name not in ARTICLES:
        return JsonResponse({"detail": "Not found."}, status=404)
    return JsonResponse(_shown(name, spoken), json_dumps_params={"ensure_ascii": False})


def articles(_request: HttpRequest) -> HttpResponse:
    """List the articles."""
    return JsonResponse({"articles": sorted(ARTICLES)})


def ready(_request: HttpRequest) -> HttpResponse:
    """Say that the server is up."""
    return HttpResponse("ok", content_type="text/plain")


urlpatterns = [path("healthz", ready), path("articles/", articles), path("articles/<str:name>", article)]
application = get_wsgi_application()
