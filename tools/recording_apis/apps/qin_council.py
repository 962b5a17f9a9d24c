"""A town council's permits on Django: forms with a hidden version, tokens against forgery, pages as errors.

Environment besides that of ``qin_core``: WORDS (de, fr, en); CONFLICT, the status of a page about a conflict.
HABITS: demand, editlock (whoever opens the form holds the permit), ignore.
"""

from __future__ import annotations

import os
import secrets
from html import escape

import django
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path

from tools.recording_apis.apps.qin_core import HABITS, Row, Rows, setting

settings.configure(
    SECRET_KEY="not-a-secret",  # noqa: S106 - a practice service on loopback
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
)
django.setup()
ROWS = Rows()
HELD: dict[str, str] = {}
_WORDS = {
    "de": (
        "Antrag",
        (
            "Der Antrag wurde inzwischen von {by} geändert (Version {now}, Ihre Version {sent})."
            " Bitte laden Sie ihn neu."
        ),
        "Es fehlt die Versionsangabe (lock_version).",
        "Der Antrag wird gerade von {by} bearbeitet.",
    ),
    "fr": (
        "Dossier",
        "Le dossier a été modifié entre-temps par {by} (version {now}, la vôtre {sent}).",
        "Le champ lock_version est obligatoire.",
        "Le dossier est en cours de modification par {by}.",
    ),
    "en": (
        "Permit",
        "This permit was changed by {by} after you opened it (now version {now}, yours {sent}).",
        "lock_version is required.",
        "This permit is being edited by {by}.",
    ),
}


def _page(status: int, inner: str) -> HttpResponse:
    title = _WORDS[setting("WORDS", "en")][0]
    return HttpResponse(
        f"<!doctype html>\n<html><head><meta charset='utf-8'><title>{title}</title></head>"
        f"<body>\n{inner}\n</body></html>\n",
        status=status,
    )


def _user(request: HttpRequest) -> str:
    return request.COOKIES.get("clerk", "guest")


def up(_: HttpRequest) -> HttpResponse:
    """Say that the service is there."""
    return HttpResponse("up")


def login(request: HttpRequest) -> HttpResponse:
    """Let a clerk in."""
    if request.method == "GET":
        return _page(200, "<form method='post'><input name='clerk'><input name='pin' type='password'></form>")
    answer = HttpResponseRedirect("/permits")
    answer.set_cookie("clerk", request.POST["clerk"], httponly=True)
    return answer


def index(_: HttpRequest) -> HttpResponse:
    """List the permits."""
    lines = [
        f"<li><a href='/permits/{key}'>{key}</a> {escape(str(row.data.get('subject', '')))}"
        for key, row in ROWS.listed("").items()
    ]
    return _page(200, "<ul>\n" + "\n".join(lines) + "\n</ul>")


def _details(key: str, row: Row) -> str:
    lines = "".join(f"<dt>{name}</dt><dd>{escape(str(value))}</dd>" for name, value in row.data.items())
    return (
        f"<h1>{key}</h1><dl>{lines}</dl><p class='meta'>Version {row.version}, {row.by}, {row.stamp(0)}</p>"
    )


def _form(key: str, row: Row) -> str:
    fields = "".join(
        f"<label>{name} <input name='{name}' value='{escape(str(value))}'></label>\n"
        for name, value in row.data.items()
    )
    hidden = f"<input type='hidden' name='csrfmiddlewaretoken' value='{secrets.token_hex(16)}'>"
    hidden += f"<input type='hidden' name='lock_version' value='{row.version}'>"
    return f"<form method='post' action='/permits/{key}/edit'>{hidden}\n{fields}<button>OK</button></form>"


def show(_: HttpRequest, key: str) -> HttpResponse:
    """Show a permit."""
    row = ROWS.seen(key)
    return _page(404, f"<p>{key}?</p>") if row is None else _page(200, _details(key, row))


def remove(_: HttpRequest, key: str) -> HttpResponse:
    """Delete a permit."""
    ROWS.drop(key)
    return HttpResponseRedirect("/permits")


def edit(request: HttpRequest, key: str) -> HttpResponse:
    """Show the form of a permit, or take it."""
    words, user = _WORDS[setting("WORDS", "en")], _user(request)
    with ROWS.guard():
        row = ROWS.truth(key)
        if row is None:
            return _page(404, f"<p>{key}?</p>")
        if "editlock" in HABITS and HELD.setdefault(key, user) != user:
            return _page(423, f"<p class='error'>{words[3].format(by=HELD[key])}</p>")
        if request.method == "GET":
            return _page(200, _form(key, row))
        sent = request.POST.get("lock_version")
        if not sent and "demand" in HABITS:
            return _page(int(setting("NEED", "422")), f"<p class='error'>{words[2]}</p>")
        if sent is not None and sent != str(row.version) and "ignore" not in HABITS:
            text = words[1].format(by=row.by, now=row.version, sent=escape(sent))
            return _page(int(setting("CONFLICT", "409")), f"<p class='error'>{text}</p>{_details(key, row)}")
        ROWS.pause()
        kept = {
            name: value
            for name, value in request.POST.dict().items()
            if name not in {"lock_version", "csrfmiddlewaretoken"}
        }
        ROWS.write(key, {**row.data, **kept}, user)
        HELD.pop(key, None)
    ROWS.tarry()
    return HttpResponseRedirect(f"/permits/{key}")


urlpatterns = [
    path("-/up", up),
    path("login", login),
    path("permits", index),
    path("permits/<str:key>", show),
    path("permits/<str:key>/edit", edit),
    path("permits/<str:key>/delete", remove),
]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "")
from django.core.wsgi import get_wsgi_application  # noqa: E402 - after the settings

application = get_wsgi_application()
