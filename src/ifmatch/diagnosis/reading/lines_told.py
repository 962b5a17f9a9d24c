"""Tell whether a text of lines has what a form asked for: `place 4` or `place: 4` for `place=4`; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Sequence

# By how much a count of versions goes on where others write.
_LITTLE: Final = 20


def lines_tell(text: str, asked: object) -> bool:
    """Tell whether each value that a form has stands in a line of a text, after its name.

    Args:
        text: as it was shown.
        asked: values of the form by their names; any other value for none.
    """
    if not isinstance(asked, dict) or not asked:
        return False
    form = {str(name): str(value) for name, value in cast("dict[object, object]", asked).items()}
    told = {
        name: re.findall(rf"(?m)^[ \t]*{re.escape(name)}[ \t]*[:= \t][ \t]*\"?([^\"\r\n]*?)\"?[ \t]*$", text)
        for name in form
    }
    others = [name for name, value in form.items() if value not in told[name]]
    if len(others) == len(form) or len(others) > 1:
        return False
    # What counts the versions has gone on.
    return all(_counted_on(str(form[name]), told[name]) for name in others)


def _counted_on(value: str, told: Sequence[str]) -> bool:
    return (
        len(told) == 1 and value.isdigit() and told[0].isdigit() and 0 < int(told[0]) - int(value) <= _LITTLE
    )
