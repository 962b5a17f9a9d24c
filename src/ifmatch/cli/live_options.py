"""The options of verbs that ask a live server, and the sender that they describe."""

from __future__ import annotations

import os
import random
import secrets
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from ifmatch.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ifmatch.capture.curl_command import CurlCommand, Operation
    from ifmatch.doctor.failing import Failing
    from ifmatch.wire import Budget, Route, Sender

__all__ = [
    "LiveOptions",
    "VerbBeforeCommand",
    "at_one_place",
    "command_behind",
    "connection_options",
    "failing_of_command",
    "live_options",
    "make_budget",
    "make_sender",
    "read_file",
]

_Function = TypeVar("_Function", bound="Callable[..., Any]")
_LARGEST_FILE: Final = 64 * 1024 * 1024
_REQUESTS: Final = 12
_COMMAND: Final = "ifmatch.command"
_PROGRAMS: Final = ("curl", "curl.exe", "http", "https")


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveOptions:
    """What the user allowed and named.

    Attributes:
        live: whether captures are followed by questions to the server.
        send: whether the failing request itself is sent.
        requests: budget, None for the default one.
        seconds: budget.
        status: what the failing request was answered, as the user says.
        direct: `NAME=HOST:PORT`, hops or nodes to compare.
        resolve: `HOST:PORT:ADDRESS`.
        via_proxy: URL of a proxy.
        origin: of the script, for a browser's questions.
        base: file with what the program read when it got the token, "" when it is not known.
        allow_host: hosts that captures may lead to although they are not public.
        headers: `Name: value`, credentials above all.
        use_captured_auth: whether the capture's credentials are sent.
        method: for a URL.
        data: for a URL.
        cacert: file of certificate authorities.
        insecure: whether certificates are not checked.
    """

    live: bool = False
    send: bool = False
    requests: int | None = None
    seconds: float = 30.0
    status: int = 412
    direct: tuple[str, ...] = ()
    resolve: tuple[str, ...] = ()
    via_proxy: str = ""
    origin: str = ""
    base: str = ""
    allow_host: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    use_captured_auth: bool = False
    method: str = ""
    data: str | None = None
    cacert: str = ""
    insecure: bool = False


def live_options(function: _Function) -> _Function:
    """Add the options of asking; the function takes them by name, for one `LiveOptions`."""
    return _with(function, [*_asking(), *_connecting()])


def connection_options(function: _Function) -> _Function:
    """Add the options of connecting alone, for verbs that write at one place."""
    direct = click.option(
        "--direct", metavar="NAME=HOST:PORT", multiple=True,
        help="Write there: past a cache or proxy, or at one of several nodes.",
    )  # fmt: skip
    return _with(function, [direct, *_connecting()])


def _with(function: _Function, options: Sequence[Callable[[_Function], _Function]]) -> _Function:
    for option in reversed(options):
        function = option(function)
    return function


def _asking() -> list[Callable[[Any], Any]]:
    return [
        click.option("--live", is_flag=True, help="Ask the server, too: GET, HEAD and OPTIONS only."),
        click.option("--send", is_flag=True, help="Send the failing request itself, once."),
        click.option("--direct", metavar="NAME=HOST:PORT", multiple=True,
                     help="A hop or node to ask by itself and to compare; repeat it."),
        click.option("--resolve", metavar="HOST:PORT:ADDRESS", multiple=True, help="As curl's option."),
        click.option("--origin", metavar="ORIGIN", default="", help="Ask as a script of this origin would."),
        click.option("--base", metavar="FILE", default="",
                     help="The version that the edit was made on, when no recording holds it."),
    ]  # fmt: skip


