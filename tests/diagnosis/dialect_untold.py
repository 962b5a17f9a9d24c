"""Which stories cannot be told in the language of which API family, and why."""

from __future__ import annotations

from urllib.parse import urlsplit

from untold import ANYWHERE, FORMS_OF_TOKENS, ONE_URL, RESPELT, SENT_BACK_WHOLE

from ifmatch.model.message import Content
from ifmatch.model.unknown import UNKNOWN

_BY_PATH = {"a list is told by its path", "links between records are told by their paths"}
BY_PATH = {name: why for name, why in ONE_URL.items() if why in _BY_PATH}
# Words for no version are told in every family; other damage to a token shows in its form alone.
_FORMS = FORMS_OF_TOKENS - {"null-token"}
_VERSIONS = {"version", "_version", "revision", "rev", "etag", "_etag", "lockVersion"}
_MOST = 50


def untold(story, captures, tongue):
    """Return why a story cannot be told in a family's language, "" where it can.

    Args:
        story: of ETag and If-Match.
        captures: of the view that is told.
        tongue: the family.
    """
    tables = [ANYWHERE, BY_PATH]
    if tongue.in_body:
        tables.append(SENT_BACK_WHOLE)
    if tongue.one_url:
        tables.append(ONE_URL)
    if not tongue.plain:
        tables.append(RESPELT)
        if story.wanted("all")[0] in _FORMS:
            return "what a damaged token looks like is lost when it is spelt anew"
    reason = next((table[story.name] for table in tables if story.name in table), "")
    if reason:
        return reason
    exchanges = [exchange for one in captures for exchange in one.exchanges]
    return next((why for one in exchanges if (why := _unsaid(one, tongue))), "")


def _unsaid(exchange, tongue):
    """Return what of an exchange the family has no words for, "" where it has them."""
    request, response = exchange.request, exchange.response
    if tongue.line(request.method) is None:
        return f"has no {request.method}"
    if urlsplit(request.url).query:
        return "the query belongs to the story"
    status = response.status if response is not None else 0
    if status == 428 and "missing" not in tongue.refuses:
        return "never asks for a version"
    if status == 412 and "if-match" not in request.fields:
        return "the status is the story"
    if 400 <= status < 500 and status not in {404, 410, 412, 428} and status == tongue.status:
        return "the family means a conflict by the status"
    contents = [request.content] + ([response.content] if response is not None else [])
    if UNKNOWN in contents and (tongue.in_body or tongue.shows_in_body):
        return "the version stands in a content that is not in the evidence"
    taken = tongue.members() | (set() if tongue.plain else _VERSIONS)
    if any(isinstance(one, Content) and taken & set(one.json()) for one in contents):
        return "its contents have a member of the form's name"
    return ""
