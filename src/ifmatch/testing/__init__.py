"""Test code that writes under preconditions: a server in this process, conflicts on demand, no sleeps.

    from ifmatch.testing import practice_server

    def test_my_client_keeps_both_changes():
        with practice_server(document={"note": "a", "visits": 0}) as server:
            server.conflict()                      # somebody else is faster than the next write
            my_client.set_note(server.url, "b")
            assert server.document() == {"note": "b", "visits": 1}

For code that takes an ASGI application, `ScriptedServer()` is one and needs no socket. pytest finds the
fixture `ifmatch_server` by itself; see `ifmatch.pytest_plugin`.
"""

from __future__ import annotations

from ifmatch.reference.journal import Event
from ifmatch.reference.scripted import ScriptedServer, practice_server
from ifmatch.reference.surroundings import Surroundings

__all__ = ["Event", "ScriptedServer", "Surroundings", "practice_server"]
