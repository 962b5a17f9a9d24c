"""Read access logs of nginx, Apache, HAProxy, Varnish and the like: one exchange a line.

The meaning of the columns comes from a format named above the log, from names on the line (`etag="..."`), or
from what the columns hold: docs/decisions/071-access-logs.md.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.capture.server_logs.formats import NAMED_FORMATS, LineFormat, declares, find_format
from ifmatch.capture.server_logs.records import NO_STATUS, LogRecord, is_cache_word, unescape
from ifmatch.capture.server_logs.shapes import by_names_or_columns
from ifmatch.capture.texts.field_lines import TAG_FIELDS
from ifmatch.capture.texts.log_pastes import opened
from ifmatch.capture.texts.text_source import read_text
from ifmatch.errors import InputError
from ifmatch.model.slotted import Slotted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import BinaryIO

    from ifmatch.capture.base.drafts import Draft, Drafts
    from ifmatch.model.exchange import Capture

__all__ = ["looks_like_access_log", "read_access_log"]

_TOKEN = re.compile(
    # A quote that is never closed takes the rest of the line, so that nobody looks for its end again.
    r'\[[^\]\n]{0,200}\]|"(?:[^"\\]|\\.)*+(?:"|\Z)|\{[^{}\n]{0,4000}\}|'
    r'[^\s"\[{]+(?:"(?:[^"\\]|\\.)*+")?|\S'
)
_CLF_TIME = re.compile(r"\[?\d{2}/[A-Z][a-z]{2}/\d{4}[: ]\d{2}:\d{2}:\d{2}")
# Uvicorn tells no time.
_TIMELESS = re.compile(r"(?:\x1b\[\d+m)?INFO(?:\x1b\[0m)?: {2,8}\S+:\d+ - \"")
_ISO_TIME = re.compile(r"\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d")
_REQUEST = re.compile(r'"[A-Z][A-Z_-]{1,39} [^"\s]+(?: (?:HTTP/)?\d(?:\.\d)?)?"')
_TIMERS = re.compile(r"(-?\d+)/(-?\d+)/(-?\d+)/(-?\d+)/\+?(\d+)\Z")
_TAGS = re.compile(r'(?:W/)?"[^"]*"(?:,\s*(?:W/)?"[^"]*")*\Z')
_BARE_TAG = re.compile(r"[\w.:+/=-]{4,200}\Z")
_DATE = re.compile(r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT\Z")
_CODING = re.compile(r"(?:gzip|br|zstd|deflate|identity)\Z")
_NAMED = re.compile(r'([A-Za-z][\w.-]{0,40})[=:](".*"|\S+)\Z', re.DOTALL)
_EPOCH = re.compile(r"1\d{9}(?:\.\d{1,6})?\Z")
_PRODUCT = re.compile(r"[A-Za-z][A-Za-z .+_-]{1,40}/\d")
_CLIENT = re.compile(
    r"(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}|[A-Za-z][\w-]*(?:\.[\w-]+)+)\Z"
)
# What a line begins with, and what stands in its first piece when a mail program broke it.
_STARTS = re.compile(r"[\w.:+\[\]-]{2,60}(?: |\Z)")
_FIRST_PIECE = re.compile(r'\[?\d{2}/[A-Z][a-z]{2}/\d{4}:\d\d:|\d{4}-\d\d-\d\d[T ]\d\d:|"[A-Z]{3,20}(?: |\Z)')
# Mail programs break lines before this many characters.
_WRAPPED: Final = 100
_LONGEST: Final = 4000
_STATUS = re.compile(r"[1-5]\d\d\Z")
_ADDRESS = re.compile(r"[\d.]{7,15}:\d+\Z")
_SECONDS = re.compile(r"\b1\d{9}\b")
_MESSAGE = re.compile(r"[<> ]{0,4}(?:HTTP/\d|[A-Z]{3,9} \S+ HTTP/\d)")
_WRITES: Final = frozenset({"PUT", "PATCH", "DELETE", "POST", "MKCOL", "MOVE", "COPY", "LOCK", "PROPPATCH"})
_NAMES: Final = {
    "im": "sent:If-Match", "inm": "sent:If-None-Match", "ius": "sent:If-Unmodified-Since",
    "ims": "sent:If-Modified-Since", "etag": "received:ETag", "lm": "received:Last-Modified",
    "last-modified": "received:Last-Modified", "host": "host", "rt": "duration:s",
    "content-encoding": "received:Content-Encoding", "request-time": "duration:s",
    "user-agent": "sent:User-Agent", "ua": "sent:User-Agent", "client": "client", "upstream": "peer",
    "id": "mark", "forensic-id": "mark", "unique-id": "mark",
}  # fmt: skip
_SHAPES: Final = (
    (_TAGS, "received:ETag", "sent:If-Match", "sent:If-None-Match"),
    (_DATE, "received:Last-Modified", "sent:If-Unmodified-Since", "sent:If-Modified-Since"),
)
# The ids of mod_log_forensic and mod_unique_id.
_MARK = re.compile(r"\d{1,10}:[0-9a-f]{1,16}:[0-9a-f]{1,8}\Z|[\w@-]{24,27}\Z")
_SENT: Final = frozenset(
    {"if-match", "if-none-match", "if-unmodified-since", "if-modified-since", "if-range"}
)
# What varnishncsa calls `Varnish:handling`.
_HANDLING: Final = frozenset({"hit", "miss", "pass", "pipe", "hitmiss", "hitpass", "synth", "error"})
# Time, name, two addresses, three times, two statuses, two sizes.
_BALANCED: Final = 9
_LONGEST_LINE: Final = 64 * 1024
_ADVICE: Final = (
    "Log the fields: ifmatch explain capture nginx. Or record the traffic: curl -v, or HAR from a browser"
)


class _Row(Slotted):
    """A line taken apart: the tokens that are no standard column, with their names ("" for none)."""

    record: LogRecord
    extras: list[tuple[str, str]]


def _request_in(line: str) -> re.Match[str] | None:
    return _REQUEST.search(line) if len(line) < _LONGEST_LINE else None


def looks_like_access_log(lines: Sequence[str]) -> bool:
    """Tell whether lines are those of an access log.

    Args:
        lines: the first lines of a source.
    """
    kept = [line for line in lines[:200] if line.strip() and not line.startswith("#")][:40]
    if not kept:
        return False
    form = find_format(list(lines[:20]))
    if form is not None and any(form.pattern.match(line) for line in kept):
        return True
    if _mostly_requests(kept):
        return True
    if max(len(line) for line in kept) > _WRAPPED:
        return False
    whole = [line for line in _unwrapped(kept) if line]
    return len(whole) < len(kept) and _mostly_requests(whole)


def _mostly_requests(lines: Sequence[str]) -> bool:
    """Tell whether at least half of the lines hold a time, a request line and a status near it.

    A development server says more: three lines and a fifth of all are enough where no message stands.
    """
    hits = 0
    for line in lines:
        found = _request_in(line)
        if found is None:
            other = by_names_or_columns(line, 1)
            hits += other is not None and other[0].finished() is not None
            continue
        if not (
            _CLF_TIME.search(line) or _ISO_TIME.search(line) or _TIMELESS.match(line) or _SECONDS.search(line)
        ):
            continue
        around = line[: found.start()] + " " + line[found.end() :][:20]
        hits += re.search(r"(?:^|\s)[1-5]\d\d(?:\s|\Z)", around) is not None
    if hits * 2 >= len(lines):
        return True
    return hits >= 3 and hits * 5 >= len(lines) and not any(_MESSAGE.match(line) for line in lines)


def read_access_log(stream: BinaryIO, name: str, log_format: str | None = None) -> Capture:
    """Read an access log.

    Args:
        stream: binary stream at the start of the log.
        name: name of the source as the user gave it.
        log_format: as in `log_format` of nginx, `LogFormat` of Apache, `-F` of varnishncsa, `text_format` of
            Envoy, or a name of `NAMED_FORMATS`; None to take it from the first lines, from names on the
            lines, or from what the columns hold.

    Raises:
        InputError: no line of it is one of an access log, or the format names no request and status.
    """
    source = read_text(stream, name)
    drafts, lines = opened(source)
    form = find_format(lines[:20]) if log_format is None else _declared(log_format, name)
    rows, skipped = _rows(lines, form)
    if len(skipped) > len(rows) // 2 and max(len(line) for line in lines) <= _WRAPPED:
        rows, skipped = max(
            (rows, skipped), _rows(_unwrapped(lines), form), key=lambda read: len(read[0]) - len(read[1])
        )
    if form is None:
        _name_columns(rows, drafts)
    for row in rows:
        draft = row.record.finished()
        if draft is None:
            skipped.append(row.record.draft.line or 0)
            continue
        draft.sent = [(key, source.wire(value)) for key, value in draft.sent or ()] or None
        draft.received = [(key, source.wire(value)) for key, value in draft.received or ()] or None
        drafts.found.append(draft)
    if _with_quotes(drafts.found):
        drafts.warn("the quotes in this log are those of the tags")
    if skipped:
        long = sum(len(lines[number - 1]) >= _LONGEST_LINE for number in skipped if number <= len(lines))
        said = f"skipped lines that are none of an access log: {len(skipped)}, first line {min(skipped)}"
        drafts.warn(said + (f"; {long} of them longer than 64 KiB" if long else ""), line=min(skipped))
    drafts.order_by_time()
    if drafts.found and not any(
        key.lower() == "etag" for one in drafts.found for key, _ in one.received or ()
    ):
        drafts.warn("this log shows no entity tags, so most causes cannot be told from it. " + _ADVICE)
    return drafts.capture("access-log", nothing="no line of this access log can be read", advice=_ADVICE)


def _with_quotes(drafts: Sequence[Draft]) -> bool:
    """Put quotes around tags where a log shows none at all: those of `etag=%RESP(ETAG)%` are the tag's own.

    Returns:
        Whether that was so.
    """
    columns = [side for draft in drafts for side in (draft.sent, draft.received) if side]
    tags = [value for side in columns for name, value in side if name.lower() in TAG_FIELDS and value != "*"]
    if not tags or any('"' in value or _BARE_TAG.match(value) is None for value in tags):
        return False
    for side in columns:
        side[:] = [
            (name, f'"{value}"' if name.lower() in TAG_FIELDS and value != "*" else value)
            for name, value in side
        ]
    return True


def _rows(lines: Sequence[str], form: LineFormat | None) -> tuple[list[_Row], list[int]]:
    """Return what each line says, and the 1-based lines that say nothing."""
    rows: list[_Row] = []
    skipped: list[int] = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#") or (form is not None and number <= 20 and declares(line)):
            continue
        row = _by_format(form, line, number) if form is not None else _by_shape(line, number)
        if row is None:
            skipped.append(number)
        else:
            rows.append(row)
    return rows, skipped


def _unwrapped(lines: Sequence[str]) -> list[str]:
    """Join the lines that a mail program broke: what shows no time of day and no method goes on."""
    joined: list[str] = []
    start = -1
    for line in lines:
        begins = _STARTS.match(line) is not None and _FIRST_PIECE.search(line) is not None
        if begins or start < 0 or not line.strip() or line.startswith("#"):
            start = len(joined) if begins else start
            joined.append(line)
        elif len(joined[start]) < _LONGEST:
            joined[start] = f"{joined[start].rstrip()} {line.strip()}"
            joined.append("")
        else:
            joined.append(line)
    return joined


def _declared(text: str, name: str) -> LineFormat:
    form = find_format([NAMED_FORMATS.get(text.strip(), text)])
    if form is None:
        raise InputError(
            f"the log format {text[:80]!r} names no request and status",
            source=name,
            expected="such as '$remote_addr [$time_local] \"$request\" $status' or '%h %t \"%r\" %>s'",
            advice="Give it as it stands in the configuration of the server, or one of "
            + ", ".join(NAMED_FORMATS),
        )
    return form


def _by_format(form: LineFormat, line: str, number: int) -> _Row | None:
    found = form.pattern.match(line.rstrip("\r"))
    if found is None:
        return None
    record = LogRecord(number)
    for meaning, value in zip(form.meanings, found.groups(), strict=True):
        record.set(meaning, unescape(value))
    return _Row(record, [])


def _by_shape(line: str, number: int) -> _Row | None:
    """Take a line apart whose format is not known."""
    if len(line) > 65536:
        return None
    tokens: list[str] = _TOKEN.findall(line)
    at = next((index for index, token in enumerate(tokens) if _REQUEST.fullmatch(token)), None)
    if at is None:
        other = by_names_or_columns(line, number)
        return _Row(*other) if other is not None else None
    record = LogRecord(number)
    record.set("request", unescape(tokens[at][1:-1]))
    timers = next((index for index, token in enumerate(tokens[:at]) if _TIMERS.match(token)), None)
    if timers is not None:
        return _haproxy(record, tokens, at, timers)
    return _common(record, tokens, at)


def _common(record: LogRecord, tokens: list[str], at: int) -> _Row | None:
    """Read a line in the order of the common log format: client first, status behind the request."""
    before, behind = tokens[:at], tokens[at + 1 :]
    # `%{%s}t.%{usec_frac}t ... %{Varnish:handling}x %D`: the start, and microseconds.
    is_varnish = len(behind) > 3 and behind[-2] in _HANDLING and behind[-1].isdecimal()
    for token in before:
        if _CLF_TIME.match(token):
            record.set("end:clf", token)
        elif _ISO_TIME.match(token):
            record.set("end:iso", token)
        elif _EPOCH.match(token):
            record.set("start:epoch" if is_varnish else "end:epoch", token)
    record.set("duration:us", behind[-1] if is_varnish else "")
    record.set("client", next((token for token in before if _CLIENT.match(token)), ""))
    record.set("address", next((token for token in before if _ADDRESS.match(token)), ""))
    status = next((index for index, token in enumerate(behind[:3]) if _STATUS.match(token)), None)
    if status is None and behind and behind[0] in NO_STATUS:
        status = 0
    if status is None and len(before) > _BALANCED and _STATUS.match(before[-4]):
        return _load_balancer(record, before, behind)
    if status is None:
        return None
    record.set("status", behind[status])
    rest = behind[status + 1 :]
    if rest and (rest[0] == "-" or rest[0].isdecimal()):
        rest = rest[1:]
    if len(rest) >= 2 and rest[1].startswith('"') and (rest[0] == '"-"' or "://" in rest[0][:12]):
        agent = unescape(rest[1][1:-1])
        if not _TAGS.match(agent):
            record.set("sent:Referer", unescape(rest[0][1:-1]))
            record.set("sent:User-Agent", agent)
            rest = rest[2:]
    _fine_time(record, rest)
    return _Row(record, [_plain(token) for token in rest])


def _load_balancer(record: LogRecord, before: list[str], behind: list[str]) -> _Row:
    """Read what AWS's load balancers write: the statuses of both sides and two sizes before the request."""
    record.set("status", before[-4])
    addresses = [token for token in before if _ADDRESS.match(token)]
    record.set("peer", addresses[1] if len(addresses) > 1 else "")
    times = [float(token) for token in before[-7:-4] if re.fullmatch(r"\d{1,6}\.\d{1,6}", token)]
    record.set("duration:s", str(sum(times)) if len(times) == 3 else "")
    if behind and not _TAGS.match(behind[0][1:-1]):
        record.set("sent:User-Agent", unescape(behind[0].strip('"')))
    return _Row(record, [])


