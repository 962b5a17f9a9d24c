"""Real set-ups with one fault each, started for a test: the failing command, and what is true."""

from __future__ import annotations

import itertools
import json
import pathlib
import time
import urllib.request
from contextlib import ExitStack, contextmanager

from tests.programs import program
from tools.recording import components
from tools.recording.http_dates import format_http_date
from tools.recording.origin import Habits, Origin

NODE_MODULES = pathlib.Path(__file__).parents[2] / ".venvs" / "node" / "node_modules"
DOCUMENT = {"name": "Ana", "text": "lorem ipsum dolor sit amet " * 80}
# What the other writer has made of it meanwhile.
THEIRS = {**DOCUMENT, "phone": "5"}


@contextmanager
def origin(document=DOCUMENT, **habits):
    """Start a plain origin that holds /notes/7."""
    made = Origin(Habits(**habits))
    made.start()
    made.store("/notes/7", document)
    try:
        yield made
    finally:
        made.stop()


@contextmanager
def running(started):
    try:
        yield started
    finally:
        started.stop()


def read_tag(url, **fields) -> str:
    """Read as the failing program did before, and return the tag that it got."""
    request = urllib.request.Request(
        url, headers={name.replace("_", "-"): value for name, value in fields.items()}
    )
    with urllib.request.urlopen(request, timeout=120) as response:
        response.read()
        return response.headers["ETag"] or ""


class Setup:
    """A started set-up: `url` to write to, `tag` that the program read, `ports` of the nodes."""

    def __init__(self, stack, url, tag, origin=None, extra=(), *, ports=()) -> None:
        self.stack = stack
        self.url = url
        self.tag = tag
        self.origin = origin
        self.extra = tuple(extra)
        self.ports = tuple(ports)


def _behind(name, folder, start, *, coding="gzip", **habits):
    program(name)
    stack = ExitStack()
    plain = stack.enter_context(origin(**habits))
    front = stack.enter_context(running(start(folder, plain.port)))
    url = f"http://127.0.0.1:{front.port}/notes/7"
    return Setup(stack, url, read_tag(url, Accept_Encoding=coding), plain)


def nginx_gzip(folder):
    return _behind(
        "nginx",
        folder,
        lambda place, port: components.start_nginx(
            place,
            f"gzip on; gzip_types *; gzip_proxied any; location / {{ proxy_pass http://127.0.0.1:{port}; }}",
        ),
    )


def apache_deflate(folder):
    return _behind(
        "apache2",
        folder,
        lambda place, port: components.start_apache(
            place, f"AddOutputFilterByType DEFLATE application/json\nProxyPass / http://127.0.0.1:{port}/\n"
        ),
    )


def caddy_encode(folder):
    return _behind(
        "nginx",  # Caddy comes with the components; nginx stands for "programs are installed"
        folder,
        lambda place, port: components.start_caddy(place, f"encode gzip\nreverse_proxy 127.0.0.1:{port}"),
    )


def envoy_compressor(folder):
    return _behind(
        "nginx",  # as above
        folder,
        lambda place, port: components.start_envoy(place, [port], components.ENVOY_COMPRESSOR),
        require=True,
    )


def varnish_gzip(folder):
    return _behind(
        "varnishd",
        folder,
        lambda place, port: components.start_varnish(
            place, port, "sub vcl_backend_response { set beresp.do_gzip = true; set beresp.ttl = 0s; }"
        ),
    )


def nginx_cache(folder):
    program("nginx")
    stack = ExitStack()
    plain = stack.enter_context(origin())
    rules = (
        f"location / {{ proxy_pass http://127.0.0.1:{plain.port}; "
        "proxy_cache z; proxy_cache_valid 200 60s; }"
    )
    front = stack.enter_context(
        running(components.start_nginx(folder, rules, f"proxy_cache_path {folder}/cache keys_zone=z:1m;"))
    )
    url = f"http://127.0.0.1:{front.port}/notes/7"
    tag = read_tag(url)
    plain.commit("/notes/7", json.dumps(THEIRS).encode())
    return Setup(stack, url, tag, plain)


