"""Messages go out and come in octet by octet; limits, budget and consent hold; failures say what happened."""

from __future__ import annotations

import contextlib
import gzip
import socket
import ssl
import threading
import time

import pytest

from ifmatch.errors import BudgetSpentError, ConsentMissingError, InputError, TargetUnreachableError
from ifmatch.model.message import Content, Fields, Request
from ifmatch.model.unknown import UNKNOWN
from ifmatch.wire import Budget, ConnectPolicy, Limits, Route, Sender, origin_of
from tests.wire.answering import Answering, answer, certificate

TYPED = ConnectPolicy(typed=True)


def sender(*, policy=TYPED, requests=20, seconds=20.0, route=None, **limits) -> Sender:
    return Sender(
        source="live",
        policy=policy,
        budget=Budget(requests, seconds, time.monotonic),
        limits=Limits(**limits),
        clock=time.monotonic,
        wall_clock=time.time,
        route=route or Route(),
    )


def get(url, *fields, method="GET", content=None) -> Request:
    return Request(method, url, Fields(fields), content)


def test_octets_order_and_case_of_fields_survive_both_ways() -> None:
    tag = '"caf\xe9\x80"'
    script = [answer(200, "eTaG:   " + tag + " ", "X-B: 1", "x-a: 2", "X-B: 3", content=b"hi")]
    with Answering(script) as server, sender() as wire:
        exchange = wire.send(get(f"{server.url}/a%20b?c=%22", ("iF-mAtCh", tag), ("X-Z", "1"), ("X-A", "2")))
        assert exchange.response.fields.pairs[:4] == (("eTaG", tag), ("X-B", "1"), ("x-a", "2"), ("X-B", "3"))
        lines = server.requests[0].split(b"\r\n")
        assert lines[0] == b"GET /a%20b?c=%22 HTTP/1.1"
        assert lines[1] == f"Host: 127.0.0.1:{server.port}".encode()
        assert lines[2:5] == [b"iF-mAtCh: " + tag.encode("latin-1"), b"X-Z: 1", b"X-A: 2"]


def test_an_exchange_holds_what_a_report_needs() -> None:
    with Answering([answer(412, 'ETag: W/"2"', content=b"{}")]) as server, sender() as wire:
        put = get(f"{server.url}/x", ("If-Match", '"1"'), method="PUT", content=Content.from_text("body"))
        exchange = wire.send(put)
        assert server.requests[0].endswith(b"\r\n\r\nbody")
        assert (exchange.status, exchange.response.reason, exchange.response.version) == (
            412,
            "X",
            "HTTP/1.1",
        )
        assert exchange.response.content.json() == {}
        assert abs(exchange.started - time.time()) < 5
        assert 0 < exchange.duration < 5
        assert (exchange.peer, exchange.connection, exchange.error) == ("127.0.0.1", "1", "")
        assert (exchange.provenance.source, exchange.provenance.entry) == ("live", 0)
        assert wire.exchanges == [exchange]


def test_connections_are_kept_unless_a_fresh_one_is_asked_for() -> None:
    with Answering([answer()] * 3, [answer()]) as server, sender() as wire:
        names = [wire.send(get(server.url), fresh=fresh).connection for fresh in (False, False, True, False)]
        assert names == ["1", "1", "2", "1"]


def test_a_read_on_a_kept_connection_that_was_closed_is_sent_again_a_write_is_not() -> None:
    with Answering([answer()], [answer(201)]) as server, sender() as wire:
        wire.send(get(server.url))
        assert wire.send(get(server.url)).status == 201
    with Answering([answer(), None], [answer(201)]) as server, sender() as wire:
        wire.send(get(server.url))
        put = wire.send(get(server.url, method="PUT", content=Content.from_text("x")))
        assert (put.status, put.error) == (0, "the connection was closed without an answer")
        assert server.connections == 1


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ([None], "the connection was closed without an answer"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"], "cut behind the head of a 200"),
        ([b"SSH-2.0-OpenSSH\r\n\r\n"], "illegal status line"),
        ([b"HTTP/1.1 200 OK\r\nX: " + b"a" * 300_000 + b"\r\n\r\n"], "too long"),
    ],
)
def test_what_is_no_whole_response_is_told(script, error) -> None:
    with Answering(script) as server, sender() as wire:
        exchange = wire.send(get(server.url))
        assert exchange.response is None
        assert error in exchange.error


def test_silence_ends_at_the_limit() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, sender(seconds=0.3) as wire:
        exchange = wire.send(get(f"http://127.0.0.1:{silent.getsockname()[1]}/"))
        assert exchange.error == "no answer in time"