def _fine_time(record: LogRecord, tokens: list[str]) -> None:
    """Take a finer time than the one in brackets, and the duration beside it.

    `$msec $request_time` of nginx is the end and seconds, `%{begin:usec}t %D` of Apache the start and
    microseconds.
    """
    for place, token in enumerate(tokens):
        if token[:1] != "1" or len(token) < 10:
            continue
        following = tokens[place + 1] if place + 1 < len(tokens) else ""
        if "." in token and _EPOCH.match(token):
            record.set("end:epoch", token)
            if re.fullmatch(r"\d{1,5}\.\d{1,6}", following):
                record.set("duration:s", following)
        elif len(token) == 16 and token.isdecimal():
            record.set("start:epoch", token)
            if re.fullmatch(r"\d{1,12}", following):
                record.set("duration:us", following)


def _plain(token: str, *, hashes: bool = False) -> tuple[str, str]:
    """Return name and value of a token."""
    named = _NAMED.match(token) if token[:1] != '"' and not is_cache_word(token) else None
    if named is not None:
        value = named[2]
        value = value[1:-1] if value[:1] == '"' and value[-1:] == '"' and len(value) > 1 else value
        return named[1], unescape(value, hashes=hashes)
    if token[:1] == '"' and token[-1:] == '"' and len(token) > 1:
        token = token[1:-1]
    return "", unescape(token, hashes=hashes)