def varnish_cache(folder):
    program("varnishd")
    stack = ExitStack()
    plain = stack.enter_context(origin())
    rules = "sub vcl_backend_response { set beresp.ttl = 60s; }"
    front = stack.enter_context(running(components.start_varnish(folder, plain.port, rules)))
    url = f"http://127.0.0.1:{front.port}/notes/7"
    tag = read_tag(url)
    plain.commit("/notes/7", json.dumps(THEIRS).encode())
    return Setup(stack, url, tag, plain)


def squid_cache(folder):
    program("squid")
    stack = ExitStack()
    plain = stack.enter_context(origin(read_fields=(("Cache-Control", "public, max-age=60"),)))
    front = stack.enter_context(running(components.start_squid(folder, plain.port)))
    url = f"http://127.0.0.1:{front.port}/notes/7"
    tag = read_tag(url, Host="origin.test")
    plain.commit("/notes/7", json.dumps(THEIRS).encode())
    return Setup(stack, url, tag, plain, ("-H", "Host: origin.test"))


def weak_origin(_):
    stack = ExitStack()
    plain = stack.enter_context(origin(weak=True))
    url = f"http://127.0.0.1:{plain.port}/notes/7"
    return Setup(stack, url, read_tag(url), plain)


def two_nodes(folder):
    program("haproxy")
    stack = ExitStack()
    nodes = [
        stack.enter_context(origin(tag=lambda resource, name=name: f"{name}-{resource.version}"))
        for name in ("a1", "b2")
    ]
    # One database behind both: the content is the same, the tags are not.
    nodes[1].resources, nodes[1].lock = nodes[0].resources, nodes[0].lock
    servers = "\n".join(f"  server n{number} 127.0.0.1:{node.port}" for number, node in enumerate(nodes))
    front = stack.enter_context(
        running(
            components.start_haproxy(
                folder, "  default_backend nodes", f"backend nodes\n  balance roundrobin\n{servers}\n"
            )
        )
    )
    url = f"http://127.0.0.1:{front.port}/notes/7"
    tag = read_tag(url)
    node = nodes[0] if tag.startswith('"a1') else nodes[1]
    return Setup(stack, url, tag, node, ports=[one.port for one in nodes])


def nginx_sub_filter(folder):
    """Content is rewritten on the way, and the ETag goes; the service demands a condition."""
    rules = "sub_filter_types *; sub_filter lorem LOREM; sub_filter_once off;"
    return _stripping(folder, rules)


def nginx_hidden_etag(folder):
    return _stripping(folder, "proxy_hide_header ETag; proxy_hide_header Last-Modified;")


def nginx_stripped_condition(folder):
    return _stripping(folder, 'proxy_set_header If-Match "";')


def _stripping(folder, rules):
    return _behind(
        "nginx",
        folder,
        lambda place, port: components.start_nginx(
            place, f"location / {{ proxy_pass http://127.0.0.1:{port}; {rules} }}"
        ),
        coding="identity",
        require=True,
    )


def wrong_clock(_):
    """The server's clock is two hours ahead, and the program sends its own time as If-Unmodified-Since."""
    stack = ExitStack()
    plain = stack.enter_context(origin(date_offset=7200.0))
    url = f"http://127.0.0.1:{plain.port}/notes/7"
    return Setup(stack, url, "", plain, ("-H", f"If-Unmodified-Since: {format_http_date(time.time())}"))


def unstable(_):
    numbers = itertools.count(100)
    stack = ExitStack()
    plain = stack.enter_context(origin(tag=lambda _: f"r{next(numbers)}"))
    url = f"http://127.0.0.1:{plain.port}/notes/7"
    return Setup(stack, url, read_tag(url), plain)


def other_writer(_):
    stack = ExitStack()
    plain = stack.enter_context(origin())
    url = f"http://127.0.0.1:{plain.port}/notes/7"
    tag = read_tag(url)
    plain.commit("/notes/7", b'{"name": "Ben", "phone": "1"}')
    return Setup(stack, url, tag, plain)


def missing(folder):
    setup = other_writer(folder)
    setup.url = setup.url.replace("/7", "/8")
    return setup


def damaged(folder):
    setup = weak_origin(folder)
    setup.origin.habits = Habits()
    setup.tag = read_tag(setup.url).strip('"')
    return setup
