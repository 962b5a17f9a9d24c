"""Read how API families read, write and refuse, and fill in what their messages say.

`dialect_damages.toml` holds how a family reads and writes, `dialect_refusals.toml` how it refuses.
"""

from __future__ import annotations

import base64
import json
import pathlib
import re
import tomllib
from urllib.parse import quote_plus

# Fields without a content: lines of a name and a value, the last one ended as well.
_ALONE = re.compile(r"\n*(?:[A-Za-z][\w-]*: ?[^\n]*\n)+")
_OPEN = re.compile(r"<[a-z]+(?:\+1)?>")
_HERE = pathlib.Path(__file__).parent


def families():
    """Return the forms of all families, in the order of the file; a family may have two."""
    return tomllib.loads((_HERE / "dialect_damages.toml").read_text("utf-8"))["family"]


def refusals():
    """Return how families refuse, patch and delete, by family."""
    return tomllib.loads((_HERE / "dialect_refusals.toml").read_text("utf-8"))


def filled(text, version, state, guard="", name="7", **more):
    """Return a form with what it leaves open.

    Args:
        text: the form.
        version: that stands in it.
        state: an object.
        guard: the precondition.
        name: of the thing.
        more: what else to fill in, by its name in the form.
    """
    whole = json.dumps(state)
    pairs = {
        "<t>": guard,
        "<n>": name,
        "<v>": version,
        "<v+1>": str(int(version) + 1) if version.isdigit() else "null",
        "<s>": whole,
        "<b>": base64.b64encode(whole.encode()).decode(),
        "<url>": quote_plus(whole),
        "<esc>": json.dumps(whole)[1:-1],
        **{f"<{key}>": value for key, value in _texts(state).items()},
        **{f"<{key}>": value for key, value in more.items()},
    }
    if not state:
        text = text.replace(", <m>", "").replace("<m>, ", "")
    pairs["<m>"] = whole[1:-1]
    return _OPEN.sub(lambda found: pairs.get(found[0], found[0]), text)


def _texts(state):
    """Return a state as texts of other kinds."""
    plain = {name: one if isinstance(one, str) else json.dumps(one) for name, one in state.items()}
    prose = "".join(f"<p>{name.title()}: {value}</p>" for name, value in plain.items())
    prose = f"<p>Much that stays the same for good</p>{prose}"
    called = {name: re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).upper() for name in plain}
    lines = ("BEGIN:VEVENT", *(f"X-{called[name]}:{value}" for name, value in plain.items()), "END:VEVENT")
    actions = [{"action": "setCustomField", "name": name, "value": value} for name, value in state.items()]
    return {
        "html": json.dumps(prose)[1:-1],
        "urlhtml": quote_plus(prose),
        "xml": "".join(f"<{name}>{value}</{name}>" for name, value in plain.items()),
        "ics": "\r\n".join(lines),
        "acts": json.dumps(actions),
        "mask": "&".join(f"updateMask.fieldPaths={name}" for name in state),
    }


def message(text):
    """Return the fields and content of a message: fields come first, before an empty line or alone."""
    head, found, content = text.lstrip("\n").partition("\n\n")
    if not found and not _ALONE.fullmatch(text):
        return [], text
    return [tuple(part.strip() for part in line.split(":", 1)) for line in head.splitlines() if line], content