def _connecting() -> list[Callable[[Any], Any]]:
    return [
        click.option("-H", "--header", "headers", metavar="FIELD", multiple=True,
                     help="A header field to send, such as 'Authorization: ...'."),
        click.option("--use-captured-auth", is_flag=True, help="Send the capture's own credentials."),
        click.option("--method", metavar="METHOD", default="",
                     help="Of the request at a URL.  [default: PUT]"),
        click.option("--data", metavar="TEXT", help="Its content; @FILE for that of a file."),
        click.option("--status", metavar="CODE", type=click.IntRange(100, 599), default=412,
                     show_default=True, help="Of the failing request, when it is not sent."),
        click.option("--budget", "requests", metavar="N", type=click.IntRange(1, 500),
                     help="Most requests of a live run.  [default: 12, and 4 more for each hop to compare]"),
        click.option("--seconds", metavar="S", type=click.FloatRange(0.1, 3600), default=30.0,
                     show_default=True, help="Most seconds of a live run."),
        click.option("--allow-host", metavar="HOST", multiple=True,
                     help="A host of a capture that is not public and may be asked all the same."),
        click.option("--via-proxy", metavar="URL", default="", help="Connect through an HTTP proxy."),
        click.option("--cacert", metavar="FILE", default="", help="Certificate authorities to trust."),
        click.option("--insecure", is_flag=True, help="Do not check certificates."),
    ]  # fmt: skip


class VerbBeforeCommand(click.Command):
    """A verb behind whose options the command of another program may stand."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep such a command as it is: its options are not ours."""
        for position, word in enumerate(args):
            words = _command_words(args[position:]) if word == "--" or not position else None
            if words is not None:
                ctx.meta[_COMMAND] = tuple(words)
                return super().parse_args(ctx, args[:position])
        return super().parse_args(ctx, args)


def command_behind() -> tuple[str, ...]:
    """Return the words of the other program's command that stood behind the verb, none without one."""
    words: tuple[str, ...] = click.get_current_context().meta.get(_COMMAND, ())
    return words


def _command_words(words: Sequence[str]) -> list[str] | None:
    """Return the words of a command of another program, None when they are none.

    Args:
        words: everything behind the verb and its options.
    """
    rest = [word for word in words if word != "--"] if words[:1] == ["--"] else list(words)
    if rest and Path(rest[0]).name in _PROGRAMS and not (len(rest) == 1 and Path(rest[0]).exists()):
        return rest
    return None


def read_file(name: str, /) -> bytes:
    """Read a file that a command names; `-` is standard input.

    Raises:
        InputError: it cannot be read.
    """
    if name == "-":
        return sys.stdin.buffer.read(_LARGEST_FILE)
    try:
        with Path(name).expanduser().open("rb") as stream:
            return stream.read(_LARGEST_FILE)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", source=name) from error


def _parsed(words: Sequence[str]) -> CurlCommand:
    from ifmatch.capture.commands.httpie_command import curl_words
    from ifmatch.capture.curl_command import parse_arguments

    boundary = secrets.token_hex(16)
    program, *arguments = words
    if Path(program).name in {"http", "https"}:
        arguments = curl_words(arguments, secure=Path(program).name == "https")
    return parse_arguments(arguments, read_file=read_file, boundary=boundary)


def failing_of_command(words: Sequence[str], options: LiveOptions, say: Callable[[str], None]) -> Failing:
    """Return the failing request of a command or of a URL with `--method`, `--header` and `--data`.

    Args:
        words: program and arguments, or one URL.
        options: of the verb.
        say: is told what of the command is not kept.

    Raises:
        InputError: the command cannot be understood.
        click.UsageError: an option of the verb stands behind the command.
    """
    from ifmatch.doctor import from_operation

    if len(words) == 1 and "://" in words[0]:
        arguments = ["curl", "-X", options.method or "PUT", words[0]]
        arguments += [part for header in options.headers for part in ("-H", header)]
        arguments += ["--data-binary", options.data] if options.data is not None else []
        words = arguments
    elif options.headers:
        words = [*words, *(part for header in options.headers for part in ("-H", header))]
    parsed = _parsed(words)
    _refuse_own_options(parsed.warnings)
    for warning in parsed.warnings:
        say(f"ifmatch: warning: {warning}")
    operation = parsed.operations[-1]
    if len(parsed.operations) > 1:
        say(f"ifmatch: warning: {len(parsed.operations)} requests in this command; the last one counts")
    return with_route(from_operation(_connected(operation, options), options.status), options)


