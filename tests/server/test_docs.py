"""The service of FastAPI in docs/server/index.md runs as it stands."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

from starlette.testclient import TestClient

PAGE = (Path(__file__).parents[2] / "docs" / "server" / "index.md").read_text("utf-8")


def test_the_service_of_fastapi(monkeypatch) -> None:
    (text,) = re.findall(r"```python fastapi\n(.*?)```", PAGE, re.DOTALL)
    module = ModuleType("service_of_the_page")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(text, "index.md", "exec", dont_inherit=True), module.__dict__)  # noqa: S102 -- our own page
    known = {"Authorization": "Bearer x"}
    with TestClient(module.app) as client:
        read = client.get("/notes/1")
        assert (read.json(), read.headers["etag"]) == ({"text": "hello"}, '"1"')
        assert client.get("/notes/1", headers={"If-None-Match": '"1"'}).status_code == 304
        assert client.get("/notes/2").status_code == 404
        stale = {"If-Match": '"0"'}
        assert client.put("/notes/1", json={"text": "b"}, headers=stale).status_code == 401
        assert client.put("/notes/1", json={"text": "b"}, headers=known | stale).status_code == 412
        assert client.put("/notes/1", content="b", headers=known | stale).status_code == 415
        changed = client.put("/notes/1", json={"text": "b"}, headers=known | {"If-Match": '"1"'})
        assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
        schema = client.get("/openapi.json").json()["paths"]["/notes/{number}"]["put"]
    assert {"412", "428"} <= set(schema["responses"])
    assert "If-Match" in [parameter["name"] for parameter in schema["parameters"]]
