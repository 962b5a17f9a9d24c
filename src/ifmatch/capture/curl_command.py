"""Read a curl command as the request that curl would send; text only, nothing is run.

curl's own rules are kept: how `-d`, `--json`, `-F`, `-T`, `-G` and `-I` choose method, content and fields,
what a later option replaces and what it adds to. An unknown option is a warning, never the end.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from ifmatch.capture.commands.curl_arguments import CurlArguments, FileReader, Surroundings, collect
from ifmatch.capture.commands.curl_contents_sent import Part, encode_form, join_data, urlencoded
from ifmatch.capture.commands.shell_words import UnclosedQuoteError, split_words
from ifmatch.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["CurlCommand", "FileReader", "Operation", "parse_arguments", "parse_command"]

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_PROMPT = re.compile(
    r"(?:[^\n]{0,120}?[$#%>\u276f\u279c\u00bb][ \t]?)?[ \t]*(?=(?:\S*[/\\])?curl(?:\.exe)?[ \t\n])"
)
_NO_URL = "there is no URL in this curl command"
_EXPECTED = "curl [options] https://..."
_GLOB = re.compile(r"\{[^{}]*,[^{}]*\}|\[[0-9a-zA-Z]+-[0-9a-zA-Z]+(?::\d+)?\]")


@dataclass(frozen=True, slots=True)
class Operation:
    """One request of a command.

    Attributes:
        method: as sent.
        url: absolute.
        fields: header fields in the order of curl, without Host, User-Agent and Accept that curl adds itself.
        removed: lower-case names of fields that `-H 'Name:'` keeps curl from adding.
        content: octets; None when the request has none.
        user: `name:password` for the scheme in `scheme`, None without.
        scheme: `basic`, `digest`, `ntlm`, `negotiate`, `bearer` or `anyauth`.
        follow: whether redirects are followed, and whether to other hosts with credentials.
        trusted: whether credentials go along to other hosts.
        insecure: whether the certificate is not checked.
        certificate_authorities: file of `--cacert`, "" when not given.
        client_certificate: file of `--cert`, "" when not given.
        client_key: file of `--key`, "" when not given.
        proxy: URL, "" when not given.
        resolve: (host, port, addresses) of `--resolve`.
        connect_to: (host, port, host, port) of `--connect-to`, parts may be "".
        unix_socket: path, "" when not given.
        http_version: `1.0`, `1.1`, `2`, `2-prior-knowledge`, `3` or "" for curl's choice.
        compressed: whether `--compressed` asks for content codings.
        seconds: of `--max-time`, None when not given.
        connect_seconds: of `--connect-timeout`, None when not given.
        etag_compare: file of `--etag-compare`, "" when not given.
        output: what `-o` names, "" when not given.
    """

    method: str
    url: str
    fields: tuple[tuple[str, str], ...] = ()
    removed: frozenset[str] = frozenset()
    content: bytes | None = None
    user: str | None = None
    scheme: str = "basic"
    follow: bool = False
    trusted: bool = False
    insecure: bool = False
    certificate_authorities: str = ""
    client_certificate: str = ""
    client_key: str = ""
    proxy: str = ""
    resolve: tuple[tuple[str, int, tuple[str, ...]], ...] = ()
    connect_to: tuple[tuple[str, str, str, str], ...] = ()
    unix_socket: str = ""
    http_version: str = ""
    compressed: bool = False
    seconds: float | None = None
    connect_seconds: float | None = None
    etag_compare: str = ""
    output: str = ""


@dataclass(frozen=True, slots=True)
class CurlCommand:
    """What a command asks for.

    Attributes:
        operations: at least one.
        warnings: what was not understood or cannot be kept, for readers.
    """

    operations: tuple[Operation, ...]
    warnings: tuple[str, ...] = ()


def parse_command(text: str, *, read_file: FileReader, boundary: str, source: str = "command") -> CurlCommand:
    r"""Read a command as it was copied or typed, quotes and continuation lines included.

    Args:
        text: the command; a prompt before it is passed over.
        read_file: for `@file`, `-T`, `-K`.
        boundary: for `-F`; curl's is random too.
        source: name for messages.

    Raises:
        InputError: a quote is never closed, no URL is there, or a file cannot be read.
    """
    prompt = _PROMPT.match(text.lstrip())
    command = text.lstrip()[prompt.end() :] if prompt is not None else text.lstrip()
    try:
        words = split_words(command)
    except UnclosedQuoteError as error:
        raise InputError(
            f"the quote {error.quote} is never closed",
            source=source,
            offset=error.position,
            advice="Copy the command whole, with its last line",
        ) from None
    if words and re.fullmatch(r"(?:.*[/\\])?curl(?:\.exe)?", words[0]):
        words = words[1:]
    return parse_arguments(words, read_file=read_file, boundary=boundary, source=source)


def parse_arguments(
    words: Sequence[str], *, read_file: FileReader, boundary: str, source: str = "command"
) -> CurlCommand:
    """Read the arguments of curl, split already.

    Args:
        words: without the name `curl`.
        read_file: as for `parse_command`.
        boundary: as for `parse_command`.
        source: as for `parse_command`.

    Raises:
        InputError: no URL is there, an option lacks its argument, or a file cannot be read.
    """
    around = Surroundings(read_file, boundary, source)
    operations = [one for options in collect(words, around) for one in _operations(options, around)]
    if not operations:
        raise InputError(_NO_URL, source=source, expected=_EXPECTED)
    return CurlCommand(tuple(operations), tuple(around.warnings))


def _operations(options: CurlArguments, around: Surroundings) -> Iterator[Operation]:
    if not options.urls:
        raise InputError(_NO_URL, source=around.source, expected=_EXPECTED)
    shared = _shared(options)
    for number, url in enumerate(options.urls):
        upload = options.uploads[number] if number < len(options.uploads) else None
        yield _one(options, url, upload, shared, around)


def _shared(options: CurlArguments) -> Operation:
    """Return what does not depend on the URL."""
    single, flags = options.single, options.flags
    versions = ("http1.0", "http1.1", "http2", "http2-prior-knowledge", "http3", "http3-only")
    chosen = [name for name in versions if flags.get(name)]
    schemes = [name for name in ("digest", "ntlm", "negotiate", "anyauth", "basic") if flags.get(name)]
    return Operation(
        method="",
        url="",
        scheme=schemes[0] if schemes else "basic",
        user=single.get("user"),
        follow=flags.get("location", False)
        or flags.get("location-trusted", False)
        or flags.get("follow", False),
        trusted=flags.get("location-trusted", False),
        insecure=flags.get("insecure", False),
        certificate_authorities=single.get("cacert", ""),
        client_certificate=single.get("cert", ""),
        client_key=single.get("key", ""),
        proxy=single.get("proxy", single.get("preproxy", "")),
        resolve=tuple(_resolved(options.repeated.get("resolve", []))),
        connect_to=tuple(_redirected(options.repeated.get("connect-to", []))),
        unix_socket=single.get("unix-socket", single.get("abstract-unix-socket", "")),
        http_version=chosen[-1].removeprefix("http").removesuffix("-only") if chosen else "",
        compressed=flags.get("compressed", False),
        seconds=_seconds(single.get("max-time")),
        connect_seconds=_seconds(single.get("connect-timeout")),
        etag_compare=single.get("etag-compare", ""),
        output=single.get("output", ""),
    )


def _seconds(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _resolved(values: list[str]) -> Iterator[tuple[str, int, tuple[str, ...]]]:
    for value in values:
        host, _, rest = value.lstrip("+-").partition(":")
        port, _, addresses = rest.partition(":")
        if port.isdigit() and addresses:
            yield host, int(port), tuple(one.strip("[]") for one in addresses.split(","))


def _redirected(values: list[str]) -> Iterator[tuple[str, str, str, str]]:
    for value in values:
        match = re.fullmatch(r"(\[[^\]]*\]|[^:]*):(\d*):(\[[^\]]*\]|[^:]*):(\d*)", value)
        if match is not None:
            yield match[1].strip("[]"), match[2], match[3].strip("[]"), match[4]


def _one(
    options: CurlArguments, url: str, upload: str | None, shared: Operation, around: Surroundings
) -> Operation:
    read_file = around.read_file
    single, flags = options.single, options.flags
    address = _address(url, upload, options, around)
    fields, removed = _headers(options.headers, read_file)
    content: bytes | None = None
    method = "GET"
    kind = ""
    if options.form:
        parts = tuple(Part.parse(name == "form-string", value, read_file) for name, value in options.form)
        content, method = encode_form(parts, around.boundary), "POST"
        kind = f"multipart/form-data; boundary={around.boundary}"
    elif options.data and flags.get("get"):
        address = _with_query(address, urlencoded(options.data, read_file))
    elif options.data:
        content, method = join_data(options.data, read_file), "POST"
        kind = "application/x-www-form-urlencoded"
    if upload is not None:
        content, method, kind = read_file("-" if upload in {"-", "."} else upload), "PUT", ""
    if flags.get("head"):
        method = "HEAD"
    if options.data and any(name == "json" for name, _ in options.data):
        kind = "application/json"
        fields = _default(fields, removed, "Accept", "application/json")
    if kind and content is not None:
        fields = _default(fields, removed, "Content-Type", kind)
    fields = _conveniences(options, fields, removed, read_file)
    return replace(
        shared,
        method=single.get("request", method),
        url=address,
        fields=tuple(fields),
        removed=frozenset(removed),
        content=content,
    )


def _address(url: str, upload: str | None, options: CurlArguments, around: Surroundings) -> str:
    address = url if _SCHEME.match(url) else f"{options.single.get('proto-default', 'http')}://{url}"
    if not options.flags.get("globoff") and _GLOB.search(address):
        around.warn("the URL holds a pattern of curl ({a,b} or [1-9]); it is taken literally")
    if upload is not None and upload not in {"-", "."} and urlsplit(address).path.endswith("/"):
        address += quote(re.split(r"[/\\]", upload)[-1])
    for query in options.repeated.get("url-query", []):
        added = query[1:] if query.startswith("+") else urlencoded([("data-urlencode", query)], _no_file)
        address = _with_query(address, added)
    path = options.single.get("request-target")
    if path is not None:
        around.warn("--request-target is not kept; the path of the URL is sent")
    return address


def _no_file(name: str, /) -> bytes:
    raise InputError("a file in --url-query is not supported", source=name)


def _with_query(url: str, query: str) -> str:
    before, hash_sign, fragment = url.partition("#")
    joint = "" if not query else "&" if "?" in before else "?"
    return f"{before}{joint}{query}{hash_sign}{fragment}"


def _headers(values: list[str], read_file: FileReader) -> tuple[list[tuple[str, str]], set[str]]:
    fields: list[tuple[str, str]] = []
    removed: set[str] = set()
    lines: list[str] = []
    for value in values:
        if value.startswith("@"):
            lines.extend(read_file(value[1:]).decode("utf-8", "surrogateescape").splitlines())
        else:
            lines.append(value)
    for line in lines:
        name, colon, value = line.partition(":")
        if colon and value.strip():
            fields.append((name.strip(), value.strip()))
        elif colon:
            removed.add(name.strip().lower())
        elif line.rstrip().endswith(";") and line.rstrip()[:-1].strip():
            fields.append((line.rstrip()[:-1].strip(), ""))
    return fields, removed


def _default(
    fields: list[tuple[str, str]], removed: set[str], name: str, value: str
) -> list[tuple[str, str]]:
    """Return the fields with one that the user neither set nor removed."""
    if name.lower() in removed or any(key.lower() == name.lower() for key, _ in fields):
        return fields
    return [*fields, (name, value)]


def _conveniences(
    options: CurlArguments, fields: list[tuple[str, str]], removed: set[str], read_file: FileReader
) -> list[tuple[str, str]]:
    """Return the fields with those that options stand for."""
    single = options.single
    for option, name in (("user-agent", "User-Agent"), ("referer", "Referer"), ("range", "Range")):
        value = single.get(option)
        if value:
            shown = f"bytes={value}" if option == "range" else value.removesuffix(";auto")
            fields = _default(fields, removed, name, shown)
    if single.get("user-agent") == "":
        removed.add("user-agent")
    if options.flags.get("compressed"):
        fields = _default(fields, removed, "Accept-Encoding", "gzip, deflate, br")
    cookies = [value for value in options.cookies if "=" in value]
    if cookies:
        fields = _default(fields, removed, "Cookie", "; ".join(cookies))
    if "oauth2-bearer" in single:
        fields = _default(fields, removed, "Authorization", f"Bearer {single['oauth2-bearer']}")
    if "user" in single and not {"digest", "ntlm", "negotiate", "anyauth"} & set(options.flags):
        user = single["user"] if ":" in single["user"] else f"{single['user']}:"
        encoded = base64.b64encode(user.encode("utf-8", "surrogateescape")).decode("ascii")
        fields = _default(fields, removed, "Authorization", f"Basic {encoded}")
    condition = single.get("time-cond")
    if condition:
        name = "If-Unmodified-Since" if condition.startswith("-") else "If-Modified-Since"
        fields = _default(fields, removed, name, condition.lstrip("+-="))
    if "etag-compare" in single:
        tag = read_file(single["etag-compare"]).decode("utf-8", "surrogateescape").strip()
        fields = _default(fields, removed, "If-None-Match", tag or '""')
    return fields
