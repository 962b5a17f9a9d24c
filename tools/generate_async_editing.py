"""Write `src/ifmatch/client/async_editing.py` from `editing.py`: one source for both kinds of client.

python tools/generate_async_editing.py [--check]
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "src" / "ifmatch" / "client"
SOURCE, TARGET = FOLDER / "editing.py", FOLDER / "async_editing.py"
_METHODS = "edit|create|delete|read|download|_run|_work|_update|_perform|_exchange|_known|_remember|work"
# What is waited for: a method of the client, its transport, its lanes, its ports.
_WAITED = (
    r"self\._(?:run|work|update|perform|exchange|known|remember|sleep|lanes\.run|transport\.(?:exchange|wrote))\("
    r"|ports\.call_store\("
)
_WORDS = (
    (r"\bfrom ifmatch\.client import ports\b", "from ifmatch.client import async_ports as ports"),
    (r"\bifmatch\.client\.ports\b", "ifmatch.client.async_ports"),
    (r"\.lanes\(\)", ".async_lanes()"),
    (r"\bTransport\b", "AsyncTransport"),
    (r"\bclass Client\b", "class AsyncClient"),
    (r'"Client"', '"AsyncClient"'),
    (r"Callable\[\[float\], None\]", "Callable[[float], Awaitable[None]]"),
    (r"import Callable, Sequence", "import Awaitable, Callable, Sequence"),
    (r"\bhttpx2, httpx or requests\b", "httpx2, httpx or aiohttp"),
    (r"\bwith self\._transport\.stream", "async with self._transport.stream"),
    (r"\bfor piece in body\.pieces", "async for piece in body.pieces"),
    (
        r"the state that is there, and written only onto it\.",
        "the state that is there; the twin of `Client`.",
    ),
)


def generated() -> str:
    """Return the asynchronous twin."""
    text = SOURCE.read_text("utf-8")
    text = re.sub(rf"^(\s+)def ({_METHODS})\(", r"\1async def \2(", text, flags=re.MULTILINE)
    text = re.sub(rf"(?<!await )({_WAITED})", r"await \1", text)
    text = re.sub(r"self\._perform\((.*)\)\.state$", r"(self._perform(\1)).state", text, flags=re.MULTILINE)
    text = re.sub(r"= await \(", "= (await ", text)
    text = re.sub(
        r"await self\._perform\((.*)\)\.state$", r"(await self._perform(\1)).state", text, flags=re.MULTILINE
    )
    for pattern, replacement in _WORDS:
        text = re.sub(pattern, replacement, text)
    _, _, rest = text.partition("\n")
    title = '"""Edit resources through httpx2, httpx or aiohttp, asynchronously."""'
    note = "# Written by tools/generate_async_editing.py from editing.py: change that one."
    return _tidied("\n\n".join((title, note, rest.lstrip("\n"))))


def _tidied(text: str) -> str:
    ruff = str(Path(sys.executable).parent / "ruff")
    named = ["--stdin-filename", str(TARGET), "-"]
    for command in (["check", "--quiet", "--fix-only", "--select", "I,UP034"], ["format", "--quiet"]):
        text = subprocess.run(
            [ruff, *command, *named], input=text, capture_output=True, text=True, check=True
        ).stdout
    return text


def main() -> int:
    """Write the twin, or say whether it is current."""
    text = generated()
    if "--check" in sys.argv[1:]:
        return 0 if TARGET.read_text("utf-8") == text else 1
    TARGET.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
