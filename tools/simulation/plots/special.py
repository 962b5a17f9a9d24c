"""Firewalls, business rules, locks, leases, elections, searches, payloads, browsers."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from tools.simulation.messages import Exchange, Lost, Request, Response, get
from tools.simulation.origin import CrossOrigin
from tools.simulation.plots.conflicts import intrude
from tools.simulation.stage import Told

if TYPE_CHECKING:
    from tools.simulation.agents import Agent
    from tools.simulation.kernel import Flow
    from tools.simulation.messages import Document
    from tools.simulation.stage import Editor, Stage

_FIREWALL = (
    (
        "<html><head><title>412 Precondition Failed</title></head><body><h1>Request blocked</h1><p>Your request was flagged by our security rules.</p><p>Incident ID: {id}</p></body></html>",
        "text/html",
    ),
    (
        "<!DOCTYPE html><title>Access denied</title><p>Sorry, you have been blocked. Reference #{id}</p>",
        "text/html; charset=utf-8",
    ),
    (
        "<html><body><center><h1>412 Precondition Failed</h1></center><hr><center>WAF</center><!-- rule 949110 {id} --></body></html>",
        "text/html",
    ),
)
_ATTACKS = ("<script>alert(1)</script>", "1' OR '1'='1", "../../etc/passwd", "${jndi:ldap://x.example/a}")


def firewall(stage: Stage) -> Told:
    """A firewall answers 412 by what the body looks like."""
    stage.first()
    me = stage.editor()
    guarded = stage.rng.random() < 0.5
    page, media = stage.rng.choice(_FIREWALL)
    word = stage.rng.choice(_ATTACKS)

    def block(request: Request) -> Response | None:
        if isinstance(request.body, str) and word in request.body:
            return stage.skin.json_answer(
                412, page.replace("{id}", f"{stage.rng.getrandbits(48):012x}"), media
            )
        return None

    stage.origin.hooks.append(block)
    stage.skin.form = "json"

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        yield from me.agent.think()
        bad = {**me.document, "comment": f"see {word}"}
        yield from me.save(stage.key, bad, guarded=guarded)
        yield from me.agent.think(0.3, 2)
        if guarded:
            yield from me.read(stage.key)
        fine = {**me.document, "comment": "see the manual"}
        yield from me.save(stage.key, fine, guarded=guarded)

    stage.play(story())
    more = (
        "The request does carry the current tag in If-Match, and the same tag passes with another text."
        if guarded
        else "There is no condition in the request."
    )
    return Told(
        "firewall-page",
        "nonprecondition-412",
        "412",
        ("nonprecondition-412",),
        f"A firewall answers 412 with its page to a text that looks like an attack. {more}",
    )


_RULES = (
    ("customer_not_approved", "The customer's credit is not approved."), ("device_not_enrolled", "Device must be enrolled before this call."),
    ("account_not_verified", "Please verify your e-mail address first."), ("tos_not_accepted", "Terms of service must be accepted."),
    ("billing_disabled", "Billing is disabled for this project."), ("quota_not_configured", "No quota is configured for this tenant."),
    ("kyc_required", "Identity check is required before a payout."), ("session_not_ready", "The session is not in state READY."),
)  # fmt: skip


def business_rule(stage: Stage) -> Told:
    """412 for a rule that has nothing to do with versions."""
    me = stage.editor()
    code, text = stage.rng.choice(_RULES)
    action = stage.rng.choice(("payouts", "activations", "jobs", "messages", "exports"))
    again = stage.rng.random() < 0.5
    stage.origin.hooks.append(
        lambda request: (
            stage.skin.json_answer(412, json.dumps({"error": code, "message": text}))
            if request.method == "POST"
            else None
        )
    )

    def story() -> Flow[None]:
        body = json.dumps(
            {"amount": stage.rng.randrange(10, 900), "target": f"T-{stage.rng.randrange(100, 999)}"}
        )
        for _ in range(2 if again else 1):
            yield from me.agent.send(
                Request(
                    "POST",
                    f"{stage.skin.origin_url}{stage.skin.prefix}/{action}",
                    [("Content-Type", "application/json")],
                    body,
                )
            )
            yield from me.agent.think(0.5, 3)

    stage.play(story())
    return Told(
        f"rule-{code.replace('_', '-')}",
        "nonprecondition-412",
        "412",
        ("nonprecondition-412",),
        "412 stands for a rule of the business; the request carries no condition and the text names the rule.",
    )


def _lock_noun(stage: Stage) -> None:
    stage.skin.topic = replace(
        stage.skin.topic, noun=stage.rng.choice(("locks", "leases", "coordination", "ownership"))
    )


def leader_election(stage: Stage) -> Told:
    """Losing the race for a lock key, round after round."""
    me = stage.editor(credentials=True)
    rivals = [stage.editor("other", like=me) for _ in range(stage.rng.choice((1, 2)))]
    _lock_noun(stage)
    key = stage.rng.choice(("leader", "scheduler", "cron-owner", "shard-3"))
    rounds = stage.rng.randrange(3, 6)
    period = stage.rng.choice((1.0, 2.0, 5.0))

    def holds(who: Editor) -> Flow[None]:
        document: Document = {"holder": "node-1", "ttl": int(period * 3), "renewals": 0}
        answer = yield from who.agent.send(stage.skin.create(key, document))
        who.document, who.token = document, stage.skin.token_of(answer)
        for number in range(rounds):
            yield period * stage.rng.uniform(0.97, 1.03)
            if who.token is None:
                yield from who.read(key)
            yield from who.save(key, {**document, "renewals": number + 1})
            yield from who.look(key)

    def tries(who: Editor, number: int) -> Flow[None]:
        for _ in range(rounds):
            yield from who.agent.send(
                stage.skin.create(key, {"holder": f"node-{number}", "ttl": int(period * 3), "renewals": 0})
            )
            yield period * stage.rng.uniform(0.97, 1.03)

    def story() -> Flow[None]:
        stage.world.spawn(holds(rivals[0]))
        for number, who in enumerate([me, *rivals[1:]]):
            stage.world.spawn(tries(who, number + 2), delay=0.3 + 0.1 * number)
        yield 0.1

    stage.skin.patch = False
    stage.play(story())
    return Told(
        "leader-election",
        "expected-control-flow",
        str(stage.skin.exists_status),
        ("expected-control-flow", "none"),
        "Nodes try for a leader key with a create-only write at a steady pace; one holds and renews it, the others are refused and wait. As designed.",
        bodies=False,
    )


def lock_poll(stage: Stage) -> Told:
    """Waiting for a lock object that somebody else holds, then getting it."""
    me, rival = stage.editor(), stage.editor("other")
    _lock_noun(stage)
    key = stage.rng.choice(("state.lock", "deploy.lock", "migrations.lock", "build-lock"))
    period = stage.rng.choice((1.0, 2.0, 5.0))
    runs = [f"run-{stage.rng.randrange(100, 999)}" for _ in range(2)]

    def story() -> Flow[None]:
        yield from rival.agent.send(stage.skin.create(key, {"run": runs[0]}))
        yield 0.5
        for _ in range(stage.rng.randrange(3, 6)):
            yield from me.agent.send(stage.skin.create(key, {"run": runs[1]}))
            yield period * stage.rng.uniform(0.98, 1.02)
        yield from rival.agent.send(stage.skin.remove(key, None))
        yield 0.3
        yield from me.agent.send(stage.skin.create(key, {"run": runs[1]}))
        yield 2.0
        yield from me.agent.send(stage.skin.remove(key, None))

    stage.play(story())
    return Told(
        "waits-for-a-lock-object",
        "expected-control-flow",
        str(stage.skin.exists_status),
        ("expected-control-flow", "none"),
        "A run waits for a lock object with a create-only write at a steady pace and is refused until its holder deletes it; then it gets it. As designed.",
        bodies=False,
    )


_UNSUPPORTED = (
    '{"error":"unsupported_header","message":"The If-Match header is not supported by this resource."}'
)


def refuses_any(stage: Stage) -> Told:
    """A service that refuses each condition, however fresh."""
    stage.first()
    me = stage.editor()
    form = stage.rng.choice(("any", "501", "400"))
    if form == "any":
        stage.origin.faults.refuse_any = True
    if form == "501":
        stage.origin.faults.unimplemented = True
    if form == "400":
        stage.origin.judge = lambda request, entry, condition: "malformed" if condition else "ok"  # type: ignore[method-assign]  # noqa: ARG005
        stage.skin.refused = lambda why, condition, entry, tag: stage.skin.json_answer(400, _UNSUPPORTED)  # type: ignore[method-assign]  # noqa: ARG005
    free = stage.rng.random() < 0.6

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        mine = stage.edit(me.document)
        yield from me.agent.think()
        for _ in range(2):
            yield from me.save(stage.key, mine)
            yield from me.agent.think(0.1, 1)
            yield from me.read(stage.key)
        if free:
            yield from me.save(stage.key, mine, guarded=False)

    stage.play(story())
    status = {"any": "412", "501": "501", "400": "400"}[form]
    alone = (
        ("unsupported-precondition", "server-precondition-bug")
        if form == "any"
        else ("unsupported-precondition",)
    )
    return Told(
        f"no-conditional-writes-{form}",
        "unsupported-precondition",
        status,
        alone,
        "The service refuses each condition whatever its value, also the tag just read"
        + ("; without a condition the same write passes." if free else "."),
        bodies=False,
    )


# Outcome, causes that the client's file supports, what is true as well, what happens.
_HIDDEN: dict[str, tuple[str, tuple[str, ...], tuple[str, ...], str]] = {
    "null": ("412", ("cors-hidden-etag", "null-token"), ("null-token",), "the script reads null and sends If-Match: null"),
    "undefined": ("412", ("cors-hidden-etag", "null-token"), ("null-token",), "the script sends the word undefined"),
    "required": ("428", ("cors-hidden-etag", "token-missing"), ("token-missing",), "the page has no tag to send and the service demands one: 428"),
    "preflight": ("blocked", ("cors-hidden-etag",), (), "the preflight does not allow If-Match, so the browser never sends the write"),
}  # fmt: skip


def cors_hidden(stage: Stage) -> Told:
    """A page of another origin cannot read ETag."""
    stage.first()
    me = stage.editor(kinds=("chrome", "chrome2", "firefox", "safari"), credentials=False)
    site = f"https://app.{stage.skin.host.partition('.')[2] or 'example'}"
    me.agent.own = [("Origin", site), ("Referer", f"{site}/")]
    form = stage.rng.choice(("null", "required", "undefined", "preflight"))
    blocked = form == "preflight"
    stage.origin.faults.required = form == "required"
    cors = CrossOrigin(site, vary=stage.rng.random() < 0.5, exposes=blocked, allows=not blocked)
    stage.let_in(cors)
    asked = "content-type" if form == "required" else "content-type,if-match"
    ask = [("Access-Control-Request-Method", "PUT"), ("Access-Control-Request-Headers", asked)]

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        yield from me.agent.think()
        mine = stage.edit(me.document)
        for number in range(stage.rng.choice((1, 2))):
            if number == 0:
                preflight = Request("OPTIONS", stage.skin.url(stage.key), ask)
                yield from me.agent.send(preflight, kind="preflight")
            if blocked:
                yield from _blocked(stage, me.agent, stage.skin.write(stage.key, mine, me.token, None))
            elif form == "required":
                yield from me.save(stage.key, mine, guarded=False)
            else:
                yield from me.save(stage.key, mine, form)
            yield from me.agent.think(0.5, 2)

    stage.skin.patch = False
    stage.play(story())
    outcome, alone, also, words = _HIDDEN[form]
    what = (
        "If-Match is not allowed to pages of other origins"
        if blocked
        else "ETag is not exposed to pages of other origins"
    )
    return Told(
        f"cors-{form}", "cors-hidden-etag", outcome, alone, f"{what}: {words}.", also=also, bodies=False
    )


def _blocked(stage: Stage, agent: Agent, request: Request) -> Flow[None]:
    own = [("User-Agent", get(list(agent.kind.fields), "User-Agent") or ""), *agent.own]
    request.fields = [*own, *request.fields]
    why = Lost("net::ERR_FAILED" if agent.kind.flavour == "chrome" else "blocked by CORS")
    agent.tape.exchanges.append(Exchange(stage.world.now, 0.004, request, why, "", "fetch"))
    yield 0.004


_ACTS = {
    409: "takes it for a clash of names and stores a copy under another",
    403: "fetches a new access token and looks at its permissions",
    400: "looks its body up in the schema",
    500: "takes the server for ill, asks for its health and puts the change into an outbox",
    200: "does not look into the body and goes on as if it were stored",
}
_ASIDE = {
    "/oauth/token": (200, '{"access_token":"a.b.c","token_type":"Bearer"}'),
    "/me/permissions": (200, '{"write":true}'),
    "/health": (200, '{"status":"UP"}'),
    "/outbox": (202, "{}"),
    "/publish": (202, "{}"),
    ".schema.json": (200, '{"type":"object"}'),
}


def _misled(stage: Stage, status: int, mine: Document) -> list[Request]:
    base = f"{stage.skin.origin_url}{stage.skin.prefix}"
    if status == 409:
        return [stage.skin.create(f"{stage.key}-copy", mine)]
    if status == 403:
        form = [("Content-Type", "application/x-www-form-urlencoded")]
        token = Request("POST", f"{base}/oauth/token", form, "grant_type=refresh_token&refresh_token=r1")
        return [token, Request("GET", f"{base}/me/permissions")]
    if status == 500:
        later = json.dumps({"later": stage.key})
        outbox = Request("POST", f"{base}/outbox", [("Content-Type", "application/json")], later)
        return [Request("GET", f"{base}/health"), outbox]
    if status == 400:
        return [Request("GET", f"{base}/{stage.skin.topic.noun}.schema.json")]
    return [Request("POST", f"{stage.skin.url(stage.key)}/publish")]


def status_misread(stage: Stage) -> Told:
    """The refusal comes under another status, and the client does the wrong thing about it."""
    stage.first()
    me, rival = stage.editor(), stage.editor("other")
    status = stage.rng.choice((409, 403, 400, 500, 200))

    def refuse(why: str, condition: object, entry: object, tag: object) -> Response:
        del condition, entry, tag
        if why == "mismatch":
            return _version_text(stage, status)
        return stage.skin.json_answer(409, '{"error":"exists"}')

    def aside(request: Request) -> Response | None:
        found = next((answer for end, answer in _ASIDE.items() if request.url.endswith(end)), None)
        return None if found is None else stage.skin.json_answer(*found)

    stage.skin.refused = refuse  # type: ignore[method-assign]
    stage.origin.hooks.append(aside)

    def story() -> Flow[None]:
        yield from me.read(stage.key)
        mine = stage.edit(me.document)
        yield from me.agent.think()
        yield from intrude(stage, rival, mine)
        yield from me.agent.think(0.3, 2)
        yield from me.save(stage.key, mine)
        yield from me.agent.think(0.1, 1)
        for request in _misled(stage, status, mine):
            yield from me.agent.send(request)

    stage.play(story())
    text = f"The service says {status} with a text about the version where others say 412; the client {_ACTS[status]}."
    return Told(
        f"version-conflict-as-{status}",
        "status-dialect-mismatch",
        str(status),
        ("status-dialect-mismatch", "other-writer"),
        text,
        also=("other-writer",),
    )


def _version_text(stage: Stage, status: int) -> Response:
    texts = (
        {
            "code": "VERSION_CONFLICT",
            "message": "the object has been modified; please apply your changes to the latest version",
        },
        {"ok": False, "error": "stale_revision", "detail": "version does not match the current one"},
        {
            "errorCode": "OptimisticLockException",
            "message": "Row was updated or deleted by another transaction",
        },
    )
    return stage.skin.json_answer(status, json.dumps(texts[stage.skin.wording % 3]))
