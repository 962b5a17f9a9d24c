"""A versioned origin: correct by itself, wrong in one way for each fault that is switched on."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from tools.simulation.messages import Lost, Response, http_date
from tools.simulation.store import Condition, Entry, strong_match, weak_match

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.simulation.kernel import Flow, World
    from tools.simulation.messages import Answer, Document, Request
    from tools.simulation.skin import Skin

Hook: TypeAlias = "Callable[[Request], Response | None]"


@dataclass(slots=True)
class Faults:
    """What is wrong with a server; nothing by default.

    Attributes:
        ignored: methods on which no precondition is looked at.
        weak_tags: tags are weak.
        settle: seconds for which a fresh tag is weak (and so are compared).
        nonce: each answer has another tag.
        write_salt: the answer to a write carries a tag of another kind.
        head_salt: HEAD answers with a tag of another kind.
        post_commit: the condition is compared after the write.
        race_gap: seconds between check and write.
        star_is_text: `*` is compared as a tag.
        not_modified_as_412: GET with a matching If-None-Match is 412.
        refuse_any: each condition is refused.
        unimplemented: each condition on a write is 501.
        required: unguarded writes are refused.
        stall: seconds the answer to a write waits after the commit.
        lose: the answer to a write is lost after the commit, this many times.
        clock: seconds the server's clock is ahead.
        precise: dates are compared with their fraction.
        invalid_date_refused: an unparsable date is 412.
        drop_malformed: a malformed tag list counts as no condition.
        reject_malformed: a malformed tag list is 400.
        no_tags: no ETag at all, only dates.
        no_validators: neither.
        accept_variant: header whose value selects a variant with its own tag.
        variant_of_write: value assumed for it on writes.
    """

    ignored: frozenset[str] = frozenset()
    weak_tags: bool = False
    settle: float = 0.0
    nonce: bool = False
    write_salt: str = ""
    head_salt: str = ""
    post_commit: bool = False
    race_gap: float = 0.0
    star_is_text: bool = False
    not_modified_as_412: bool = False
    refuse_any: bool = False
    unimplemented: bool = False
    required: bool = False
    stall: float = 0.0
    lose: int = 0
    clock: float = 0.0
    precise: bool = False
    invalid_date_refused: bool = False
    drop_malformed: bool = False
    reject_malformed: bool = False
    no_tags: bool = False
    no_validators: bool = False
    accept_variant: str = ""
    variant_of_write: str = ""


class Origin:
    """The server of one API.

    Args:
        world: clock and randomness.
        skin: dialect.
        store: what it keeps; nodes may share it.
    """

    def __init__(self, world: World, skin: Skin, store: dict[str, Entry] | None = None) -> None:
        self.world = world
        self.skin = skin
        self.store: dict[str, Entry] = {} if store is None else store
        self.faults = Faults()
        self.hooks: list[Hook] = []
        self.after_write: list[Callable[[Entry], None]] = []
        self.salt = ""
        self.node_fields: list[tuple[str, str]] = []
        self.history: list[tuple[float, str, str, Document]] = []
        self.pace = world.rng.uniform(0.002, 0.02)
        self._version = world.rng.randrange(1, 400)
        self._nonces = 0

    def seed(self, key: str, document: Document, age: float, author: str = "seed") -> Entry:
        """Store a first version as if it had been there for `age` seconds."""
        then = self.world.now - age
        self._version += 1
        entry = Entry(key, dict(document), self._version, then, then, author, self.skin.form)
        self.store[key] = entry
        return entry

    def commit(self, key: str, document: Document, author: str) -> Entry:
        """Store a new version now."""
        old = self.store.get(key)
        self._version += 1
        created = old.created if old else self.world.now
        entry = Entry(
            key, copy.deepcopy(document), self._version, self.world.now, created, author, self.skin.form
        )
        if old:
            entry.extra = dict(old.extra)
        self.store[key] = entry
        self.history.append((self.world.now, key, author, document))
        return entry

    def tag(self, entry: Entry, request: Request, use: str) -> str | None:
        """Return the tag this server gives a version; `use` is read, head, write or compare."""
        faults = self.faults
        if faults.no_tags or faults.no_validators:
            return None
        salt = self.salt
        if faults.nonce:
            self._nonces += 1
            salt += f"n{self._nonces}"
        if use == "write":
            salt += faults.write_salt
        if use == "head":
            salt += faults.head_salt
        if faults.accept_variant:
            salt += request.field(faults.accept_variant) or faults.variant_of_write
        shown = copy.copy(entry)
        shown.salt = salt
        tag = self.skin.tag(shown)
        young = faults.settle and self.world.now - entry.modified < faults.settle
        return f"W/{tag}" if (faults.weak_tags or young) and not tag.startswith("W/") else tag

    def modified(self, entry: Entry) -> str | None:
        """Return Last-Modified, where this server sends one."""
        if self.faults.no_validators or not (self.skin.dates or self.faults.no_tags):
            return None
        moment = entry.modified + self.faults.clock
        return http_date(moment)

    def serve(self, request: Request) -> Flow[Answer]:
        """Answer a request."""
        yield self.pace * self.world.rng.uniform(0.7, 1.6)
        answer = yield from self._served(request)
        if request.method == "HEAD" and isinstance(answer, Response):
            answer.body = None
        return answer

    def _served(self, request: Request) -> Flow[Answer]:
        for hook in self.hooks:
            special = hook(request)
            if special is not None:
                return self.dressed(special)
        operation, key = self.skin.operation(request)
        if operation in {"read", "head"}:
            return self.dressed(self._read(request, operation, key))
        if operation in {"write", "create", "delete"}:
            answer = yield from self._write(request, operation, key)
            return answer
        return self.dressed(Response(204, [("Allow", "GET, HEAD, PUT, PATCH, DELETE, OPTIONS")]))

    def dressed(self, answer: Response) -> Response:
        """Return an answer with the fields of the server software."""
        moment = self.world.now + self.faults.clock
        own = [*answer.fields, *_fresh(self.skin.clutter, self.world)]
        answer.fields = [*self.skin.server.dress(own, moment, self.world.rng), *self.node_fields]
        return answer

    def judge(self, request: Request, entry: Entry | None, condition: Condition | None) -> str:
        """Return ok, mismatch, exists, gone, required, malformed or unimplemented.

        Source: RFC 9110 section 13.2.2, but for the faults.
        """
        faults = self.faults
        if request.method in faults.ignored:
            return "ok"
        if condition is None:
            return "required" if faults.required and entry is not None else "ok"
        if faults.unimplemented:
            return "unimplemented"
        if faults.refuse_any:
            return "mismatch"
        kind = condition.kind
        if kind.startswith("malformed"):
            if faults.drop_malformed:
                return "ok"
            return "malformed" if faults.reject_malformed else "mismatch"
        if kind == "exists":
            return "mismatch" if faults.star_is_text else ("ok" if entry else "gone")
        if kind == "absent":
            return "exists" if entry else "ok"
        if kind == "unmodified":
            return self._judge_date(entry, condition)
        if entry is None:
            return "gone" if kind == "match" else "ok"
        current = self.tag(entry, request, "compare") or ""
        if kind == "none-match":
            return "exists" if any(weak_match(value, current) for value in condition.values) else "ok"
        match = weak_match if self.skin.weak_by_dialect else strong_match
        return "ok" if any(match(value, current) for value in condition.values) else "mismatch"

    def _judge_date(self, entry: Entry | None, condition: Condition) -> str:
        if condition.date is None:
            return "mismatch" if self.faults.invalid_date_refused else "ok"
        if entry is None:
            return "ok"
        moment = entry.modified + self.faults.clock
        if self.faults.precise:
            return "ok" if moment <= condition.date else "mismatch"
        return "ok" if int(moment) <= condition.date else "mismatch"

    def _read(self, request: Request, operation: str, key: str) -> Response:
        entry = self.store.get(key)
        if entry is None:
            return self.skin.absent()
        tag, modified = self.tag(entry, request, operation), self.modified(entry)
        answer = self.skin.present(entry, tag, modified)
        condition = self.skin.condition(request)
        if condition is not None and request.method not in self.faults.ignored:
            refusal = self._read_condition(request, entry, condition, tag, answer)
            if refusal is not None:
                return refusal
        if self.faults.accept_variant:
            answer.fields.append(("Vary", self.faults.accept_variant))
        return Response(answer.status, answer.fields, None) if operation == "head" else answer

    def _read_condition(
        self, request: Request, entry: Entry, condition: Condition, tag: str | None, answer: Response
    ) -> Response | None:
        unchanged = condition.kind == "absent" or (
            condition.kind == "none-match" and any(weak_match(one, tag or "") for one in condition.values)
        )
        if condition.kind == "modified" and condition.date is not None:
            unchanged = int(entry.modified + self.faults.clock) <= condition.date
        if unchanged:
            if self.faults.not_modified_as_412:
                return self.skin.refused("mismatch", condition, entry, tag)
            kept = {"etag", "last-modified", "cache-control", "vary", "expires"}
            return Response(304, [one for one in answer.fields if one[0].lower() in kept])
        if condition.kind in {"match", "unmodified", "exists"} or condition.kind == "malformed-match":
            verdict = self.judge(request, entry, condition)
            if verdict != "ok":
                return self.skin.refused(verdict, condition, entry, tag)
        return None

    def _write(self, request: Request, operation: str, key: str) -> Flow[Answer]:
        faults = self.faults
        entry = self.store.get(key)
        condition = self.skin.condition(request)
        verdict = self.judge(request, entry, condition)
        if verdict == "unimplemented":
            return self.dressed(
                self.skin.json_answer(
                    501, '{"error":"NotImplemented","message":"Conditional writes are not implemented"}'
                )
            )
        if entry is None and operation == "delete" and verdict == "ok":
            return self.dressed(self.skin.absent())
        if verdict != "ok":
            tag = self.tag(entry, request, "read") if entry else None
            return self.dressed(self.skin.refused(verdict, condition, entry, tag))
        if faults.race_gap:
            yield faults.race_gap
            entry = self.store.get(key)
        if operation == "delete":
            self.store.pop(key, None)
            return (yield from self._sent(self.skin.deleted()))
        document = self.skin.unwrap(request)
        if "patch" in document and isinstance(document["patch"], dict):
            document = {**(entry.document if entry else {}), **document["patch"]}
        stored = self.commit(key, document, request.field("User-Agent") or "")
        for after in self.after_write:
            after(stored)
        tag, modified = self.tag(stored, request, "write"), self.modified(stored)
        answer: Response = self.skin.accepted(stored, tag, modified, created=entry is None)
        if faults.post_commit and condition is not None:
            answer = self.skin.refused("mismatch", condition, stored, None)
        return (yield from self._sent(answer))

    def _sent(self, answer: Response) -> Flow[Answer]:
        """Send the answer to what was done, late or not at all."""
        faults = self.faults
        if faults.stall:
            yield faults.stall
        if faults.lose > 0:
            faults.lose -= 1
            yield self.world.rng.uniform(0.01, 0.2)
            return Lost("connection closed before a response")
        return self.dressed(answer)


def _fresh(fields: list[tuple[str, str]], world: World) -> list[tuple[str, str]]:
    number, took = f"{world.rng.getrandbits(64):016x}", f"{world.rng.uniform(1, 30):.1f}"
    return [(name, value.replace("{id}", number).replace("{ms}", took)) for name, value in fields]


@dataclass(slots=True)
class Counted:
    """A hook that answers the first `times` requests it wants, then steps aside."""

    wants: Callable[[Request], bool]
    answer: Callable[[Request], Response]
    times: int = 1
    seen: int = field(default=0)

    def __call__(self, request: Request) -> Response | None:
        """Answer, or step aside."""
        if self.seen >= self.times or not self.wants(request):
            return None
        self.seen += 1
        return self.answer(request)


@dataclass(slots=True)
class CrossOrigin:
    """What a service allows to pages of another origin.

    Attributes:
        site: the page's origin.
        vary: answers name the origin and vary by it; otherwise any origin is let in.
        exposes: ETag may be read.
        allows: If-Match may be sent.
    """

    site: str
    vary: bool
    exposes: bool
    allows: bool

    def __call__(self, request: Request) -> Response | None:
        """Answer preflights."""
        if request.method != "OPTIONS":
            return None
        allowed = "Content-Type, If-Match" if self.allows else "Content-Type"
        fields = [("Access-Control-Allow-Methods", "GET, PUT, PATCH, DELETE")]
        return Response(
            204, [*fields, ("Access-Control-Allow-Headers", allowed), ("Access-Control-Max-Age", "600")]
        )

    def opened(self, answer: Response) -> Response:
        """Return an answer with the fields of CORS."""
        answer.fields.append(("Access-Control-Allow-Origin", self.site if self.vary else "*"))
        if self.vary:
            answer.fields.append(("Vary", "Origin"))
        if self.exposes:
            answer.fields.append(("Access-Control-Expose-Headers", "ETag"))
        return answer
