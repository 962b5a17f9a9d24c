"""Read the method that a POST means, where its client or something on the way lets no other one pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ifmatch.model.message import Request

_FIELDS: Final = ("x-http-method-override", "x-http-method", "x-method-override")
# MERGE is what OData called PATCH before RFC 5789.
_MEANT: Final = {"PUT": "PUT", "PATCH": "PATCH", "MERGE": "PATCH", "DELETE": "DELETE"}


def method_of(request: Request) -> str:
    """Return the method of a request, of a POST the one that a field names in its place.

    Args:
        request: as seen.

    Source: OData 2.0 (X-HTTP-Method), learn.microsoft.com SharePoint REST, Google APIs
        (X-HTTP-Method-Override).
    """
    if request.method != "POST":
        return request.method
    named = next((value for name in _FIELDS if (value := request.fields.text(name)) is not None), "")
    return _MEANT.get(named.strip().upper(), request.method)
