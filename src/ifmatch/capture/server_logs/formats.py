"""Read log formats as nginx, Apache, Varnish and Envoy are told them, into patterns for their lines.

Source: ngx_http_log_module, Apache mod_log_config, varnishncsa(1), Envoy's access log usage, W3C WD-logfile.
"""

from __future__ import annotations

import re
from typing import Final

from ifmatch.model.slotted import Frozen

__all__ = ["NAMED_FORMATS", "LineFormat", "declares", "find_format"]

_NGINX_VARIABLE = re.compile(r"\$(?:\{(\w{1,60})\}|(\w{1,60}))")
_APACHE_DIRECTIVE = re.compile(r"%[!,\d]{0,12}[<>]?(?:\{([^}]{1,80})\})?(\^?[A-Za-z]{1,3}?(?![a-z]{5}))")
_ENVOY_OPERATOR = re.compile(r"%([A-Z][A-Z_]{2,40})(?:\(([^)%]{0,200})\))?(?::\d{1,6})?%")
_W3C: Final = "#Fields:"
_DECLARED = re.compile(
    r"[#\s]*(?:log_format\s+[\w-]+\s+(?:escape=\w+\s+)?|LogFormat\s+|format[:=]\s*|varnishncsa\b.*?-F\s*)(.+?)\s*(?:\b[\w-]+)?;?\s*\Z"
)
_PLAIN: Final = {
    "remote_addr": "client", "time_local": "end:clf", "time_iso8601": "end:iso", "msec": "end:epoch",
    "request_time": "duration:s", "request": "request", "status": "status", "request_method": "method",
    "request_uri": "target", "uri": "target", "host": "host", "http_host": "host", "scheme": "scheme",
    "server_protocol": "version", "upstream_addr": "peer", "args": "query",
}  # fmt: skip
_LETTERS: Final = {
    "h": "client", "a": "client", "r": "request", "s": "status", "m": "method", "U": "target", "q": "query",
    "H": "version", "v": "host", "V": "host", "D": "duration:us", "T": "duration:s", "t": "start:clf",
}  # fmt: skip
# Notes and variables that hold the id of a request: mod_log_forensic, mod_unique_id.
_MARKS: Final = frozenset({("forensic-id", "n"), ("unique_id", "e")})
_TIMES: Final = {
    "begin:usec": "start:epoch", "usec": "start:epoch", "begin:msec": "start:epoch", "msec": "start:epoch",
    "end:usec": "end:epoch", "sec": "start:epoch", "%s": "start:epoch",
}  # fmt: skip
_ENVOY: Final = {
    "START_TIME": "start:iso", "RESPONSE_CODE": "status", "DURATION": "duration:ms", "PROTOCOL": "version",
    "UPSTREAM_HOST": "peer", "DOWNSTREAM_REMOTE_ADDRESS": "address",
    "DOWNSTREAM_DIRECT_REMOTE_ADDRESS": "address",
    "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT": "client",
}  # fmt: skip
_ENVOY_PSEUDO: Final = {":METHOD": "method", ":PATH": "target", ":AUTHORITY": "host", ":SCHEME": "scheme"}
# Names of the W3C extended format; what stands in parentheses is a field of client or server.
_W3C_NAMES: Final = {
    "date+time": "end:iso", "cs-method": "method", "cs-uri-stem": "target", "cs-uri": "target",
    "cs-uri-query": "query", "sc-status": "status", "c-ip": "client", "cs-host": "host",
    "x-host-header": "host", "cs-version": "version", "cs-protocol-version": "version",
    "cs-protocol": "scheme",
}  # fmt: skip
_FORMAT_LIMIT: Final = 4000
# Formats that have a name with everybody.
NAMED_FORMATS: Final = {
    "common": '%h %l %u %t "%r" %>s %b',
    "combined": '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"',
    "vhost_combined": '%v:%p %h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i"',
    "main": '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" '
    '"$http_user_agent" "$http_x_forwarded_for"',
    "envoy": '[%START_TIME%] "%REQ(:METHOD)% %REQ(:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% '
    "%BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "
    '"%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" '
    '"%UPSTREAM_HOST%"',
    "istio": '[%START_TIME%] "%REQ(:METHOD)% %REQ(:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% '
    '%RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "%UPSTREAM_TRANSPORT_FAILURE_REASON%" '
    "%BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "
    '"%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" '
    '"%UPSTREAM_HOST%" %UPSTREAM_CLUSTER% %UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% '
    "%DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%",
}


class LineFormat(Frozen, frozen=True):
    """A pattern for lines and what its groups mean.

    Attributes:
        pattern: matches a whole line.
        meanings: of the groups, as `LogRecord.set` takes them.
    """

    pattern: re.Pattern[str]
    meanings: tuple[str, ...]


def find_format(lines: list[str]) -> LineFormat | None:
    """Return the format that a comment or a directive above the log declares, or that its lines show.

    Args:
        lines: the first lines of the log.

    Returns:
        None when nothing tells.
    """
    for line in lines[:20]:
        if line.startswith(_W3C):
            return _w3c_format(line[len(_W3C) : _FORMAT_LIMIT].split())
        if declares(line):
            found = _DECLARED.match(line)
            text = found[1] if found is not None else line.lstrip("# ")
            form = _compile_format(_joined(text))
            if form is not None:
                return form
    # Nothing else begins so: the columns of these tell themselves.
    stamped = [line for line in lines[:20] if line.startswith("[2")]
    for name in ("envoy", "istio") if stamped else ():
        form = _compile_format(NAMED_FORMATS[name])
        if form is not None and any(form.pattern.match(line) for line in stamped):
            return form
    return None


