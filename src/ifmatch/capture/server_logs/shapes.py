"""Read lines of access logs whose request stands in no quotes: names before values, columns, Squid.

Source of the notations: logfmt (Heroku's router, Traefik, HAProxy's and nginx's own formats), the squid
format of Squid's `logformat`, the loggers of Gin, Fiber, Echo and morgan.
"""

from __future__ import annotations

import re
from typing import Final

from ifmatch.capture.server_logs.json_log_members import fill
from ifmatch.capture.server_logs.records import LogRecord, unescape

__all__ = ["by_names_or_columns"]

_PAIR = re.compile(
    r'(?:(?<=\s)|(?<=\A)|(?<=,))([A-Za-z_@][\w.@-]{0,60})=(W/)?(?:"("[^"\s]+")"|("(?:[^"\\]|\\.)*+")|([^\s",]*+))(?=[\s,]|\Z)'
)
_METHODS: Final = frozenset(
    {"GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "PROPPATCH", "MKCOL", "COPY",
     "MOVE", "LOCK", "UNLOCK", "REPORT"}
)  # fmt: skip
_TIME = re.compile(
    r"\[?(\d{4}[-/]\d\d[-/]\d\d(?:T| | - )\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z| ?[+-]\d\d:?\d\d)?)"
    r"|\[?(\d{2}/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d(?:\.\d{1,6})?(?: [+-]\d{4})?)"
    r"|(?:\A|(?<=\s))(1\d{9}(?:\.\d{1,6})?)(?=\s|\||\Z)"
)
_SQUID = re.compile(
    r"(?:.{0,80}?\s)?(1\d{9}\.\d{3})\s+(\d{1,9}) (\S+) ([A-Z][A-Z_]{2,60})/(\d{3}) \d+ "
    r"([A-Z]{3,20}) (\S+) \S+ ([A-Z_]+)/(\S+) \S+(?: \[(.*?)\] \[(.*)\])?\s*\Z"
)
_COLUMNS_OF_GO = re.compile(
    r"\|\s*([1-5]\d\d)\s*\|\s*([\d.]{1,20})(ns|µs|us|ms|s)\s*\|\s*(\S{2,60})\s*\|\s*([A-Z]{3,10})\s*\|?\s*\"?(/[^\"|\s]*)"
)
_MORGAN = re.compile(r"([A-Z]{3,10}) (/\S*) ([1-5]\d\d) ([\d.]{1,12}) ms - (?:\d{1,15}|-)\s*\Z")
_CLIENT = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}\Z|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){3,7}\Z")
_STATUS = re.compile(r"[1-5]\d\d\Z")
_TARGET = re.compile(r"\"?(?:/|https?://)")
_TOKEN = re.compile(r'\[[^\]\n]{0,200}\]|[^\s"]*"(?:[^"\\]|\\.)*+"|\S+')
_HOST = re.compile(r"[\w.-]{1,253}(?::\d{1,5})?\Z")
_NAMES_ENOUGH: Final = 4
_COLUMNS_ENOUGH: Final = 4
_LONGEST: Final = 64 * 1024

_Read = tuple[LogRecord, list[tuple[str, str]]]


def by_names_or_columns(line: str, number: int) -> _Read | None:
    """Return what a line says and the columns that nothing names, None when it is none of these notations.

    Args:
        line: of a log.
        number: 1-based.
    """
    if len(line) > _LONGEST:
        return None
    for read in (_squid, _logfmt, _go, _morgan, _columns):
        found = read(line, number)
        if found is not None:
            return found
    return None


def _time(record: LogRecord, line: str) -> None:
    found = _TIME.search(line)
    if found is None:
        return
    if found[1]:
        record.set("end:iso", found[1].replace("/", "-").replace(" - ", " "))
    else:
        record.set("end:clf" if found[2] else "end:epoch", found[2] or found[3])


