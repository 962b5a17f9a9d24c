"""FastAPI: dependencies run once and before the content, the schema tells, other origins can read."""

from typing import Annotated

from fastapi import APIRouter, Body, Depends, FastAPI, HTTPException, Security
from fastapi.routing import APIRoute
from fastapi.security import APIKeyHeader, SecurityScopes
from starlette.middleware.cors import CORSMiddleware
from starlette.testclient import TestClient

from ifmatch import Representation
from ifmatch.server.fastapi import Conditional, ConditionalRoute, Precondition, install
from ifmatch.server.gate import Settings
from ifmatch.server.policy import Policies, Policy, Stage

STALE = {"If-Match": '"v1"'}
CURRENT = Representation(etag='"v2"')
JSON = {"Content-Type": "application/json"}
ORIGIN = {"Origin": "https://app.example"}


# --- CORS


def crossing_fastapi() -> FastAPI:
    app = FastAPI()
    router = APIRouter(route_class=ConditionalRoute)
    settings = Settings(policies=Policies(default=Policy(stage=Stage.ENFORCE)))

    def current():
        return CURRENT

    @router.get("/note")
    @router.put("/note", operation_id="edit")
    async def note(done: Annotated[Conditional, Depends(Precondition(current))]) -> str:
        assert done.current is not None
        return "text"

    app.include_router(router)
    app.add_middleware(
        CORSMiddleware, allow_origins=["https://app.example"], allow_methods=["*"], allow_headers=["x-own"]
    )
    install(app, settings=settings)
    return app


def test_pages_of_other_origins_see_etag_on_200_304_412_and_428() -> None:
    with TestClient(crossing_fastapi()) as client:
        answers = {
            200: client.get("/note", headers=ORIGIN),
            304: client.get("/note", headers=ORIGIN | {"If-None-Match": '"v2"'}),
            412: client.put("/note", headers=ORIGIN | STALE),
            428: client.put("/note", headers=ORIGIN),
        }
        for status, answer in answers.items():
            assert answer.status_code == status
            assert answer.headers["etag"] == '"v2"'
            assert answer.headers["access-control-allow-origin"] == "https://app.example"
            assert "ETag" in answer.headers["access-control-expose-headers"]
        foreign = client.put("/note", headers=STALE | {"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in foreign.headers
        assert "access-control-expose-headers" not in foreign.headers


def test_a_preflight_may_ask_for_if_match() -> None:
    asked = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "if-match, x-own"}
    with TestClient(crossing_fastapi()) as client:
        answer = client.options("/note", headers=ORIGIN | asked)
        assert answer.status_code == 200
        assert "if-match" in answer.headers["access-control-allow-headers"]
        other = asked | {"Access-Control-Request-Headers": "if-match, x-other"}
        assert client.options("/note", headers=ORIGIN | other).status_code == 400
        assert client.options("/note", headers={"Origin": "https://evil.example"} | asked).status_code == 400


# --- FastAPI


def test_each_dependency_runs_once_and_the_security_one_wins() -> None:
    ran: list[str] = []
    key = APIKeyHeader(name="X-Key", auto_error=False)

    async def session():
        ran.append("session opened")
        try:
            yield "session"
        finally:
            ran.append("session closed")

    def user(scopes: SecurityScopes, name: Annotated[str | None, Security(key)]) -> str:
        ran.append(f"user {scopes.scopes}")
        if name is None:
            raise HTTPException(401)
        return name

    def owner(name: Annotated[str, Security(user, scopes=["write"])]) -> str:
        ran.append("owner")
        return name

    async def current(number: int, session: Annotated[str, Depends(session)]):
        ran.append(f"current {number} {session}")
        return CURRENT

    app = FastAPI()
    router = APIRouter(route_class=ConditionalRoute)
    conditional_ = Precondition(current)

    @router.put("/notes/{number}")
    async def edit(
        number: int,
        text: Annotated[str, Body()],
        done: Annotated[Conditional, Depends(conditional_)],
        session: Annotated[str, Depends(session)],
        name: Annotated[str, Depends(owner)],
    ) -> dict[str, object]:
        ran.append("edit")
        return {"number": number, "text": text, "session": session, "name": name, "done": done.use_range}

    app.include_router(router, prefix="/v1")
    install(app)
    with TestClient(app) as client:
        assert client.put("/v1/notes/7", json="x", headers=STALE).status_code == 401
        ran.clear()
        assert client.put("/v1/notes/7", json="x", headers=STALE | {"X-Key": "ann"}).status_code == 412
        assert "edit" not in ran
        assert ran[-1] == "session closed"
        ran.clear()
        answer = client.put("/v1/notes/7", json="x", headers={"If-Match": '"v2"', "X-Key": "ann"})
        assert answer.json() == {
            "number": 7,
            "text": "x",
            "session": "session",
            "name": "ann",
            "done": False,
        }
        assert ran.count("session opened") == ran.count("session closed") == 1
        assert ran.count("current 7 session") == 1
        assert ran.count("edit") == 1
        assert client.put("/v1/notes/x", json="x", headers=STALE | {"X-Key": "ann"}).status_code == 422
        # Overrides of tests still count.
        app.dependency_overrides[current] = lambda: Representation(etag='"v1"')
        assert client.put("/v1/notes/7", json="x", headers=STALE | {"X-Key": "ann"}).status_code == 200


def test_a_malformed_content_is_looked_at_after_the_precondition_only_on_a_conditional_route() -> None:
    def application(route_class) -> FastAPI:
        app = FastAPI()
        router = APIRouter(route_class=route_class)

        @router.put("/note")
        def edit(
            text: Annotated[int, Body()],
            done: Annotated[Conditional, Depends(Precondition(lambda: CURRENT))],
        ) -> int:
            assert done.current is not None
            return text

        app.include_router(router)
        install(app)
        return app

    with TestClient(application(ConditionalRoute)) as client:
        assert client.put("/note", content=b"{", headers=STALE | JSON).status_code == 412
    with TestClient(application(APIRoute)) as client:
        assert client.put("/note", content=b"{", headers=STALE | JSON).status_code == 422
        assert client.put("/note", json=1, headers=STALE).status_code == 412


def test_a_path_that_only_the_state_reads_is_validated_too() -> None:
    def current(number: int) -> Representation:
        return Representation(etag=f'"{number}"')

    app = FastAPI()
    router = APIRouter(route_class=ConditionalRoute)

    @router.put("/notes/{number}", dependencies=[Depends(Precondition(current))])  # noqa: FAST003
    async def edit(text: Annotated[str, Body()] = "") -> str:
        return f"done {text}"

    app.include_router(router)
    install(app)
    with TestClient(app) as client:
        assert client.put("/notes/x", headers=STALE).status_code == 422
        assert client.put("/notes/7", headers=STALE).status_code == 412
        assert client.put("/notes/7", headers={"If-Match": '"7"'}).status_code == 200


def test_the_schema_shows_if_match_412_and_428() -> None:
    schema = crossing_fastapi().openapi()
    put = schema["paths"]["/note"]["put"]
    assert {"If-Match", "If-None-Match"} <= {parameter["name"] for parameter in put["parameters"]}
    assert {"400", "412", "428"} <= set(put["responses"])
    content = put["responses"]["412"]["content"]["application/problem+json"]
    assert "detail" in content["schema"]["properties"]
    assert "state" not in {parameter["name"] for parameter in put["parameters"]}