def declares(line: str) -> bool:
    """Tell whether a line may declare a format."""
    return len(line) < _FORMAT_LIMIT and any(
        sign in line for sign in ("$status", "%s", "%>s", "%RESPONSE_CODE%", _W3C)
    )


def _w3c_format(names: list[str]) -> LineFormat | None:
    """Return the format that a `#Fields:` line of IIS or CloudFront declares."""
    parts: list[str] = []
    meanings: list[str] = []
    cloudfront = "x-edge-location" in names
    for name, before in zip(names, ["", *names], strict=False):
        if (before, name) == ("date", "time"):
            parts[-1], meanings[-1] = r"(\S+[ \t]+\S+)", _W3C_NAMES["date+time"]
            continue
        field = re.fullmatch(r"(cs|sc)\(([\w-]{1,60})\)", name)
        meaning = _W3C_NAMES.get(name, "")
        if field is not None:
            meaning = f"{'sent' if field[1] == 'cs' else 'received'}:{field[2]}"
        elif name == "time-taken":
            meaning = "duration:s" if cloudfront else "duration:ms"
        parts.append(r"(\S+)")
        meanings.append("host" if meaning.lower() == "sent:host" else meaning)
    if "status" not in meanings or "method" not in meanings:
        return None
    return LineFormat(re.compile(r"[ \t]+".join(parts) + r"\s*\Z"), tuple(meanings))


def _joined(text: str) -> str:
    """Put together the quoted pieces of a directive."""
    text = text.strip()
    if text[:1] == "'":
        return "".join(re.findall(r"'([^']*)'", text))
    if text[:1] == '"' and text[-1:] == '"':
        return text[1:-1]
    return text


def _compile_format(text: str) -> LineFormat | None:
    """Return the pattern for a format, None when it does not name request and status.

    Args:
        text: as in `log_format` of nginx, `LogFormat` of Apache, `text_format` of Envoy.
    """
    nginx = "$" in text and "$status" in text
    envoy = "%RESPONSE_CODE%" in text
    # In a configuration the format stands between quotes, so those within are escaped.
    text = text.replace('\\"', '"')
    variables = _ENVOY_OPERATOR if envoy else _NGINX_VARIABLE if nginx else _APACHE_DIRECTIVE
    parts: list[str] = []
    meanings: list[str] = []
    position = 0
    text = text.replace("%{%s}t.%{usec_frac}t", "%{sec.usec}t").replace(
        "%{sec}t.%{usec_frac}t", "%{sec.usec}t"
    )
    for found in variables.finditer(text):
        literal = text[position : found.start()]
        parts.append(re.escape(literal))
        position = found.end()
        if envoy:
            meaning = _envoy_meaning(found[1], found[2] or "")
        elif nginx:
            meaning = _nginx_meaning(found[1] or found[2])
        else:
            meaning = _apache_meaning(found[1] or "", found[2])
        meanings.append(meaning)
        following = text[position : position + 1]
        parts.append(_value(literal[-1:], following, meaning))
    parts.append(re.escape(text[position:]))
    if "status" not in meanings or not {"request", "method"} & set(meanings):
        return None
    try:
        return LineFormat(re.compile("".join(parts) + r"\s*\Z"), tuple(meanings))
    except re.error:
        return None


def _value(before: str, following: str, meaning: str) -> str:
    if meaning.endswith(":clf") and before != "[":
        return r"(\[[^\]]*+\])"
    if before == '"' and following == '"':
        # Apache and Varnish write a quote within as \".
        return r'((?:[^"\\]|\\.)*+)'
    if before == "[" and following == "]":
        return r"([^\]]*+)"
    # Possessive: what a value may hold cannot be what stands behind it.
    return rf"([^{re.escape(following)}]*+)" if following else r"(.*)"


def _envoy_meaning(operator: str, argument: str) -> str:
    name = argument.rpartition("?")[2] or argument
    if operator in {"REQ", "REQUEST_HEADER"}:
        return _ENVOY_PSEUDO.get(name.upper(), f"sent:{argument.partition('?')[0]}")
    if operator in {"RESP", "RESPONSE_HEADER"}:
        return f"received:{argument.partition('?')[0]}"
    return _ENVOY.get(operator, "")


def _nginx_meaning(name: str) -> str:
    if name in _PLAIN:
        return _PLAIN[name]
    for prefix, side in (("sent_http_", "received"), ("upstream_http_", "upstream"), ("http_", "sent")):
        if name.startswith(prefix):
            return f"{side}:{name.removeprefix(prefix).replace('_', '-')}"
    return ""


def _apache_meaning(argument: str, letter: str) -> str:
    letter = letter.lstrip("^")
    if argument and letter == "i":
        return "host" if argument.lower() == "host" else f"sent:{argument}"
    if argument and letter == "o":
        return f"received:{argument}"
    if (argument.lower(), letter) in _MARKS:
        return "mark"
    if argument and letter == "t":
        return "start:epoch" if argument == "sec.usec" else _TIMES.get(argument, "")
    if argument and letter == "T":
        return f"duration:{argument}"
    return _LETTERS.get(letter, "")
