"""Ask other packages what they answer on a case; None when they do not know the fields of the case."""

from __future__ import annotations

from typing import Any

import django
import etag as etag_package
from django.conf import settings
from django.http import HttpRequest
from django.utils.cache import get_conditional_response
from werkzeug.http import parse_etags
from werkzeug.sansio.http import is_resource_modified

from tests.core.rfc9110_cases import when

if not settings.configured:
    settings.configure()
    django.setup()

TAG_FIELDS = {"if-match", "if-none-match"}
DATE_FIELDS = {"if-modified-since", "if-unmodified-since"}
RANGE_FIELDS = {"if-range", "range"}


def _lines(case: dict[str, Any]) -> dict[str, list[str]]:
    lines: dict[str, list[str]] = {}
    for name, value in case["request"]["fields"]:
        lines.setdefault(name.lower(), []).append(value)
    return lines


def _environ(lines: dict[str, list[str]]) -> dict[str, str]:
    # As WSGI servers do: lines joined by a comma, white space around them left out.
    joined = {name: ",".join(value.strip(" \t") for value in values) for name, values in lines.items()}
    return {"HTTP_" + name.upper().replace("-", "_"): value for name, value in joined.items()}


def _is_for_them(case: dict[str, Any], lines: dict[str, list[str]], known: set[str]) -> bool:
    conditions = set(lines) & (TAG_FIELDS | DATE_FIELDS | RANGE_FIELDS)
    creates = case.get("creates", case["request"]["method"] == "PUT")
    # That a missing resource is a 404 first is left to the caller of these packages.
    # They read their own clock, so a two-digit year has no stable answer.
    if "now" in case:
        return False
    return bool(conditions) and conditions <= known and (case["current"] is not None or creates)


def etag(case: dict[str, Any]) -> int | str | None:
    lines = _lines(case)
    if not _is_for_them(case, lines, TAG_FIELDS):
        return "not applicable"
    current = case["current"]
    return etag_package.evaluate_preconditions(
        case["request"]["method"],
        None if current is None else current["etag"],
        if_match=lines.get("if-match"),
        if_none_match=lines.get("if-none-match"),
        exists=current is not None,
    )


def django_condition(case: dict[str, Any]) -> int | str | None:
    lines = _lines(case)
    if not _is_for_them(case, lines, TAG_FIELDS | DATE_FIELDS):
        return "not applicable"
    request = HttpRequest()
    request.method = case["request"]["method"]
    request.META = _environ(lines)
    current = case["current"] or {"etag": None, "last_modified": None}
    modified = current["last_modified"]
    response = get_conditional_response(
        request,
        etag=current["etag"],
        last_modified=None if modified is None else int(when(modified).timestamp()),
    )
    return None if response is None else response.status_code


def werkzeug(case: dict[str, Any]) -> int | str | None:
    lines = _lines(case)
    if not _is_for_them(case, lines, TAG_FIELDS | {"if-modified-since"}) or case["current"] is None:
        return "not applicable"
    if case["request"]["method"] not in ("GET", "HEAD"):
        return "not applicable"  # werkzeug evaluates nothing on other methods
    environ = _environ(lines)
    current = case["current"]
    modified = is_resource_modified(
        http_if_none_match=environ.get("HTTP_IF_NONE_MATCH"),
        http_if_match=environ.get("HTTP_IF_MATCH"),
        http_if_modified_since=environ.get("HTTP_IF_MODIFIED_SINCE"),
        etag=current["etag"],
        last_modified=None if current["last_modified"] is None else when(current["last_modified"]),
    )
    if modified:
        return None
    # As werkzeug.wrappers.Response.make_conditional does.
    return 412 if parse_etags(environ.get("HTTP_IF_MATCH")) else 304


PEERS = {"etag": etag, "django": django_condition, "werkzeug": werkzeug}
