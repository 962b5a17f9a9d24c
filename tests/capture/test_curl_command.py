"""curl commands are read as the request that curl itself sends; three shells, every browser's copy."""

from __future__ import annotations

import pathlib
import shlex
import socket
import subprocess
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ifmatch.capture.commands.shell_words import Shell, UnclosedQuoteError, split_words, which_shell
from ifmatch.capture.curl_command import parse_arguments, parse_command
from ifmatch.errors import InputError
from tests.programs import program

FILES = {
    "body.json": b'{"a":\r\n 1}\n',
    "name.txt": b"two words",
    "headers.txt": b"X-One: 1\nX-Two: 2\n",
    "tag": b'"kept"\n',
    "curlrc": b'# ours\nrequest = "PUT"\nheader = "X-From: \\"file\\""\n-s\ndata-raw: hello\n',
    "page.html": b"<p>\x00\xff</p>",
}


def read_file(name):
    try:
        return FILES[pathlib.PurePath(name).name]
    except KeyError:
        raise InputError("there is no such file", source=name) from None


def parse(text):
    return parse_command(text, read_file=read_file, boundary="BOUNDARY")


def one(text):
    (operation,) = parse(text).operations
    return operation


class Recorder:
    """Answer one request a connection and keep what came, octet by octet."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.requests: list[bytes] = []
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                octets = b""
                while b"\r\n\r\n" not in octets:
                    octets += connection.recv(65536)
                head, _, body = octets.partition(b"\r\n\r\n")
                if b"expect: 100-continue" in head.lower():
                    connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                if b"transfer-encoding: chunked" in head.lower():
                    while not body.endswith(b"0\r\n\r\n"):
                        body += connection.recv(65536)
                else:
                    length = next(
                        (
                            int(line.split(b":")[1])
                            for line in head.lower().split(b"\r\n")
                            if line.startswith(b"content-length:")
                        ),
                        0,
                    )
                    while len(body) < length:
                        body += connection.recv(65536)
                self.requests.append(head + b"\r\n\r\n" + body)
                connection.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")

    def close(self) -> None:
        # `close` alone does not wake a thread that waits in `accept`.
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(120)


@pytest.fixture(scope="module")
def recorder():
    made = Recorder()
    yield made
    made.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("curl")
    for name, octets in FILES.items():
        (path / name).write_bytes(octets)
    return path


COMMANDS = [
    "curl URL",
    "curl URL/a?b=c",
    "curl -sSikX PUT URL -H 'If-Match: \"abc\"'",
    "curl -X DELETE URL -H If-Match:*",
    "curl -d a=1 -d b=2 URL",
    "curl --data-raw '@literal' URL",
    "curl --data-binary @body.json URL -H 'Content-Type: application/json'",
    "curl -d @body.json URL",
    "curl --json '{\"a\":1}' URL",
    "curl --json @body.json -X PATCH URL",
    "curl --data-urlencode 'q=a b&c' --data-urlencode '=x y' --data-urlencode name@name.txt URL",
    "curl -G -d a=1 --data-urlencode 'q=a b' URL?x=1",
    "curl -T body.json URL/file",
    "curl -T body.json URL/folder/",
    "curl -I URL",
    "curl -u name:secret URL",
    "curl -u name: --basic URL",
    "curl -A agent/1 -e http://ref.example/ -b 'a=1; b=2' -r 0-99 URL",
    "curl -H 'X-Empty;' -H 'Accept:' -H 'User-Agent: mine' URL",
    "curl -H @headers.txt URL",
    "curl --etag-compare tag URL",
    "curl -H 'If-Match: \"a\"' -H 'If-Match: \"b\"' URL",
    "curl -K curlrc URL",
    "curl --compressed URL",
    "curl URL -d $'tab\\there \\x41 \\u00e9'",
    "curl \\\n  -X PUT \\\n  -d 'two\nlines' \\\n  URL",
    "curl --oauth2-bearer token123 URL",
    "curl -o /dev/null -w '%{http_code}' -m 5 --connect-timeout 3 --retry 0 URL",
    "curl -F 'a=1' -F 'f=@page.html' -F 'j={\"x\":1};type=application/json' --form-string 's=@no;x' URL",
    "curl --request PATCH --header X-A:1 URL",
    "curl -z 'Tue, 01 Jul 2025 10:00:00 GMT' URL",
    "curl -XPOST -Hcontent-type:text/plain -dhello URL",
    "curl URL --url URL/second",
]
OWN = {"host", "content-length", "expect", "connection"}


def parts(octets):
    head, _, body = octets.partition(b"\r\n\r\n")
    start, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = start.split(" ")
    fields = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    boundary = next((v.partition("boundary=")[2] for n, v in fields if "boundary=" in v), "")
    if boundary:
        body = body.replace(boundary.encode(), b"BOUNDARY")
        fields = [(name, value.replace(boundary, "BOUNDARY")) for name, value in fields]
    return method, target, fields, body


@pytest.mark.parametrize("command", COMMANDS)
def test_the_request_is_the_one_that_curl_sends(command, recorder, folder) -> None:
    curl = program("curl")
    base = f"http://127.0.0.1:{recorder.port}"
    text = command.replace("URL", base)
    before = len(recorder.requests)
    done = subprocess.run(
        ["bash", "-c", text.replace("curl", f"{shlex.quote(curl)} -q --noproxy '*'", 1)],
        cwd=folder,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    sent = [parts(octets) for octets in recorder.requests[before:]]
    read = parse(text)
    assert read.warnings == ()
    assert len(read.operations) == len(sent)
    for operation, (method, target, fields, body) in zip(read.operations, sent, strict=True):
        assert operation.method == method
        path = operation.url.removeprefix(base) or "/"
        assert (path if path.startswith("/") else f"/{path}") == target
        mine = [(name.lower(), value) for name, value in operation.fields]
        added = {"user-agent", "accept"} - {name for name, _ in mine} - operation.removed
        theirs = [(n.lower(), v) for n, v in fields if n.lower() not in OWN | added]
        assert {name for name, _ in theirs} == {name for name, _ in mine}
        if "accept-encoding" in dict(mine):  # what curl was built with
            theirs = [(n, v) for n, v in theirs if n != "accept-encoding"]
            mine = [(n, v) for n, v in mine if n != "accept-encoding"]
        assert sorted(theirs) == sorted(mine)
        assert (operation.content or b"") == body


BROWSERS = {
    "chrome-bash": (
        "curl 'https://api.example.test/notes/7?x=1&y=2' \\\n  -X 'PUT' \\\n  -H 'accept: */*' \\\n"
        "  -H 'if-match: \"abc\"' \\\n  -H 'content-type: application/json' \\\n"
        '  --data-raw $\'{"t":"it\\\'s"}\''
    ),
    "chrome-cmd": (
        'curl ^"https://api.example.test/notes/7?x=1^&y=2^" ^\n  -X ^"PUT^" ^\n  -H ^"accept: */*^" ^\n'
        '  -H ^"if-match: ^\\^"abc^\\^"^" ^\n  -H ^"content-type: application/json^" ^\n'
        '  --data-raw ^"^{^\\^"t^\\^":^\\^"it\'s^\\^"^}^"'
    ),
    "chrome-cmd-before-2023": (
        'curl "https://api.example.test/notes/7?x=1&y=2" ^\n  -X "PUT" ^\n  -H "accept: */*" ^\n'
        '  -H "if-match: \\"abc\\"" ^\n  -H "content-type: application/json" ^\n'
        '  --data-raw "{\\"t\\":\\"it\'s\\"}"'
    ),
    "powershell": (
        "curl.exe `\n  'https://api.example.test/notes/7?x=1&y=2' `\n  -X PUT `\n  -H 'accept: */*' `\n"
        "  -H 'if-match: \"abc\"' `\n  -H 'content-type: application/json' `\n"
        "  --data-raw '{\"t\":\"it''s\"}'"
    ),
    "firefox": (
        "curl 'https://api.example.test/notes/7?x=1&y=2' -X PUT -H 'accept: */*' -H 'if-match: \"abc\"' "
        "-H 'content-type: application/json' --data-raw $'{\"t\":\"it\\u0027s\"}'"
    ),
    "safari": (
        "curl 'https://api.example.test/notes/7?x=1&y=2' \\\n-X 'PUT' \\\n-H 'accept: */*' \\\n"
        "-H 'if-match: \"abc\"' \\\n-H 'content-type: application/json' \\\n"
        '--data-binary $\'{"t":"it\\\'s"}\''
    ),
    "prompt": (
        "user@host:~/x$ /usr/bin/curl -XPUT -H accept:*/* -H 'if-match: \"abc\"' "
        "-H 'content-type: application/json' -d '{\"t\":\"it'\\''s\"}' "
        "'https://api.example.test/notes/7?x=1&y=2' 2>&1 | tee out.txt"
    ),
}


@pytest.mark.parametrize("text", BROWSERS.values(), ids=BROWSERS)
def test_what_browsers_copy_is_the_same_request(text) -> None:
    read = one(text)
    assert (read.method, read.url) == ("PUT", "https://api.example.test/notes/7?x=1&y=2")
    assert read.fields == (("accept", "*/*"), ("if-match", '"abc"'), ("content-type", "application/json"))
    assert read.content == b'{"t":"it\'s"}'


@pytest.mark.parametrize(
    ("text", "shell"),
    [(BROWSERS["chrome-cmd"], Shell.CMD), (BROWSERS["powershell"], Shell.POWERSHELL)]
    + [(BROWSERS[name], Shell.POSIX) for name in ("chrome-bash", "firefox", "safari", "prompt")],
)
def test_the_shell_is_told_from_the_text(text, shell) -> None:
    assert which_shell(text) is shell


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=1))
def test_words_quoted_by_the_standard_library_come_back(words) -> None:
    """shlex.join is undone, whatever the words hold."""
    assert split_words(shlex.join(words), Shell.POSIX) == [word.replace("\r\n", "\n") for word in words]


@given(st.text(max_size=200))
def test_any_text_gives_words_or_an_unclosed_quote(text) -> None:
    """Nothing else happens, for any shell."""
    places = []
    for shell in Shell:
        try:
            split_words(text, shell)
        except UnclosedQuoteError as error:
            places.append(error.position)
    assert all(0 <= place <= len(text) for place in places)


def test_options_that_shape_the_connection() -> None:
    read = one(
        "curl --resolve api.test:443:10.0.0.1,[::1] --connect-to ::origin:8443 -x http://proxy:3128 -k "
        "--cacert ca.pem --cert me.pem --key key.pem --http2 -L --unix-socket /run/x.sock https://api.test/"
    )
    assert read.resolve == (("api.test", 443, ("10.0.0.1", "::1")),)
    assert read.connect_to == (("", "", "origin", "8443"),)
    assert (read.proxy, read.insecure, read.follow, read.http_version) == (
        "http://proxy:3128",
        True,
        True,
        "2",
    )
    assert (read.certificate_authorities, read.client_certificate, read.client_key) == (
        "ca.pem",
        "me.pem",
        "key.pem",
    )
    assert read.unix_socket == "/run/x.sock"


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("curl --frobnicate https://a.test", "--frobnicate: unknown option"),
        ("curl -H 'Authorization: Bearer $TOKEN' https://a.test", "$TOKEN in --header is a variable"),
        ("curl https://a.test/{b,c}", "holds a pattern of curl"),
        ("curl https://a.test --request-target /x", "--request-target is not kept"),
    ],
)
def test_what_is_not_kept_is_a_warning(text, warning) -> None:
    assert any(warning in said for said in parse(text).warnings)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("curl -H 'If-Match: x https://a.test", "the quote ' is never closed"),
        ("curl -X", "option -X lacks its argument"),
        ("curl", "there is no URL"),
        ("curl -d x", "there is no URL"),
        ("curl -d @nowhere https://a.test", "there is no such file"),
        ("curl -F broken https://a.test", "has no ="),
    ],
)
def test_what_cannot_be_read_says_what_to_do(text, words) -> None:
    with pytest.raises(InputError) as caught:
        parse(text)
    assert words in str(caught.value)


def test_next_and_several_urls_are_several_operations() -> None:
    read = parse("curl -X PUT https://a.test/1 --next -d x https://a.test/2 https://a.test/3")
    assert [(each.method, each.url[-1]) for each in read.operations] == [
        ("PUT", "1"),
        ("POST", "2"),
        ("POST", "3"),
    ]


def test_a_configuration_that_names_itself_ends() -> None:
    with pytest.raises(InputError, match="without end"):
        parse_arguments(["-K", "loop"], read_file=lambda name: f"config = {name}".encode(), boundary="B")
