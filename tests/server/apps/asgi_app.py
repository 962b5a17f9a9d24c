"""The service on bare ASGI."""

from __future__ import annotations

from ifmatch.server.asgi import PreconditionMiddleware, check, exchange_of, facts_of
from tests.server.apps.service import BASE, MEDIA_TYPES, SETTINGS, Result, Service, allowed, name_of

service = Service()


async def routes(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    result = await respond(scope, receive)
    lines = [(name.lower().encode(), value.encode("latin-1")) for name, value in result.fields]
    if result.status not in (204, 304):
        lines.append((b"content-length", b"%d" % len(result.octets)))
    await send({"type": "http.response.start", "status": result.status, "headers": lines})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else result.octets})


async def respond(scope, receive) -> Result:
    name, method = name_of(scope["path"]), scope["method"]
    if name is None:
        return Result(404)
    if name == "-private" and not any(key == b"authorization" for key, _ in scope["headers"]):
        return Result(401, (("WWW-Authenticate", "Bearer"),))
    if name == "-forbidden":
        return Result(403)
    if name == "-moved":
        return Result(302, (("Location", BASE),))
    if method not in allowed(name):
        return Result(405, (("Allow", ", ".join(allowed(name))),))
    query = scope["query_string"].decode("latin-1")
    conditional = await check(scope, lambda _: service.current(name, query), media_types=MEDIA_TYPES)
    facts = facts_of(scope)
    if method in ("GET", "HEAD"):
        return service.read(facts, conditional)
    octets = b""
    while True:
        message = await receive()
        octets += message.get("body", b"")
        if not message.get("more_body"):
            break
    return service.write(name, facts, octets, exchange_of(scope).settings)


app = PreconditionMiddleware(routes, settings=SETTINGS, date=True)