def _refuse_own_options(warnings: Sequence[str]) -> None:
    # An option at the end of the line would be lost, and its value would be taken for another URL.
    context = click.get_current_context(silent=True)
    own = {name for param in context.command.params for name in param.opts} if context else set[str]()
    for warning in warnings:
        option, _, rest = warning.partition(":")
        if option in own and "unknown option" in rest and context:
            raise click.UsageError(
                f"{option} stands behind the command. What is for ifmatch goes before it: "
                f"{context.command_path} {option} ... -- curl ..."
            )


def _connected(operation: Operation, options: LiveOptions) -> Operation:
    return replace(
        operation,
        insecure=operation.insecure or options.insecure,
        certificate_authorities=operation.certificate_authorities or options.cacert,
        proxy=options.via_proxy or operation.proxy or _proxy_of_environment(operation.url),
    )


def _proxy_of_environment(url: str) -> str:
    from urllib.parse import urlsplit
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(url)
    if (
        not parts.hostname
        or proxy_bypass(parts.hostname)
        or parts.hostname in {"localhost", "127.0.0.1", "::1"}
    ):
        return ""
    return getproxies().get(parts.scheme, "")


def with_route(failing: Failing, options: LiveOptions) -> Failing:
    """Return the failing request with the route that the options describe.

    Raises:
        click.UsageError: `--resolve` is none.
    """
    addresses = list(failing.route.addresses)
    for value in options.resolve:
        host, _, rest = value.partition(":")
        port, _, address = rest.partition(":")
        if not port.isdigit() or not address:
            raise click.UsageError(f"--resolve {value}: expected HOST:PORT:ADDRESS")
        addresses.append((host, int(port), tuple(address.split(","))))
    route = replace(
        failing.route,
        addresses=tuple(addresses),
        proxy=failing.route.proxy or options.via_proxy,
        verify=failing.route.verify and not options.insecure,
        certificate_authorities=failing.route.certificate_authorities or options.cacert,
    )
    return replace(failing, route=route)


def at_one_place(failing: Failing, options: LiveOptions) -> Failing:
    """Return the failing request with the route of `--direct`, as it is without one.

    Raises:
        click.UsageError: more than one place is named, or a value is none.
    """
    if len(options.direct) > 1:
        raise click.UsageError("--direct: a write goes to one place; name one hop or node.")
    return next((replace(failing, route=one) for one in hop_routes(failing, options).values()), failing)


def hop_routes(failing: Failing, options: LiveOptions) -> dict[str, Route]:
    """Return the route of each `--direct`.

    Raises:
        click.UsageError: a value is none.
    """
    routes: dict[str, Route] = {}
    for value in options.direct:
        name, equals, place = value.partition("=")
        host, _, port = place.rpartition(":")
        if not equals or not name or not host or not port.isdigit():
            raise click.UsageError(f"--direct {value}: expected NAME=HOST:PORT")
        routes[name] = replace(failing.route, direct=(host.strip("[]"), int(port)), proxy="")
    return routes


def make_budget(options: LiveOptions) -> Budget:
    """Return the budget of a run; it begins now."""
    from ifmatch.wire import Budget

    return Budget(_most_requests(options), options.seconds, time.monotonic)


def make_sender(
    options: LiveOptions, *, typed: bool, source: str = "live", budget: Budget | None = None
) -> Sender:
    """Return a sender within the budget.

    Args:
        options: of the verb.
        typed: whether the target stands on the command line, not in a file.
        source: name of its exchanges in reports.
        budget: shared with other senders, None for one of its own.

    Raises:
        MissingExtraError: the extra `live` is not installed.
    """
    from ifmatch.wire import ConnectPolicy, Limits, Sender

    return Sender(
        source=source,
        policy=ConnectPolicy(typed=typed, allowed=frozenset(host.lower() for host in options.allow_host)),
        budget=budget or make_budget(options),
        limits=Limits(),
        clock=time.monotonic,
        wall_clock=time.time,
    )


def _most_requests(options: LiveOptions) -> int:
    """Return how many requests may go out: naming hops asks for their answers."""
    if options.requests is not None:
        return options.requests
    from ifmatch.doctor.hops import REQUESTS_EACH

    return _REQUESTS + (REQUESTS_EACH * (len(options.direct) + 1) if options.direct else 0)


def nonce() -> str:
    """Return a text that no cache has seen."""
    return f"{random.getrandbits(48):012x}{os.getpid():x}"
