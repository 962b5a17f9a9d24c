"""A story of a page in Chromium on a real blob store."""

from __future__ import annotations

import importlib
import shutil
from typing import TYPE_CHECKING

from tools.recording_apis.apps.vic_core import Res
from tools.recording_apis.apps.vic_serve import serve
from tools.recording_apis.servers import MissingProgramError
from tools.recording_apis.stage import case
from tools.recording_apis.stories import held_eva_setting as scene

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage

_PAGE = """<!doctype html><title>Dienstplan</title><link rel="icon" href="data:,"><script>
const at = name => `http://verein.blob.core.windows.example/notes/dienste/${name}?SAS`;
const open_ = async name => {
  const got = await fetch(at(name), {cache: 'no-store', headers: {'x-ms-version': '2023-11-03'}});
  return {tag: got.headers.get('ETag'), data: await got.json()};
};
const save = async (name, seen, change) => {
  const headers = {'Content-Type': 'application/json', 'x-ms-version': '2023-11-03', 'x-ms-blob-type': 'BlockBlob'};
  if (seen.tag) headers['If-Match'] = seen.tag;
  const got = await fetch(at(name), {method: 'PUT', headers, body: JSON.stringify({...seen.data, ...change})});
  return got.status;
};
</script>"""

_RULES = """<?xml version="1.0" encoding="utf-8"?><StorageServiceProperties><Cors><CorsRule>
<AllowedOrigins>http://dienstplan.verein.example</AllowedOrigins><AllowedMethods>GET,PUT</AllowedMethods>
<AllowedHeaders>*</AllowedHeaders><ExposedHeaders>x-ms-request-id</ExposedHeaders><MaxAgeInSeconds>5</MaxAgeInSeconds>
</CorsRule></Cors></StorageServiceProperties>"""


@case(
    "d605",
    "eva-rota-page-that-may-not-read-the-tag",
    "cors-hidden-etag",
    "lost-update",
    alone="cors-hidden-etag unconditional-write",
    description=(
        "A page in Chromium edits a rota in a blob store (Azurite) of another origin, whose CORS rule exposes x-ms-request-id "
        "only. The page gets null for the ETag, sends no If-Match, and stores over what a colleague's program wrote: 201."
    ),
)
def rota(stage: Stage) -> None:
    """Edit across origins."""
    if (chromium := shutil.which("chromium")) is None:
        raise MissingProgramError("chromium is not installed; see tools/recording_apis/README.md")
    server, sas = stage.server("azurite"), scene.shared_access()
    other = stage.actor(
        "other", server, "verein.blob.core.windows.example", "urllib", {"x-ms-version": "2023-11-03"}
    )
    block = {"x-ms-blob-type": "BlockBlob"}
    other.put(
        f"/notes?restype=service&comp=properties&{sas}", _RULES, 202, {"Content-Type": "application/xml"}
    )
    other.put(f"/notes/dienste?restype=container&{sas}", b"", 201)
    for week in (49, 50):
        other.put(f"/notes/dienste/kw{week}.json?{sas}", {"woche": week, "sa": "", "so": ""}, 201, block)
    stage.forget()
    port = stage.tap("client", server)
    desk, _version, stop = serve(
        lambda _req: Res(200, _PAGE.replace("SAS", sas), {"Content-Type": "text/html"}), "stdlib"
    )
    rules = f"--host-resolver-rules=MAP verein.blob.core.windows.example:80 127.0.0.1:{port},MAP dienstplan.verein.example:80 127.0.0.1:{desk}"
    options = ["--no-sandbox", "--no-proxy-server", rules, "--disable-features=LocalNetworkAccessChecks"]
    with importlib.import_module("playwright.sync_api").sync_playwright() as made:
        shown = made.chromium.launch(executable_path=chromium, args=options)
        stage.servers["browser"] = f"Chromium {shown.version}"
        tab = shown.new_page()
        tab.goto("http://dienstplan.verein.example/")
        tab.evaluate(
            "async () => { window.a = await open_('kw49.json'); window.b = await open_('kw50.json'); }"
        )
        scene.must(tab.evaluate("() => window.a.tag") is None)
        theirs = other.get(f"/notes/dienste/kw50.json?{sas}")
        other.put(
            f"/notes/dienste/kw50.json?{sas}",
            {**theirs.json, "so": "Leyla"},
            201,
            {**block, "If-Match": theirs.etag},
        )
        scene.wait(1.1)
        scene.must(tab.evaluate("() => save('kw49.json', window.a, {sa: 'Timo'})") == 201)
        scene.must(tab.evaluate("async () => (await open_('kw50.json')).data.so") == "Leyla")
        scene.must(tab.evaluate("() => save('kw50.json', window.b, {sa: 'Timo'})") == 201)
        scene.must(tab.evaluate("async () => (await open_('kw50.json')).data.so") == "")
        shown.close()
    stop()
