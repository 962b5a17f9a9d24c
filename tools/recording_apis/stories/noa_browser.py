"""A page in Chromium that cannot read the tag of an API on another origin."""

from __future__ import annotations

import importlib
from typing import Any

from tools.recording_apis import fronts
from tools.recording_apis.stage import Stage, StoryError, case
from tools.recording_apis.stories import noa_setting as place

_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-component-update")
_CORS = """
location / {
  if ($request_method = OPTIONS) {
    add_header Access-Control-Allow-Origin http://desk.port.test;
    add_header Access-Control-Allow-Methods "GET, PUT, PATCH, DELETE";
    add_header Access-Control-Allow-Headers "authorization, content-type, if-match";
    add_header Access-Control-Max-Age 600;
    return 204;
  }
  add_header Access-Control-Allow-Origin http://desk.port.test always;
  proxy_pass http://127.0.0.1:PORT; proxy_http_version 1.1;
  proxy_set_header Connection ""; proxy_set_header Host $http_host;
}
"""
_CALL = """async ([method, path, body]) => {
  const url = 'http://api.lab.test' + path;
  const seen = await fetch(url, {headers: {'Authorization': 'Bearer eyJ.fake.desk'}});
  const now = await seen.json();
  const headers = {'Authorization': 'Bearer eyJ.fake.desk', 'Content-Type': 'application/json'};
  const tag = seen.headers.get('etag');
  if (tag) headers['If-Match'] = tag;
  const done = await fetch(url, {method, headers, body: JSON.stringify({...now, ...body})});
  await done.text();
  return [tag, done.status]; }"""


def _open(stage: Stage, port: int) -> tuple[Any, Any, Any, Any]:
    shell = "<!doctype html><title>Environments</title><main>prod</main>"
    pages = fronts.site(stage, "lighttpd", {"env.html": shell}, 'mimetype.assign += (".html" => "text/html")')
    rules = f"MAP desk.port.test:80 127.0.0.1:{pages.port}, MAP api.lab.test:80 127.0.0.1:{port}"
    driver = importlib.import_module("playwright.sync_api").sync_playwright().start()
    arguments = [*_FLAGS, f"--host-resolver-rules={rules}"]
    chromium = driver.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
    export = stage.directory() / "client.har"
    context = chromium.new_context(record_har_path=str(export), record_har_content="embed", locale="da-DK")
    page = context.new_page()
    page.goto("http://desk.port.test/env.html")
    return driver, chromium, context, (page, export)


@case(
    "b516",
    "page-cannot-see-the-tag",
    "cors-hidden-etag",
    "428",
    alone="cors-hidden-etag token-missing",
    also="token-missing",
    description=(
        "A page reads an environment of a service across origins; nginx allows If-Match but exposes no ETag, so "
        "headers.get('etag') is null, the page leaves the condition out and gets 428, twice. The HAR has the ETag."
    ),
    synthetic=True,
)
def page(stage: Stage) -> None:
    """Save from a page that cannot read the tag."""
    path = "/api/environments/prod"
    server = place.api(
        stage, "plain", {path: {"name": "prod", "pipelines": ["web"]}}, KIND="baseline", FLAGS="need"
    )
    block = _CORS.replace("PORT", str(stage.behind(server)))
    front = fronts.nginx(stage, server, "", "", block.replace("location / {", "location /api/ {"))
    driver, chromium, context, (tab, export) = _open(stage, stage.tap("client", front))
    try:
        for name in ("api", "worker"):
            tag, status = tab.evaluate(_CALL, ["PUT", path, {"pipelines": ["web", name]}])
            if tag is not None or status != 428:
                raise StoryError(f"{tag} and {status}")
        stage.servers["browser"] = f"Chromium {chromium.version}"
    finally:
        context.close()
        chromium.close()
        driver.stop()
    stage.exported["client"] = export