class Dripping(Answering):
    """Send the script's octets, then one octet after the other for ever."""

    def _serve(self, connection, script) -> None:
        connection.recv(65536)
        connection.sendall(script[0])
        while True:
            connection.sendall(script[1])
            # The pace: far below any timeout of a single receive, and never the end of the wait in the test.
            threading.Event().wait(0.02)


@pytest.mark.parametrize(
    "octets",
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n", b"a"),
        (b"HTTP/1.1 200 OK\r\nX: ", b"a"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
        (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    ],
    ids=["content", "head", "chunks", "interim answers"],
)
def test_an_answer_that_drips_ends_at_the_limit(octets) -> None:
    with Dripping(octets) as server, sender(seconds=0.4, requests=2) as wire:
        assert wire.send(get(server.url)).error.endswith("no answer in time")


def test_content_is_decoded_within_limits() -> None:
    small, bomb = gzip.compress(b"text"), gzip.compress(bytes(300_000_000))
    coded = [answer(200, "Content-Encoding: gzip", content=octets) for octets in (small, bomb)]
    with Answering(coded) as server, sender() as wire:
        assert wire.send(get(server.url)).response.content.text == "text"
        assert wire.send(get(server.url)).response.content is UNKNOWN
    with Answering([answer(content=b"a" * 5000)]) as server, sender(content=1000) as wire:
        assert not wire.send(get(server.url)).response.content.complete


def test_an_answer_before_the_content_was_read_counts() -> None:
    big = Content.from_octets(bytes(20_000_000))

    class Hasty(Answering):
        def _serve(self, connection, script) -> None:
            connection.recv(1000)
            connection.sendall(script[0])
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(1 << 20):
                pass

    with Hasty([answer(412)]) as server, sender() as wire:
        assert wire.send(get(server.url, method="PUT", content=big)).status == 412


@pytest.mark.parametrize(
    "request_",
    [
        get("http://127.0.0.1:1/", ("If-Match", '"a"\r\nX-Evil: 1')),
        get("http://127.0.0.1:1/", ("If-Match\r\nX", "1")),
        get("http://127.0.0.1:1/", ("If-Match", "a\0b")),
        get("http://127.0.0.1:1/\r\nX: 1"),
        get("http://127.0.0.1:1/", method="GET /x HTTP/1.1\r\nX:"),
    ],
)
def test_line_breaks_never_leave(request_) -> None:
    with sender() as wire, pytest.raises((InputError, TargetUnreachableError)):
        wire.send(request_)


def test_text_beyond_latin_1_goes_as_utf_8() -> None:
    with Answering([answer()]) as server, sender() as wire:
        wire.send(get(f"{server.url}/\u20ac", ("X-Name", "\u20ac")))
        assert b"GET /%E2%82%AC HTTP/1.1" in server.requests[0]
        assert b"X-Name: \xe2\x82\xac" in server.requests[0]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "::1",
        "::ffff:10.0.0.1",
        "fe80::1%lo",
        "0.0.0.0",
        "224.0.0.1",
        # IPv4 within IPv6: translated, relayed, compatible.
        "64:ff9b::10.0.0.1",
        "2002:a00:1::1",
        "::10.0.0.1",
        "::ffff:0:10.0.0.1",
        # What is local to a site, and what is shared behind a carrier's translation.
        "fec0::1",
        "fd00:ec2::254",
        "100.64.0.1",
    ],
)
def test_a_target_from_a_file_must_be_public(address) -> None:
    policy = ConnectPolicy()
    with pytest.raises(ConsentMissingError, match="--allow-host internal"):
        policy.check("internal", address)
    ConnectPolicy(allowed=frozenset({"internal"})).check("INTERNAL", address)
    ConnectPolicy(typed=True).check("internal", address)


def test_a_public_address_needs_no_consent() -> None:
    ConnectPolicy().check("example.org", "93.184.216.34")
    ConnectPolicy().check("example.org", "2606:2800:220:1::1")
    ConnectPolicy().check("example.org", "64:ff9b::93.184.216.34")


def test_the_policy_is_asked_about_the_address_that_the_name_leads_to() -> None:
    route = Route(addresses=(("public.example", 80, ("127.0.0.1",)),))
    with (
        sender(policy=ConnectPolicy(), route=route) as wire,
        pytest.raises(ConsentMissingError, match="public"),
    ):
        wire.send(get("http://public.example/"))


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", ["169.254.169.254", "internal.invalid", "named.example"])
def test_a_proxy_is_not_asked_for_what_may_not_be_connected_to(scheme, host) -> None:
    """A proxy stands within; what it would connect to counts, not where it stands."""
    known = (("named.example", {"http": 80, "https": 443}[scheme], ("10.0.0.1",)),)
    allowed = frozenset({"127.0.0.1"})
    with Answering([answer()]) as proxy:
        route = Route(proxy=f"127.0.0.1:{proxy.port}", addresses=known)
        with (
            sender(policy=ConnectPolicy(allowed=allowed), route=route) as wire,
            pytest.raises(ConsentMissingError, match=f"--allow-host {host}"),
        ):
            wire.send(get(f"{scheme}://{host}/"))
        assert proxy.connections == 0
        with sender(policy=ConnectPolicy(allowed=allowed | {host}), route=route) as wire:
            assert wire.send(get(f"http://{host}/")).status == 200


