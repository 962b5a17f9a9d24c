"""Tell a story of ETag and If-Match in the language of an API family: URLs, envelopes, versions, refusals.

`dialect_forms.py` reads the families' forms.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from dialect_forms import families, filled, message, refusals
from transposing import JSON, tags_out, without

from ifmatch.model.exchange import Capture
from ifmatch.model.message import Content, Request, Response
from ifmatch.model.unknown import UNKNOWN

_FIRST = 41
_FIRST_BARE = 4101
_NUMBER = re.compile(r"[1-9]\d{0,14}")
_MOST = 99
# Stands for a version that the story does not tell; what holds it is taken out again.
_UNTOLD = "8675309"
_OPTIONAL = re.compile(r"<\((.*?)\)>", re.DOTALL)
_AROUND = re.compile(r"[\w.,:%+'-]*<v(?:\+1)?>[\w=.:'-]*")
_FIELD = re.compile(r"[A-Za-z][\w-]*: ?")
_STATE = re.compile("<(?:s|m|b|esc|html|xml|ics)>")
_NAMES = re.compile(r'"([^"<>]+)"\s*:')
_GONE = frozenset({"if-match", "etag", "content-type", "content-length"})
_NO_TOKENS = frozenset({"", "null", "undefined", "none", "nil", "nan", "[object object]"})
_PLACEHOLDER = re.compile(r"[{$<%]")


def no_version(token) -> bool:
    """Tell whether a token is a program's word for none, or a placeholder that nobody filled in."""
    return token.strip().lower() in _NO_TOKENS or _PLACEHOLDER.search(token) is not None


def counted(captures, *, bare=False):
    """Return the story's versions as numbers in the order of their times.

    Args:
        captures: of the story.
        bare: whether a number stands for itself, so that it may be any; else it has two digits.
    """
    first = _FIRST_BARE if bare else _FIRST
    times: dict[str, float] = {}
    steps = sorted(
        (one for capture in captures for one in capture.exchanges), key=lambda one: one.started + one.duration
    )
    for step in steps:
        tag = step.response.fields.text("etag") if step.response is not None else None
        if tag is not None:
            times.setdefault(tag.strip('"'), step.started + step.duration)
    for step in steps:
        sent = step.request.fields.text("if-match")
        if sent is not None and not no_version(sent.strip('"')):
            times.setdefault(sent.strip('"'), _named_in(steps, sent))
    if bare and all(_NUMBER.fullmatch(token) for token in times):
        return {token: token for token in times}
    if all(token.isdigit() and int(token) <= _MOST - _FIRST for token in times):
        return {token: str(first - 1 + int(token)) for token in times}
    return {token: str(first + place) for place, token in enumerate(sorted(times, key=times.__getitem__))}


def _named_in(steps, tag):
    """Return when a content, as that of a list, gave out a version that no field of an answer has, or 0."""
    for step in steps:
        content = step.response.content if step.response is not None else None
        if isinstance(content, Content) and json.dumps(tag.strip('"'))[1:-1] in content.text:
            return step.started + step.duration
    return 0.0


