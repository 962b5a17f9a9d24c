"""Tell when two URLs ask for two views of one thing: a selection of members, a language, a format."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import parse_qsl, urlsplit

from ifmatch.model.late import late_pattern

_VIEW = late_pattern(
    r"\$?(?:select|fields?|expand|populate|include|exclude|embed|view|projection|format|lang|language|locale|hl|alt|mime"
    r"|api-?version|version|representation|depth|render|columns|properties|props|attributes|tz|time_?zone|units?)",
    re.IGNORECASE,
)


def is_view(name: str) -> bool:
    """Tell whether a query parameter chooses a view of a thing.

    Args:
        name: of the parameter.
    """
    return _VIEW.fullmatch(name) is not None


@lru_cache(4096)
def projection(one: str, two: str) -> tuple[str, ...]:
    """Return the parameters that choose a view and differ between two URLs; empty where more differs.

    Args:
        one: URL or resource key.
        two: another one.
    """
    first, second = urlsplit(one), urlsplit(two)
    if (first.netloc, first.path) != (second.netloc, second.path):
        return ()
    left = set(parse_qsl(first.query, keep_blank_values=True))
    right = set(parse_qsl(second.query, keep_blank_values=True))
    names = tuple(sorted({name for name, _ in left ^ right}))
    return names if all(_VIEW.fullmatch(name) for name in names) else ()
