"""fastapi-etag: its dependency, with strong tags, as its documentation shows it."""

from importlib.metadata import version

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi_etag import Etag, add_exception_handler

from benchmarks.peers.notes import BASE, NAMES, Notes, name_of

VERSION = f"fastapi-etag {version('fastapi-etag')}"
NOTES = Notes()
app = FastAPI()
add_exception_handler(app)


async def tag_of(request: Request):
    # It adds the quotes for weak tags only; strong ones come with theirs.
    return NOTES.etag(name_of(request.url.path), request.url.query)


def allowed(request: Request) -> None:
    early = NOTES.refused_before(name_of(request.url.path), authorised="authorization" in request.headers)
    if early is not None:
        raise HTTPException(early, headers={"Location": BASE} if early == 302 else None)


checked = [Depends(allowed), Depends(Etag(tag_of, weak=False))]


async def read(request: Request):
    name = name_of(request.url.path)
    content = NOTES.content(name)
    if content is None:
        raise HTTPException(404)
    fields = {"Cache-Control": "no-cache"}
    tag = NOTES.etag(name, request.url.query)
    if tag is not None:
        fields["ETag"] = tag
    return Response(content, media_type="application/json", headers=fields)


async def write(request: Request):
    content = await request.body()
    return Response(status_code=NOTES.write(name_of(request.url.path), request.method, content))


for sibling in NAMES:
    if sibling != "-dated":
        app.add_api_route(BASE + sibling, read, methods=["GET", "HEAD"], dependencies=checked)
        app.add_api_route(BASE + sibling, write, methods=["PUT", "DELETE"], dependencies=checked)
