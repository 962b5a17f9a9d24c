"""Fixtures for pytest, found by themselves once ifmatch is installed.

- `ifmatch_server`: a `ScriptedServer` on a socket, as new for each test;
- `ifmatch_application`: the same as an ASGI application, without a socket.

The mark `ifmatch_quirk("weak-only")` makes both wrong in that way for one test.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

    from ifmatch.reference.scripted import ScriptedServer

__all__ = ["ifmatch_application", "ifmatch_server"]


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known."""
    config.addinivalue_line(
        "markers", "ifmatch_quirk(name, ...): make the servers of ifmatch wrong in these ways"
    )


@pytest.fixture(scope="session")
def _ifmatch_running() -> Generator[ScriptedServer]:
    # Imported here: the plugin is loaded in every run of pytest, and most runs need no server.
    from ifmatch.reference.scripted import practice_server  # noqa: PLC0415 - as said

    with practice_server() as server:
        yield server


@pytest.fixture
def ifmatch_server(
    request: pytest.FixtureRequest, _ifmatch_running: ScriptedServer
) -> Generator[ScriptedServer]:
    """Return a practice server on a socket, in its first state; one for all tests, reset for each."""
    _ifmatch_running.reset()
    with ExitStack() as stack:
        _apply_marks(request, _ifmatch_running, stack)
        yield _ifmatch_running


@pytest.fixture
def ifmatch_application(request: pytest.FixtureRequest) -> Generator[ScriptedServer]:
    """Return a practice server as an ASGI application."""
    from ifmatch.reference.scripted import ScriptedServer  # noqa: PLC0415 - as said

    server = ScriptedServer()
    with ExitStack() as stack:
        _apply_marks(request, server, stack)
        yield server


def _apply_marks(request: pytest.FixtureRequest, server: ScriptedServer, stack: ExitStack) -> None:
    node: pytest.Item = request.node
    mark = node.get_closest_marker("ifmatch_quirk")
    if mark is not None:
        stack.enter_context(server.quirk(*(str(name) for name in mark.args)))