@dataclass(frozen=True)
class Tongue:
    """An API family's forms.

    Attributes:
        form: of `dialect_damages.toml`.
        refuses: of `dialect_refusals.toml`.
    """

    form: dict
    refuses: dict

    @property
    def name(self):
        """Return the family's id."""
        return self.form["id"]

    @property
    def plain(self):
        """Tell whether any text may be a version."""
        return self.refuses.get("plain", False)

    @property
    def status(self):
        """Return the status of a refusal."""
        return self.refuses["refused"]

    @property
    def in_field(self):
        """Tell whether the version is sent in a field."""
        return _FIELD.match(self.form["with"]) is not None

    @property
    def in_body(self):
        """Tell whether the version is sent in the content."""
        return not self.in_field and "<t>" not in self.form["write"]

    @property
    def one_url(self):
        """Tell whether things share one URL."""
        return "<n>" not in self.form["write"].partition("?")[0]

    @property
    def shows_in_body(self):
        """Tell whether answers show their version in the content alone."""
        return not any("<v>" in value for _, value in message(self.form["shown"])[0])

    def line(self, method):
        """Return the request line of a method, None where the family has none."""
        if method == "GET":
            return self.form["read"]
        if method == "PUT":
            return self.form["write"]
        kind = method.lower()
        if kind in self.refuses:
            return self.refuses[kind]
        write = self.form["write"]
        if method == "PATCH" and write.startswith("PATCH "):
            return write
        if method == "PATCH" and self.as_text:
            # Nobody sends a part of a text for the whole.
            return None
        return f"{method} {write[4:]}" if self.in_field and write.startswith("PUT ") else None

    @property
    def names_stored(self):
        """Tell whether a refusal names the version that is stored."""
        return "<now>" in self.refuses["refusal"] or not self.shows_in_body

    @property
    def issues(self):
        """Tell whether the answer to a write gives the version that it made, or the write itself says it."""
        return "<v>" in self.form.get("done", self.form["shown"]) or "<v+1>" in self.form["sent"]

    @property
    def as_text(self):
        """Tell whether the whole state is told as a text that is no JSON."""
        return re.search("<(?:html|urlhtml|xml|ics|acts)>", self.form["sent"]) is not None

    @property
    def as_prose(self):
        """Tell whether the whole state is told as text with marks, in which no member has a name."""
        return "html>" in self.form["sent"]

    @property
    def counts_by_itself(self):
        """Tell whether a write alone says which version it makes, one more than it expects."""
        return "<v+1>" in self.form["sent"] and "<v>" not in self.form.get("done", self.form["shown"])

    @property
    def commands(self):
        """Tell whether a write is a list of commands."""
        return "<acts>" in self.form["sent"]

    @property
    def shows_written(self):
        """Tell whether the answer to a write shows what is stored now."""
        done = self.form.get("done", self.form["shown"])
        return _STATE.search(done) is not None or (not message(done)[1] and not self.shows_in_body)

    def members(self):
        """Return the names of members that stand beside those of the state."""
        texts = [self.form[name] for name in ("shown", "sent", "done") if name in self.form]
        return {name for text in texts if "<m>" in text for name in _NAMES.findall(text)}

    def miscounts(self, captures):
        """Tell whether the story's writes make other versions than the next one after what they expect."""
        around = _AROUND.search(self.form["with"])
        places = counted(captures, bare=around is not None and around[0] in {"<v>", "<v+1>"})
        for step in (one for capture in captures for one in capture.exchanges):
            sent, response = step.request.fields.text("if-match"), step.response
            made = response.fields.text("etag") if response is not None and response.status < 300 else None
            if step.request.method == "GET" or sent is None or made is None or no_version(sent.strip('"')):
                continue
            one, two = (places[tag.strip('"')] for tag in (sent, made))
            if not one.isdigit() or not two.isdigit() or int(two) - int(one) != 1:
                return True
        return False

    def captures(self, captures):
        """Return captures told in the family's language."""
        return _Telling(self, captures).captures()


@dataclass(frozen=True)
class _Step:
    """What one exchange of the story says."""

    method: str
    path: str
    token: str | None
    state: dict
    unseen: bool


