"""Where vin's stories play."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.ports import free_port
from tools.recording_apis import servers
from tools.recording_apis.stories.vic_setting import at_once, drops, open_box, rest, sure

if TYPE_CHECKING:
    from tools.recording_apis.servers import Server
    from tools.recording_apis.stage import Stage

__all__ = ["at_once", "drops", "node_app", "open_box", "pick", "rest", "stamp", "sure", "whole_second"]

_APPS = Path(__file__).resolve().parents[1] / "apps"


def stamp(ago: float = 0.0, form: str = "%Y-%m-%dT%H:%M:%SZ") -> str:
    """Return the time so many seconds ago."""
    return time.strftime(form, time.gmtime(time.time() - ago))


def whole_second() -> None:
    """Wait for the beginning of a second."""
    time.sleep(1.02 - time.time() % 1)


def pick(fields: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return some fields."""
    return {name: fields[name] for name in names if name in fields}


def node_app(stage: Stage, script: str, package: str, probe: str) -> Server:
    """Start a script of Node.js beside the applications, with a tap before it."""
    port, directory = free_port(), stage.directory()
    command = [servers.program("node"), str(_APPS / script), str(port)]
    told = subprocess.run(
        [command[0], "--version"], capture_output=True, check=True, text=True
    ).stdout.strip()
    version = f"{package} {servers._node_version(package)} on Node.js {told[1:]}"  # noqa: SLF001
    made = servers._run(  # noqa: SLF001
        command, port, directory, version, probe=probe, environment={"NODE_PATH": str(servers.NODE_MODULES)}
    )
    return stage.adopt(package, made, recorded=True)
