"""Write `async_editing.py` and `async_ports.py` of `src/ifmatch/client` from `editing.py` and `ports.py`.

One source for both kinds of client.

python tools/generate_async_editing.py [--check]
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "src" / "ifmatch" / "client"
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


_PORT_WORDS = (
    (r"\ba synchronous\b", "an asynchronous"),
    (r"\bimport sys\nimport time\n", "import asyncio\nimport sys\n"),
    (r"    import httpx2\n    import requests\n", "    import aiohttp\n    import httpx2\n"),
    (r"\bhttpx2, httpx or requests\b", "httpx2, httpx or aiohttp"),
    (r"(httpx2|httpx|library)\.Client\b", r"\1.AsyncClient"),
    (r"\bmodule\.Session\b", "module.ClientSession"),
    (r"\brequests\.Session\b", "aiohttp.ClientSession"),
    (r"\brequests_session import RequestsTransport\b", "aiohttp_session import AiohttpTransport"),
    (r"\bRequestsTransport\b", "AiohttpTransport"),
    (r'"requests"', '"aiohttp"'),
    (r"needs requests", "needs aiohttp"),
    (r"(?<![A-Za-z])(Httpx)?Transport\b", r"Async\1Transport"),
    (r"For asynchronous ones use", "For synchronous ones use"),
    (r"ifmatch\.client\.AsyncClient\"", 'ifmatch.client.Client"'),
    (r"(?m)^def (call_store|sleep)\b", r"async def \1"),
    (
        r"Do something with a store of states\.",
        "Do something with a store of states, in a thread when that may block.",
    ),
    (
        r"    del store\n    return action\(\)",
        "    return await asyncio.to_thread(action) if store.blocks else action()",
    ),
    (r"\btime\.sleep\b", "await asyncio.sleep"),
)


def editing() -> str:
    """Return the asynchronous twin of the client."""
    text = (FOLDER / "editing.py").read_text("utf-8")
    text = re.sub(rf"^(\s+)def ({_METHODS})\(", r"\1async def \2(", text, flags=re.MULTILINE)
    text = re.sub(rf"(?<!await )({_WAITED})", r"await \1", text)
    text = re.sub(r"self\._perform\((.*)\)\.state$", r"(self._perform(\1)).state", text, flags=re.MULTILINE)
    text = re.sub(r"= await \(", "= (await ", text)
    text = re.sub(
        r"await self\._perform\((.*)\)\.state$", r"(await self._perform(\1)).state", text, flags=re.MULTILINE
    )
    for pattern, replacement in _WORDS:
        text = re.sub(pattern, replacement, text)
    title = '"""Edit resources through httpx2, httpx or aiohttp, asynchronously."""'
    return _tidied("editing.py", title, text)


def ports() -> str:
    """Return the asynchronous twin of the way to the libraries."""
    text = (FOLDER / "ports.py").read_text("utf-8")
    for pattern, replacement in _PORT_WORDS:
        text = re.sub(pattern, replacement, text)
    return _tidied("ports.py", text.partition("\n")[0], text)


def _tidied(source: str, title: str, text: str) -> str:
    rest = text.partition("\n")[2].lstrip("\n")
    note = f"# Written by tools/generate_async_editing.py from {source}: change that one."
    text = f"{title}\n\n{note}\n\n{rest}"
    ruff = str(Path(sys.executable).parent / "ruff")
    named = ["--stdin-filename", str(FOLDER / f"async_{source}"), "-"]
    for command in (["check", "--quiet", "--fix-only", "--select", "I,UP034"], ["format", "--quiet"]):
        text = subprocess.run(
            [ruff, *command, *named], input=text, capture_output=True, text=True, check=True
        ).stdout
    return text


TWINS = {"async_editing.py": editing, "async_ports.py": ports}


def main() -> int:
    """Write the twins, or say whether they are current."""
    current = True
    for name, generated in TWINS.items():
        target, text = FOLDER / name, generated()
        if "--check" not in sys.argv[1:]:
            target.write_text(text, "utf-8")
        elif target.read_text("utf-8") != text:
            current = False
    return 0 if current else 1


if __name__ == "__main__":
    sys.exit(main())