class _Telling:
    def __init__(self, tongue, captures):
        self.tongue = tongue
        self.story = captures
        around = _AROUND.search(tongue.form["with"])
        self.places = counted(captures, bare=around is not None and around[0] in {"<v>", "<v+1>"})
        self.states = self._states()

    def captures(self):
        return [
            Capture(one.name, one.format, tuple(self._exchange(step) for step in one.exchanges))
            for one in self.story
        ]

    def _spelt(self, token):
        return token if self.tongue.plain else self.places.get(token, token)

    def _object(self, content):
        if not isinstance(content, Content):
            return {}
        found = tags_out(content.json(), self._as_member)
        return found if isinstance(found, dict) else {}

    def _as_member(self, token):
        """Return a version as it stands in a content: a number where it is one."""
        told = self._spelt(token)
        return int(told) if told.isdigit() else told

    def _states(self):
        """Return the state of each thing after each write that was taken, as the story tells it."""
        known: dict[str, dict] = {}
        found: dict[int, dict] = {}
        steps = sorted(
            (one for capture in self.story for one in capture.exchanges),
            key=lambda one: one.started + one.duration,
        )
        for step in steps:
            response, path = step.response, urlsplit(step.request.url).path
            if response is None or response.status >= 300:
                continue
            shown, sent = self._object(response.content), self._object(step.request.content)
            if step.request.method == "PATCH" and not shown:
                shown = _merged(known.get(path, {}), sent)
            known[path] = shown or sent or known.get(path, {})
            found[id(step)] = known[path]
        return found

    def _exchange(self, exchange):
        request, response = exchange.request, exchange.response
        sent = request.fields.text("if-match")
        step = _Step(
            request.method,
            urlsplit(request.url).path,
            None if sent is None else sent.strip('"'),
            self._object(request.content),
            request.content is UNKNOWN,
        )
        asked = self._request(step, request)
        answer = self._response(exchange, step) if response is not None else None
        return replace(exchange, request=asked, response=answer)

    # -- the request ------------------------------------------------------------------

    def _request(self, step, request):
        form, refuses = self.tongue.form, self.tongue.refuses
        name = _slug(step.path)
        content = form["sent"]
        if step.method == "GET":
            content = form.get("asked", "")
        elif step.method == "DELETE":
            content = refuses.get("delete-sent", _fields_of(form["sent"]))
        elif step.method == "PATCH":
            content = refuses.get("patch-sent", content)
        guard = self._guard(step)
        line, text = (
            filled(one, self._base(step), step.state, guard, name)
            for one in (self.tongue.line(step.method), content)
        )
        method, _, url = line.partition(" ")
        fields, body = message(text)
        if body and not any(one.lower() == "content-type" for one, _ in fields):
            fields.append(JSON)
        origin = urlsplit(request.url)
        target = url.partition("://")[2].partition("/")[2]
        told = Content.from_text(body) if body else None
        if step.unseen or (request.content is None and not self.tongue.in_body and step.method != "GET"):
            told = request.content
        return Request(
            method,
            f"{origin.scheme}://{origin.netloc}/{target}",
            without(request.fields, _GONE, *fields),
            told,
        )

    def _guard(self, step):
        if step.token is None:
            return ""
        form = self.tongue.refuses.get(f"{step.method.lower()}-with", self.tongue.form["with"])
        if no_version(step.token):
            return _worded(form, step.token) + ("\n" if self.tongue.in_field else "")
        told = filled(form, self._spelt(step.token), {})
        return told.rstrip("\n") + "\n" if self.tongue.in_field else told

    def _base(self, step):
        """Return the version that a write counts from, where it says which it makes."""
        token = step.token if step.token is not None and not no_version(step.token) else ""
        return self._spelt(token) if token else min(self.places.values(), default=str(_FIRST))

    # -- the answer -------------------------------------------------------------------

    def _response(self, exchange, step):
        response = exchange.response
        tag = response.fields.text("etag")
        version = None if tag is None else self._spelt(tag.strip('"'))
        if response.status == 412:
            return self._refusal(response, step, version)
        if response.status == 428:
            return self._worded(response, step, "missing")
        if response.status in {404, 410} and "gone" in self.tongue.refuses:
            return self._worded(response, step, "gone")
        if response.status >= 300:
            moved = [] if "location" not in response.fields else [("Location", self._moved_to(response))]
            fields = without(response.fields, {"etag", "location"}, *moved, *self._versions(version))
            return Response(response.status, "", fields, response.content)
        return self._success(exchange, step, version)

    def _success(self, exchange, step, version):
        response, form = exchange.response, self.tongue.form
        if step.method == "DELETE":
            if "deleted" not in self.tongue.refuses:
                return Response(response.status, "", without(response.fields, _GONE), response.content)
            text = filled(self.tongue.refuses["deleted"], "99", {}, "", _slug(step.path))
            return Response(200, "", without(response.fields, _GONE, JSON), Content.from_text(text))
        template = form["shown"] if step.method == "GET" else form.get("done", form["shown"])
        state = self.states.get(id(exchange), {})
        fields, body = message(filled(template, version or _UNTOLD, state, "", _slug(step.path)))
        if version is None:
            fields = [(name, value) for name, value in fields if _UNTOLD not in value]
            body = _pruned(body)
        content = Content.from_text(body) if body else None
        told = step.method != "GET" and "<v>" in form.get("done", "")
        if not (self.tongue.shows_in_body or told) and not isinstance(response.content, Content):
            content = response.content
        elif content is None and not self.tongue.shows_in_body:
            # What a service shows of a write is what it shows of a read.
            _, shown = message(filled(form["shown"], version or _UNTOLD, state, "", _slug(step.path)))
            content = Content.from_text(shown if version is not None else _pruned(shown))
        if content is not None and not any(name.lower() == "content-type" for name, _ in fields):
            fields.append(JSON)
        status = 200 if response.status == 204 and content is not None else response.status
        return Response(status, "", without(response.fields, _GONE, *fields), content)

    def _moved_to(self, response):
        """Return where a redirect leads: to the thing's own URL, with a slash more where the story has it."""
        place = response.fields.text("location")
        parts = urlsplit(place)
        line = filled(self.tongue.line("GET"), "", {}, "", _slug(parts.path))
        there = "/" + line.partition("://")[2].partition("/")[2]
        front, mark, query = there.partition("?")
        end = "/" if parts.path.endswith("/") and not front.endswith("/") else ""
        origin = f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
        return f"{origin}{front}{end}{mark}{query}"

    def _versions(self, version):
        """Return the fields in which the family shows a version."""
        if version is None:
            return []
        form = self.tongue.form
        fields, _ = message(form["shown"] if "<v>" in form["shown"] else form.get("done", ""))
        return [(name, filled(value, version, {})) for name, value in fields if "<v>" in value]

    def _refusal(self, response, step, version):
        text = _OPTIONAL.sub(r"\1" if version is not None else "", self.tongue.refuses["refusal"])
        sent = "" if step.token is None else self._spelt(step.token)
        fields, body = message(filled(text, "", {}, "", _slug(step.path), now=version or "", sent=sent))
        details = self._object(response.content)
        if body[:1] == "{" and details:
            body = json.dumps({**json.loads(body), "details": details})
        elif not body and isinstance(response.content, Content):
            body = response.content.text
        if body and not any(name.lower() == "content-type" for name, _ in fields):
            fields.append(JSON)
        told = [*fields, *self._versions(version)]
        content = Content.from_text(body) if body else response.content
        return Response(self.tongue.status, "", without(response.fields, _GONE, *told), content)

    def _worded(self, response, step, kind):
        status, _, text = self.tongue.refuses[kind].partition(" ")
        text = filled(text, "", {}, "", _slug(step.path))
        return Response(int(status), "", without(response.fields, _GONE, JSON), Content.from_text(text))


