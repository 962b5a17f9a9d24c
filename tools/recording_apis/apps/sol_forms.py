# mypy: ignore-errors
# ruff: noqa: ANN001, ANN201 - Django calls these as it will
"""A complaints desk on Django with forms, CSRF tokens and ConditionalGetMiddleware."""

from __future__ import annotations

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, JsonResponse
from django.template import engines
from django.urls import path

if not settings.configured:
    settings.configure(
        SECRET_KEY="recorded-desk",  # noqa: S106 - guards nothing
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        MIDDLEWARE=[
            "django.middleware.http.ConditionalGetMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
        ],
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    )
    django.setup()

_PAGE = """<!doctype html><html lang="nl"><title>Melding openbare ruimte</title>
<form method="post" action="/melding/nieuw">{% csrf_token %}
<label>Straat <input name="straat"></label><label>Omschrijving <textarea name="tekst"></textarea></label>
<button>Versturen</button></form><p>Wijk {{ wijk }}: {{ open }} open meldingen</p></html>
"""
_OPEN = {"noord": 14, "zuid": 9, "haven": 3}


def form(request, wijk: str):
    """Show the form of a district."""
    text = engines["django"].from_string(_PAGE).render({"wijk": wijk, "open": _OPEN[wijk]}, request)
    return HttpResponse(text)


def counts(_request):
    """Count what is open."""
    return JsonResponse(_OPEN)


def help_page(_request):
    """Show a page without a form."""
    return HttpResponse("<!doctype html><title>Uitleg</title><p>Bel 14 0118 bij spoed.</p>")


urlpatterns = [path("melding/<wijk>", form), path("api/open.json", counts), path("uitleg", help_page)]
application = get_wsgi_application()