def _squid(line: str, number: int) -> _Read | None:
    found = _SQUID.match(line)
    if found is None:
        return None
    record = LogRecord(number)
    record.set("end:epoch", found[1])
    record.set("duration:ms", found[2])
    record.set("client", found[3])
    record.set("cache", found[4])
    record.set("status", found[5])
    record.set("method", found[6])
    record.set("target", found[7])
    record.set("peer", found[9])
    for side, heads in (("sent", found[10]), ("received", found[11])):
        # `log_mime_hdrs on`: the heads, a line end as `\r\n`.
        for field in (heads or "").split("\\r\\n"):
            name, colon, value = field.partition(":")
            if colon and re.fullmatch(r"[\w-]{1,80}", name):
                record.set(f"{side}:{name}", value.strip())
    return record, []


def _logfmt(line: str, number: int) -> _Read | None:
    if line.count("=") < _NAMES_ENOUGH:
        return None
    members: dict[str, object] = {}
    for name, weak, shielded, quoted, bare in _PAIR.findall(line):
        value = shielded or (unescape(quoted[1:-1]) if quoted else bare)
        members.setdefault(name, f"{weak}{value}")
    if len(members) < _NAMES_ENOUGH:
        return None
    record = LogRecord(number)
    fill(record, members)
    if not (record.draft.method and record.draft.url):
        return None
    if record.draft.started is None:
        _time(record, line)
    return record, []


def _go(line: str, number: int) -> _Read | None:
    found = _COLUMNS_OF_GO.search(line)
    if found is None:
        return None
    record = LogRecord(number)
    record.set("status", found[1])
    record.set(f"duration:{found[3].replace('µ', 'u')}", found[2])
    record.set("client", found[4])
    record.set("method", found[5])
    record.set("target", found[6])
    _time(record, line[: found.start()])
    return record, []


def _morgan(line: str, number: int) -> _Read | None:
    found = _MORGAN.search(line)
    if found is None or found[1] not in _METHODS:
        return None
    record = LogRecord(number)
    record.set("method", found[1])
    record.set("target", found[2])
    record.set("status", found[3])
    record.set("duration:ms", found[4])
    _time(record, line[: found.start()])
    return record, []


def _columns(line: str, number: int) -> _Read | None:
    """Read columns in which method and target stand side by side, or with the host between them."""
    if _TIME.search(line) is None:
        return None
    tokens = _split(line)
    at = next((place for place, token in enumerate(tokens) if token in _METHODS), None)
    if at is None:
        return None
    target = next(
        (at + ahead for ahead in (1, 2) if _TARGET.match(" ".join(tokens[at + ahead : at + ahead + 1]))), None
    )
    if target is None or (target == at + 2 and not _HOST.match(tokens[at + 1])):
        return None
    status = next(
        (place for place in range(target + 1, min(target + 4, len(tokens))) if _STATUS.match(tokens[place])),
        None,
    )
    if status is None:
        return None
    record = LogRecord(number)
    _time(record, line)
    record.set("method", tokens[at])
    record.set("target", tokens[target].strip('"'))
    record.set("status", tokens[status])
    if target == at + 2:
        record.set("host", tokens[at + 1])
    record.set("client", next((token for token in tokens[:at] if _CLIENT.match(token)), ""))
    rest = tokens[status + 1 :]
    if rest and re.fullmatch(r"\d{1,4}\.\d{3}", rest[0]):
        record.set("duration:s", rest[0])
    return record, [_named(token) for token in rest]


def _split(line: str) -> list[str]:
    for sign in ("\t", "|"):
        if line.count(sign) >= _COLUMNS_ENOUGH:
            return [token.strip() for token in line.split(sign)]
    return _TOKEN.findall(line)


def _named(token: str) -> tuple[str, str]:
    name, sign, value = token.partition("=")
    if not sign or not re.fullmatch(r"[A-Za-z][\w.-]{0,40}", name):
        name, value = "", token
    if (
        value[:1] == '"'
        and value[-1:] == '"'
        and len(value) > 1
        and (name or "\\" in value or '"' in value[1:-1])
    ):
        value = value[1:-1]
    return name, unescape(value)