def _merged(state, patch):
    """Return a state after a merge patch (RFC 7396 section 2)."""
    found = {name: value for name, value in state.items() if patch.get(name, value) is not None}
    for name, value in patch.items():
        if isinstance(value, dict):
            below = found.get(name)
            found[name] = _merged(below if isinstance(below, dict) else {}, value)
        elif value is not None:
            found[name] = value
    return found


def _slug(path):
    return path.strip("/").replace("/", "-") or "root"


def _fields_of(form):
    """Return the fields of a form without its content."""
    head, found, _ = form.partition("\n\n")
    if not found:
        head, found, _ = form.partition("<t>\n")
        head += "<t>"
    return f"{head}\n\n" if found else ""


def _worded(form, word):
    """Return a precondition that holds a word, or no JSON value, for a version."""
    if _FIELD.match(form) or form.startswith(("?", "&")):
        return _AROUND.sub(lambda _: word, form)
    quoted = f'"{word}"' if word.strip() else '""'
    told = "null" if word.lower() in {"null", "nan"} else quoted
    if re.search(r'"[^"]*<v(?:\+1)?>[^"]*"', form):
        return re.sub(r'"[^"]*<v(?:\+1)?>[^"]*"', lambda _: told, form)
    return _AROUND.sub(lambda _: told, form)


def _pruned(body):
    """Return a JSON text without the members that hold a version which the story does not tell."""
    if body[:1] not in {"{", "["}:
        return body
    return json.dumps(_without(json.loads(body)))


def _without(value):
    if isinstance(value, dict):
        return {name: _without(one) for name, one in value.items() if not _tells(one)}
    if isinstance(value, list):
        return [_without(one) for one in value if not _tells(one)]
    return value


def _tells(value):
    return isinstance(value, str | int) and _UNTOLD in str(value)


def tongues():
    """Return the families whose forms are known, by name; the second form of one has its own."""
    refused = refusals()
    found: dict[str, Tongue] = {}
    for form in families():
        name = form["id"]
        said = refused[name]
        # Where any text may be a version nothing stands around it, so that a damaged one is seen as it is.
        tongue = Tongue(_bare(form), _bare(said)) if said.get("plain") else Tongue(form, said)
        found[f"{name}, again" if name in found else name] = tongue
    return found


def _bare(forms):
    return {name: _AROUND.sub("<v>", text) if isinstance(text, str) else text for name, text in forms.items()}


TONGUES = tongues()
