"""Serve until a signal comes: in this process, or with several processes on one socket."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import tempfile
import time
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from ifmatch.errors import IfmatchError, TargetUnreachableError
from ifmatch.reference.application import PracticeServer
from ifmatch.reference.journal import Journal, SharedJournal
from ifmatch.reference.options import ServeOptions, open_store
from ifmatch.reference.quirks import behaviours
from ifmatch.reference.running import address_of, bind, uvicorn_server

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from multiprocessing.context import SpawnProcess
    from types import FrameType

    from ifmatch.reference.options import OpenStore

__all__ = ["build", "serve"]

_START_SECONDS: Final = 60.0


class _Pipe(Protocol):
    """One end of a pipe to another process; its class has another name on each system."""

    def poll(self, timeout: float) -> bool: ...

    def recv(self) -> object: ...

    def send(self, obj: object) -> None: ...


_STOP_SECONDS: Final = 5.0


def build(options: ServeOptions, opened: OpenStore, *, journal: Path | None = None) -> PracticeServer:
    """Return the application for options.

    Args:
        options: of the server.
        opened: its store.
        journal: file that several processes share, None for a journal of this process.
    """
    return PracticeServer(
        store=opened.store,
        options=options,
        quirks=behaviours(options.quirks, rate=options.quirk_rate),
        journal=Journal() if journal is None else SharedJournal(journal),
        on_end=opened.close,
    )


def serve(options: ServeOptions, *, on_ready: Callable[[str], None]) -> int:
    """Serve until SIGINT or SIGTERM.

    Args:
        options: of the server.
        on_ready: gets the URL of the resource when requests are accepted.

    Returns:
        The number of the signal.

    Raises:
        InputError: an option cannot be used.
        MissingExtraError: uvicorn or the client of the store is not installed.
        StoreUnavailableError: the store cannot be opened.
        TargetUnreachableError: the socket cannot be opened, or a worker does not start.
    """
    behaviours(options.quirks)
    listening = bind(options.host, options.port)
    url = address_of(listening) + options.path
    with listening:
        if options.workers == 1:
            return _serve_here(options, listening, lambda: on_ready(url))
        with tempfile.TemporaryDirectory(prefix="ifmatch-journal-") as folder:
            workers = _Workers(options, listening, Path(folder) / "journal.sqlite")
            return workers.run(lambda: on_ready(url))


def _serve_here(
    options: ServeOptions,
    listening: socket.socket,
    on_start: Callable[[], None],
    journal: Path | None = None,
) -> int:
    application = build(options, open_store(options.store), journal=journal)
    server = uvicorn_server(application, on_start=on_start, on_stop=application.journal.close)
    with contextlib.suppress(SystemExit):  # uvicorn's word for a start that failed
        server.run(sockets=[listening])
    if not server.started:
        raise TargetUnreachableError(
            "the server did not start", target=address_of(listening), advice="See what it said above"
        )
    return server.stopped_by


def _work(options: ServeOptions, listening: socket.socket, journal: Path, said: _Pipe) -> None:
    """Be one worker: serve, and say when it can."""
    try:
        _serve_here(options, listening, lambda: said.send(""), journal)
    except IfmatchError as error:
        said.send(str(error))
    except KeyboardInterrupt:
        return


@dataclass(slots=True)
class _Workers:
    options: ServeOptions
    listening: socket.socket
    journal: Path

    def run(self, on_ready: Callable[[], None]) -> int:
        stopped = _Stopped()
        with stopped:
            started = [self._start() for _ in range(self.options.workers)]
            processes = [process for process, _ in started]
            try:
                self._await([said for _, said in started], processes)
                on_ready()
                while not stopped.by:
                    ended = wait([process.sentinel for process in processes], timeout=0.2)
                    if ended and not stopped.by:
                        raise TargetUnreachableError(
                            "a worker ended by itself", target=address_of(self.listening)
                        )
            finally:
                self._stop(processes)
        return stopped.by

    def _start(self) -> tuple[SpawnProcess, _Pipe]:
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe(duplex=False)
        process = context.Process(
            target=_work, args=(self.options, self.listening, self.journal, there), daemon=True
        )
        process.start()
        there.close()
        return process, here

    def _await(self, said: list[_Pipe], processes: list[SpawnProcess]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        for connection, process in zip(said, processes, strict=True):
            text = "it took too long"
            try:
                if connection.poll(max(0.0, deadline - time.monotonic())):
                    text = str(connection.recv())
            except EOFError:
                text = f"it ended with status {process.exitcode}"
            if text:
                raise TargetUnreachableError(
                    f"a worker did not start: {text}", target=address_of(self.listening)
                )

    @staticmethod
    def _stop(processes: list[SpawnProcess]) -> None:
        for process in processes:
            process.terminate()
        deadline = time.monotonic() + _STOP_SECONDS
        for process in processes:
            process.join(max(0.1, deadline - time.monotonic()))
            if process.is_alive():
                process.kill()
                process.join()


class _Stopped:
    """Take SIGINT and SIGTERM while the block runs."""

    def __init__(self) -> None:
        self.by = 0

    def _take(self, number: int, frame: FrameType | None) -> None:
        del frame
        self.by = number

    def __enter__(self) -> None:
        self._before = {
            number: signal.signal(number, self._take) for number in (signal.SIGINT, signal.SIGTERM)
        }

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
