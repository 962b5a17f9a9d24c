"""Check an application at its start: what would refuse honest clients, by cause id.

    concerns = concerns_of_application(app, paths=["/notes/1"])

`PreconditionMiddleware` of the ASGI adapter does the part that needs no request at lifespan start-up,
`manage.py check` does that of Django, `ifmatch check module:app` does all of it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, cast

from ifmatch.server.concerns import concerns_of_stack
from ifmatch.server.probing import asking, concerns_of_answers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ifmatch.server.concerns import Concern

__all__ = ["concerns_of_application", "middleware_of"]


def middleware_of(app: object) -> list[tuple[str, dict[str, object]]]:
    """Return the middleware of a Starlette or FastAPI application: names and options, outermost first.

    Args:
        app: any application; others have none that can be seen.
    """
    listed = cast("Sequence[Any]", getattr(app, "user_middleware", ()))
    return [(getattr(one.cls, "__name__", str(one.cls)), dict(one.kwargs)) for one in listed]


def concerns_of_application(
    app: object, *, paths: Sequence[str] = (), fields: Mapping[str, str] | None = None
) -> list[Concern]:
    """Return what an application does to conditional requests; it is only read from.

    Args:
        app: speaks ASGI or WSGI.
        paths: of resources that exist, to look at their tags.
        fields: that each request carries (Authorization, ...).

    Source: RFC 9110 section 8.8.
    """
    found = concerns_of_stack(middleware_of(app)) + _concerns_of_django()
    if paths:
        with asking(app) as ask:
            for path in paths:
                found += concerns_of_answers(ask, path, fields)
    return found


def _concerns_of_django() -> list[Concern]:
    """Return what `manage.py check` says, where the application has configured Django."""
    loaded: Any = sys.modules.get("django.conf")
    if loaded is None or not loaded.settings.configured:
        return []
    from ifmatch.server.django_checks import concerns_of_settings  # noqa: PLC0415 -- an optional dependency

    return concerns_of_settings(loaded.settings)