def _haproxy(record: LogRecord, tokens: list[str], at: int, timers: int) -> _Row | None:
    """Read `option httplog`: accept date, timers in milliseconds, status, captured fields in braces."""
    if timers + 1 >= len(tokens):
        return None
    date = next((token for token in tokens[:timers] if _CLF_TIME.match(token)), "")
    record.set("start:clf", date)
    found = _TIMERS.match(tokens[timers])
    record.set("duration:ms", found[5] if found is not None else "")
    record.set("status", tokens[timers + 1])
    index = tokens.index(date) if date else 0
    if index and re.fullmatch(r"\S+:\d+", tokens[index - 1]):
        record.set("client", tokens[index - 1].rpartition(":")[0])
    extras: list[tuple[str, str]] = []
    for token in tokens[timers + 2 : at]:
        if token[:1] == "{":
            extras.extend(_plain(part, hashes=True) for part in token[1:-1].split("|"))
    return _Row(record, extras)


def _meaning(name: str) -> str:
    lowered = name.lower().replace("_", "-")
    for prefix in ("http-", "req-", "request-", "sent-http-", "resp-", "response-", "upstream-http-"):
        lowered = lowered.removeprefix(prefix) if lowered not in _NAMES else lowered
    if lowered in _SENT:
        return f"sent:{lowered}"
    return _NAMES.get(lowered, "")


