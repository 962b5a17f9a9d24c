"""Checks for `manage.py check`: what in the settings of Django would refuse honest clients, by cause id.

    INSTALLED_APPS = [..., "ifmatch.server.django_checks.PreconditionChecks"]

The id of a message is `ifmatch.<cause>`, for SILENCED_SYSTEM_CHECKS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from django.apps import AppConfig
from django.conf import settings as django_settings
from django.core import checks

from ifmatch.server.concerns import Concern

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["PreconditionChecks", "concerns_of_settings"]

_OURS: Final = "ifmatch.server.django.PreconditionMiddleware"
_GZIP: Final = "django.middleware.gzip.GZipMiddleware"
_CONDITIONAL_GET: Final = "django.middleware.http.ConditionalGetMiddleware"
_CORS: Final = "corsheaders.middleware.CorsMiddleware"


class PreconditionChecks(AppConfig):
    """Register the checks.

    Source: RFC 9110 section 8.8.3.
    """

    # Not the package: Django would import its module of models.
    name = "ifmatch.server.django_checks"
    label = "ifmatch"
    verbose_name = "Conditional requests"

    def ready(self) -> None:
        """Register; Django calls it."""
        checks.register(_check, "ifmatch")


def _check(app_configs: object, **_: object) -> list[checks.CheckMessage]:
    del app_configs
    return [
        (checks.Error if concern.is_certain else checks.Warning)(
            f"{concern.where}: {concern.text}.", hint=f"{concern.fix}.", id=f"ifmatch.{concern.cause}"
        )
        for concern in concerns_of_settings(django_settings)
    ]


def concerns_of_settings(settings: Any) -> list[Concern]:
    """Return what the settings do to conditional requests.

    Args:
        settings: of Django.

    Source: RFC 9110 section 8.8.3.3; the Fetch Standard, CORS protocol.
    """
    middleware = cast("Sequence[str]", list(settings.MIDDLEWARE))
    found: list[Concern] = []
    if _GZIP in middleware:
        text = (
            "it turns strong tags weak on what it compresses, and If-Match with a weak tag is false:"
            " browsers and most client libraries ask for gzip"
        )
        fix = "Take it out and compress at the edge, or leave conditional routes out of compression"
        found.append(
            Concern(cause="etag-weakened", where="GZipMiddleware", text=text, fix=fix, is_certain=True)
        )
    if _CONDITIONAL_GET in middleware:
        text = (
            "it makes a tag of the octets of each answer that has none; no write knows that tag, and octets"
            " made anew for each request (a CSRF token, a time) change it"
        )
        fix = "Give the routes that are written to tags of their own, with a precondition on GET too"
        found.append(
            Concern(
                cause="etag-source-mismatch",
                where="ConditionalGetMiddleware",
                text=text,
                fix=fix,
                is_certain=False,
            )
        )
    if _CORS in middleware and _OURS not in middleware[: middleware.index(_CORS)]:
        found += _of_cors(settings)
    return found


def _of_cors(settings: Any) -> list[Concern]:
    found: list[Concern] = []
    fix = f"Put {_OURS} in front of it in MIDDLEWARE"
    if "etag" not in _lower(getattr(settings, "CORS_EXPOSE_HEADERS", ())):
        text = "ETag is not exposed, so the script of a page reads null and sends If-Match: null or nothing"
        hint = f'{fix}, or set CORS_EXPOSE_HEADERS = ["ETag"]'
        found.append(
            Concern(cause="cors-hidden-etag", where="CorsMiddleware", text=text, fix=hint, is_certain=True)
        )
    if "if-match" not in _lower(getattr(settings, "CORS_ALLOW_HEADERS", ())):
        text = "If-Match is not allowed in a preflight, so the browser does not send the write at all"
        hint = f'{fix}, or add "if-match" to CORS_ALLOW_HEADERS'
        found.append(
            Concern(cause="cors-hidden-etag", where="CorsMiddleware", text=text, fix=hint, is_certain=True)
        )
    return found


def _lower(names: Sequence[str]) -> set[str]:
    return {name.lower() for name in names}
