"""A help desk on Django, in memory: tickets with a lock version in the content, contacts, editing tokens.

Environment: ``CONFLICT`` the status that tells of another lock version (409); ``TTL`` seconds that an editing
token lives; ``TAGS=1`` guards by entity-tags as well; ``CACHE`` the Cache-Control of reads.
"""

# The frameworks live in an environment of their own, where mypy does not look.
# mypy: ignore-errors

from __future__ import annotations

import copy
import json
import os
import secrets
import time
from typing import Any

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

settings.configure(
    SECRET_KEY="recorded-for-tests",  # noqa: S106 - guards nothing
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=["django.middleware.http.ConditionalGetMiddleware"],
    USE_TZ=True,
)
django.setup()

_TICKETS: dict[int, dict[str, Any]] = {
    number: {
        "id": number,
        "subject": subject,
        "state": "open",
        "assignee": None,
        "tags": ["imported"],
        "lock_version": number % 7,
        "updated_by": "mailgate",
    }
    for number, subject in (
        (4711, "Printer jams"),
        (4712, "VPN drops"),
        (4713, "New badge"),
        (4720, "Phone dead"),
    )
}
_CONTACTS: list[dict[str, str]] = [
    {"id": "c1", "email": "kim@north.example", "name": "Kim Berg", "phone": "100"},
    {"id": "c2", "email": "kim@north.example", "name": "K. Berg", "phone": "101"},
    {"id": "c3", "email": "ola@north.example", "name": "Ola Dahl", "phone": "102"},
]
_TOKENS: dict[str, float] = {}


def _error(status: int, code: str, message: str, **more: Any) -> JsonResponse:
    return JsonResponse({"error": code, "message": message, **more}, status=status)


def _who(request: HttpRequest) -> str:
    return request.COOKIES.get("hd_agent", "api")


def ready(_: HttpRequest) -> HttpResponse:
    """Say that the service is up."""
    return HttpResponse("ready")


def sign_in(request: HttpRequest) -> HttpResponse:
    """Start a session and lead to the list."""
    made = HttpResponse(status=302, headers={"Location": "/helpdesk/tickets/?state=open"})
    made.set_cookie("hd_session", secrets.token_hex(16), httponly=True, samesite="Lax")
    made.set_cookie("hd_agent", request.POST.get("agent", "api"))
    return made


def listing(request: HttpRequest) -> HttpResponse:
    """Return tickets, a page at a time; Django's middleware makes the tag."""
    state, page = request.GET.get("state"), int(request.GET.get("page", "1"))
    found = [one for one in _TICKETS.values() if state in {None, one["state"]}]
    size = int(request.GET.get("per_page", "50"))
    made = JsonResponse(
        {"tickets": found[(page - 1) * size : page * size], "count": len(found), "page": page}
    )
    made["Cache-Control"] = os.environ.get("CACHE", "private, max-age=0, must-revalidate")
    return made


def _shown(ticket: dict[str, Any], status: int = 200) -> JsonResponse:
    made = JsonResponse({"ticket": ticket}, status=status)
    if os.environ.get("TAGS"):
        made["ETag"] = f'"tk{ticket["id"]}-{ticket["lock_version"]}"'
    made["Cache-Control"] = os.environ.get("CACHE", "private, max-age=0, must-revalidate")
    return made


def _save(request: HttpRequest, ticket: dict[str, Any], sent: dict[str, Any]) -> HttpResponse:
    known = sent.pop("lock_version", None)
    if os.environ.get("TAGS") and "If-Match" in request.headers:
        if request.headers["If-Match"] not in {"*", _shown(ticket)["ETag"]}:
            return _error(412, "precondition_failed", "The ticket has been updated since you opened it")
    elif known is None:
        return _error(422, "lock_version_missing", "lock_version must be specified")
    elif known != ticket["lock_version"]:
        text = f"Attempted to update a stale ticket: lock_version {known}"
        told = {"current_lock_version": ticket["lock_version"], "updated_by": ticket["updated_by"]}
        return _error(int(os.environ.get("CONFLICT", "409")), "stale_object", text, **told)
    ticket.update(sent, lock_version=ticket["lock_version"] + 1, updated_by=_who(request))
    return _shown(ticket)


def _patched(request: HttpRequest, ticket: dict[str, Any]) -> HttpResponse:
    draft = copy.deepcopy(ticket)
    for place, step in enumerate(json.loads(request.body)):
        name = step["path"].lstrip("/")
        if step["op"] == "test" and draft.get(name) != step["value"]:
            text = f"operations[{place}]: test of {step['path']} failed"
            return _error(412, "patch_test_failed", text, expected=step["value"])
        if step["op"] in {"add", "replace"}:
            draft[name] = step["value"]
        elif step["op"] == "remove":
            draft.pop(name, None)
    ticket.update(draft, lock_version=ticket["lock_version"] + 1, updated_by=_who(request))
    return _shown(ticket)


def ticket(request: HttpRequest, number: int) -> HttpResponse:
    """Read, save, patch or close a ticket."""
    found = _TICKETS.get(number)
    if found is None:
        return _error(404, "not_found", f"Ticket {number} does not exist")
    if request.method == "GET":
        return _shown(found)
    if token := request.headers.get("X-Edit-Token"):
        if _TOKENS.get(token, 0.0) < time.time():
            text = f"The edit token has expired; tokens live {os.environ.get('TTL')} s"
            return _error(412, "edit_token_expired", text)
        sent = json.loads(request.body)
        return _save(request, found, {**sent, "lock_version": found["lock_version"]})
    if request.content_type == "application/json-patch+json":
        return _patched(request, found)
    return _save(request, found, json.loads(request.body))


def edit(request: HttpRequest, number: int) -> HttpResponse:
    """Issue an editing token."""
    token = secrets.token_urlsafe(18)
    lifetime = float(os.environ.get("TTL", "600"))
    _TOKENS[token] = time.time() + lifetime
    return JsonResponse(
        {"ticket": number, "edit_token": token, "expires_in": lifetime, "by": _who(request)}, status=201
    )


def contacts(request: HttpRequest) -> HttpResponse:
    """Find contacts, or update the one that the criteria name."""
    email = request.GET.get("email")
    found = [one for one in _CONTACTS if email in {None, one["email"]}]
    if request.method == "GET":
        return JsonResponse({"total": len(found), "contacts": found})
    if len(found) > 1:
        text = f"update by criteria: email={email} matches {len(found)} contacts, one is needed"
        return _error(412, "multiple_matches", text, ids=[one["id"] for one in found])
    if not found:
        found = [{"id": f"c{len(_CONTACTS) + 1}", "email": email}]
        _CONTACTS.extend(found)
    found[0].update(json.loads(request.body))
    return JsonResponse(found[0])


urlpatterns = [
    path("-/ready", ready),
    path("helpdesk/login", sign_in),
    path("helpdesk/tickets/", listing),
    path("helpdesk/tickets/<int:number>.json", ticket),
    path("helpdesk/tickets/<int:number>/edit-token", edit),
    path("helpdesk/contacts", contacts),
]
application = get_wsgi_application()