def test_the_budget_ends_a_run() -> None:
    with Answering([answer()] * 9) as server, sender(requests=2) as wire:
        wire.send(get(server.url))
        wire.send(get(server.url))
        with pytest.raises(BudgetSpentError, match="all 2 requests"):
            wire.send(get(server.url))
        assert wire.budget.is_spent


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://example.org/", "no http or https URL"),
        ("/relative", "no http or https URL"),
        ("http://[::1/", "is no URL"),
        ("http://name.invalid/", "cannot be resolved"),
        ("http://127.0.0.1:1/", "cannot be connected to"),
    ],
)
def test_what_cannot_be_reached_says_at_which_step(url, words) -> None:
    with sender() as wire, pytest.raises(TargetUnreachableError, match=words):
        wire.send(get(url))


def test_direct_goes_to_another_address_under_the_same_name() -> None:
    with Answering([answer()]) as server, sender() as wire:
        wire.send(get("http://api.example.test/x"), route=Route(direct=("127.0.0.1", server.port)))
        assert b"Host: api.example.test\r\n" in server.requests[0]


def test_a_unix_socket_is_a_route(tmp_path) -> None:
    with Answering([answer(204)]) as server, sender() as wire:
        path = str(tmp_path / "s")
        server.close()
        server.socket = socket.socket(socket.AF_UNIX)
        server.socket.bind(path)
        server.socket.listen()
        server.thread = threading.Thread(target=server._accept, daemon=True)
        server.thread.start()
        assert wire.send(get("http://docker/x"), route=Route(unix_socket=path)).status == 204


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def server(files):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    with Answering([answer(), answer()], context=context) as made:
        yield made


class TestTls:
    def test_a_named_authority_is_trusted(self, server, files) -> None:
        with sender(route=Route(certificate_authorities=str(files[0]))) as wire:
            assert wire.send(get(server.url)).status == 200

    def test_an_unknown_certificate_is_refused_with_advice(self, server) -> None:
        with sender() as wire, pytest.raises(TargetUnreachableError, match=r"not trusted.*--cacert"):
            wire.send(get(server.url))

    def test_unchecked_when_asked_for(self, server) -> None:
        with sender(route=Route(verify=False)) as wire:
            assert wire.send(get(server.url)).status == 200

    def test_through_a_proxy(self, server, files) -> None:
        """CONNECT to the proxy, then TLS with the origin through it."""
        inside = socket.create_server(("127.0.0.1", 0))

        def tunnel() -> None:
            client, _ = inside.accept()
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(1000)
            seen.append(head)
            upstream = socket.create_connection(("127.0.0.1", server.port))
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")

            def pump(source, sink) -> None:
                # Either side may go away first.
                with contextlib.suppress(OSError):
                    while octets := source.recv(65536):
                        sink.sendall(octets)
                    sink.shutdown(socket.SHUT_WR)

            back = threading.Thread(target=pump, args=(upstream, client))
            back.start()
            pump(client, upstream)
            back.join()
            client.close()
            upstream.close()

        seen: list[bytes] = []
        thread = threading.Thread(target=tunnel)
        thread.start()
        proxy = f"http://127.0.0.1:{inside.getsockname()[1]}"
        route = Route(proxy=proxy, proxy_authorization="Basic eDp5", certificate_authorities=str(files[0]))
        with sender(route=route) as wire:
            assert wire.send(get(server.url)).status == 200
        thread.join(120)
        inside.close()
        assert seen[0].startswith(f"CONNECT 127.0.0.1:{server.port} HTTP/1.1\r\n".encode())
        assert b"Proxy-Authorization: Basic eDp5" in seen[0]


def test_a_plain_proxy_gets_the_absolute_form() -> None:
    with Answering([answer()]) as proxy, sender(route=Route(proxy=f"127.0.0.1:{proxy.port}")) as wire:
        wire.send(get("http://api.example.test/x?y=1"))
        assert proxy.requests[0].startswith(
            b"GET http://api.example.test/x?y=1 HTTP/1.1\r\nHost: api.example.test"
        )


def test_origins() -> None:
    assert origin_of("HTTPS://Api.Example:443/x").authority == "api.example"
    assert origin_of("http://[::1]:8080").authority == "[::1]:8080"
