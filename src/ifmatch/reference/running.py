"""Run the practice server on uvicorn: in the foreground, with workers, or in a thread.

uvicorn speaks HTTP/1.1 here, on h11 always, so that octets come and go the same on every machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias, cast

from ifmatch.errors import MissingExtraError, TargetUnreachableError
from ifmatch.reference.messages import Receive, ResponseLostError, Scope, Send

if TYPE_CHECKING:
    from collections.abc import Generator
    from types import FrameType

    import uvicorn

__all__ = [
    "Application",
    "RunningServer",
    "StoppableServer",
    "address_of",
    "bind",
    "require_uvicorn",
    "running",
    "uvicorn_server",
]

Application: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

_START_SECONDS: Final = 30.0
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class StoppableServer(Protocol):
    """What is used of a uvicorn server.

    Attributes:
        started: whether it accepts connections.
        stopped_by: number of the signal that ended it, 0 for none.
    """

    started: bool
    stopped_by: int

    def end(self) -> None:
        """Ask it to end; from any thread, once it has started."""
        ...

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until it is ended."""
        ...


def bind(host: str, port: int) -> socket.socket:
    """Open the listening socket.

    Args:
        host: name or address.
        port: 0 picks a free one.

    Raises:
        TargetUnreachableError: it cannot be opened; says why.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # With its protocol named: asyncio sends without delay only on sockets that say they are TCP.
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(2048)
    except OSError as error:
        raise TargetUnreachableError(
            f"no socket can be opened there: {error.strerror or error}",
            target=f"{host}:{port}",
            advice="Choose another --port; 0 picks a free one",
        ) from error
    return listening


def address_of(listening: socket.socket) -> str:
    """Return `http://host:port` of a listening socket."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


_Transports: TypeAlias = "dict[tuple[str, int], asyncio.Transport]"


def require_uvicorn() -> None:
    """Make sure that uvicorn is there, before anything is shown or written.

    Raises:
        MissingExtraError: uvicorn is not installed.
    """
    try:
        import uvicorn  # noqa: F401, PLC0415  # pyright: ignore[reportUnusedImport] - is it there?
    except ImportError as error:
        raise MissingExtraError("serve", "The practice server") from error


def uvicorn_server(
    application: Application, *, on_start: Callable[[], None], on_stop: Callable[[], None] | None = None
) -> StoppableServer:
    """Return a uvicorn server for an application.

    Args:
        application: of ASGI.
        on_start: is called when it accepts connections.
        on_stop: is called when it is about to stop, to end answers that would go on.

    Raises:
        MissingExtraError: uvicorn is not installed.
    """
    require_uvicorn()
    import uvicorn  # noqa: PLC0415 - an extra

    transports: _Transports = {}
    config = uvicorn.Config(
        _closing_lost(application, transports),  # pyright: ignore[reportArgumentType] - narrower types
        http=_protocol(transports),
        ws="none",
        loop="asyncio",
        log_config=None,
        log_level="error",
        access_log=False,
        date_header=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
        lifespan="on",
    )
    return _server(config, on_start, on_stop)


def _closing_lost(application: Application, transports: _Transports) -> Application:
    """Return an application that ends the connection where an answer is to be lost."""

    async def closing_lost(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await application(scope, receive, send)
        except ResponseLostError:
            transport = transports.get(cast("tuple[str, int]", scope["client"]))
            if transport is not None:
                transport.close()
            # uvicorn learns of it in the next round of the loop, and then asks for no answer.
            await asyncio.sleep(0.01)

    return closing_lost


def _protocol(transports: _Transports) -> type[asyncio.Protocol]:
    """Return uvicorn's protocol on h11, which remembers its connections by the address of the client."""
    from uvicorn.protocols.http.h11_impl import H11Protocol  # noqa: PLC0415 - an extra

    class ClosingProtocol(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            if self.client is not None:
                transports[self.client] = transport

        def connection_lost(self, exc: Exception | None) -> None:
            if self.client is not None:
                transports.pop(self.client, None)
            super().connection_lost(exc)

    return ClosingProtocol


def _server(
    config: uvicorn.Config, on_start: Callable[[], None], on_stop: Callable[[], None] | None
) -> StoppableServer:
    import uvicorn  # noqa: PLC0415 - an extra

    class Server(uvicorn.Server):
        stopped_by = 0

        async def main_loop(self) -> None:
            # uvicorn's own looks ten times a second whether it is to end; here the end wakes it.
            if not self.should_exit:
                await self._ending.wait()

        def end(self) -> None:
            self.should_exit = True
            with contextlib.suppress(RuntimeError):  # the loop has ended by itself
                self._loop.call_soon_threadsafe(self._ending.set)

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            self._ending = asyncio.Event()
            self._loop = asyncio.get_running_loop()
            await super().startup(sockets)
            if self.started:
                on_start()

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            if on_stop is not None:
                on_stop()
            await super().shutdown(sockets)

        @contextlib.contextmanager
        def capture_signals(self) -> Generator[None]:
            # uvicorn's own raises the signal again at the end, before anything can be cleaned up.
            if threading.current_thread() is not threading.main_thread():
                yield
                return
            before = {number: signal.signal(number, self.handle_exit) for number in _SIGNALS}
            try:
                yield
            finally:
                for number, handler in before.items():
                    signal.signal(number, handler)

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            self.stopped_by = sig
            super().handle_exit(sig, frame)
            self.end()

    return Server(config)


@dataclass(slots=True)
class RunningServer:
    """A server in a thread of this process.

    Attributes:
        origin: `http://host:port`.
        server: of uvicorn.
        thread: in which it runs.
    """

    origin: str
    server: StoppableServer
    thread: threading.Thread

    def stop(self) -> None:
        """End the server and wait for its thread."""
        self.server.end()
        self.thread.join(_START_SECONDS)


@contextlib.contextmanager
def running(
    application: Application,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    on_stop: Callable[[], None] | None = None,
) -> Generator[RunningServer]:
    """Run an application in a thread while the block runs.

    Args:
        application: of ASGI.
        host: address to listen on.
        port: 0 picks a free one.
        on_stop: as for `uvicorn_server`.

    Raises:
        MissingExtraError: uvicorn is not installed.
        TargetUnreachableError: the socket cannot be opened, or the server does not start.
    """
    started = threading.Event()
    server = uvicorn_server(application, on_start=started.set, on_stop=on_stop)
    listening = bind(host, port)
    origin = address_of(listening)
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listening]}, name="ifmatch-serve", daemon=True
    )
    thread.start()
    run = RunningServer(origin, server, thread)
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not started.wait(0.05):
            if not thread.is_alive() or time.monotonic() > deadline:
                raise TargetUnreachableError("the server did not start", target=origin)
        yield run
    finally:
        run.stop()
        listening.close()