def _name_columns(rows: list[_Row], drafts: Drafts) -> None:
    """Set the columns behind the standard ones: by their names, else by what they hold."""
    by_place: dict[int, list[tuple[LogRecord, str]]] = {}
    empty: dict[int, list[LogRecord]] = {}
    for row in rows:
        for place, (name, value) in enumerate(row.extras):
            if name:
                row.record.set(_meaning(name), value)
            elif value not in {"-", ""}:
                by_place.setdefault(place, []).append((row.record, value))
            else:
                empty.setdefault(place, []).append(row.record)
    for place, cells in by_place.items():
        if all(_CODING.match(value) for _, value in cells):
            for record, value in [*cells, *((record, "-") for record in empty.get(place, ()))]:
                record.set("received:Content-Encoding", value)
        if all(is_cache_word(value) for _, value in cells):
            for record, value in cells:
                record.set("cache", value)
        if len({value for _, value in cells}) == len(cells) and all(_MARK.match(value) for _, value in cells):
            for record, value in cells:
                record.set("mark", value)
        if all(_PRODUCT.match(value) and not _TAGS.match(value) for _, value in cells):
            for record, value in cells:
                record.set("sent:User-Agent", value)
    for pattern, answered, guards, revalidates in _SHAPES:
        columns = {
            place: cells
            for place, cells in by_place.items()
            if all(pattern.match(value) or value == "*" for _, value in cells)
        }
        _assign(columns, answered, guards, revalidates, drafts)


