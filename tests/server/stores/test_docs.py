"""The service of docs/server/stores.md runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

PAGE = (Path(__file__).parents[3] / "docs" / "server" / "stores.md").read_text("utf-8")


def test_the_service_of_the_page(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (text,) = re.findall(r"```python service\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(text, "stores.md", "exec", dont_inherit=True), names)  # noqa: S102 -- our own page
    with TestClient(names["app"]) as client:
        assert client.get("/notes/1").status_code == 404
        created = client.put("/notes/1", content="a")
        assert created.status_code == 201
        read = client.get("/notes/1")
        assert (read.text, read.headers["etag"]) == ("a", created.headers["etag"])
        assert client.get("/notes/1", headers={"If-None-Match": read.headers["etag"]}).status_code == 304
        guard = {"If-Match": read.headers["etag"]}
        assert client.put("/notes/1", content="b", headers=guard).status_code == 204
        refused = client.put("/notes/1", content="c", headers=guard)
        assert refused.status_code == 412
        assert refused.json()["precondition"]["presented"] == read.headers["etag"]
        assert client.delete("/notes/1", headers=guard).status_code == 412
        guard = {"If-Match": refused.headers["etag"]}
        assert client.delete("/notes/1", headers=guard).status_code == 204
        assert client.delete("/notes/1").status_code == 404
        again = client.put("/notes/1", content="a", headers={"If-None-Match": "*"})
        assert again.status_code == 201
        assert again.headers["etag"] != created.headers["etag"]
    names["store"].close()