def _assign(
    columns: dict[int, list[tuple[LogRecord, str]]],
    answered: str,
    guards: str,
    revalidates: str,
    drafts: Drafts,
) -> None:
    def on_reads(place: int) -> int:
        return sum(
            1 for record, _ in columns[place] if record.draft.method == "GET" and record.draft.status == 200
        )

    issuer = max(columns, key=on_reads, default=None)
    if issuer is None:
        return
    if not on_reads(issuer):
        drafts.warn(
            "columns hold entity tags or dates, but no read that was answered 200 shows which is "
            f"{answered.partition(':')[2]}; they count as not known. "
            "Put the log format into a first line: # log_format main '...';"
        )
        return
    issued = dict[int, str]()
    for record, value in columns[issuer]:
        record.set(answered, value)
        issued[id(record)] = value
    for place, cells in columns.items():
        if place == issuer or all(issued.get(id(record)) == value for record, value in cells):
            continue  # the same field as the server behind sent it
        methods = {record.draft.method for record, _ in cells}
        if methods <= {"GET", "HEAD"}:
            meaning = revalidates
        elif methods <= _WRITES:
            meaning = guards if any(value != "*" for _, value in cells) else ""
        else:
            meaning = ""
        for record, value in cells:
            record.set(meaning, value)
        if not meaning:
            drafts.warn(f"column {place + 1} behind the standard ones cannot be told; it counts as not known")
