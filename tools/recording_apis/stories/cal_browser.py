"""A story in a real browser."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

from tools.recording_apis.apps.cal_books import page
from tools.recording_apis.apps.vic_core import Box, Req, Res
from tools.recording_apis.servers import program
from tools.recording_apis.stage import case
from tools.recording_apis.stories import cal_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage

_API = "http://api.orchard.test"
_SCRIPT = """<script>
const api = '%s', pause = ms => new Promise(done => setTimeout(done, ms));
const read = async path => { const r = await fetch(api + path, {headers: {'X-App': 'orchard/4'}});
  return {tag: r.headers.get('etag'), row: await r.json()}; };
const save = (path, seen, change) => fetch(api + path, {method: 'PUT', body: JSON.stringify({...seen.row, ...change}),
  headers: {'Content-Type': 'application/json', 'If-Match': seen.tag}}).catch(() => null);
(async () => {
  await read('/rows');
  const a = await read('/rows/11'); await read('/rows/18'); await pause(300);
  await save('/rows/11', a, {pruned: true}); await pause(400);
  await save('/rows/11', await read('/rows/11'), {pruned: true}); await pause(300);
  await save('/rows/25', await read('/rows/25'), {pruned: true});
  await read('/rows/25'); await fetch('/done');
})();
</script>"""


@case(
    "d485",
    "cal-orchard-page-cannot-see-the-tag",
    "cors-hidden-etag",
    "412",
    alone="cors-hidden-etag null-token",
    description=(
        "A page in Chromium reads rows of an orchard from another origin that does not expose ETag: the tag is on the "
        "wire, headers.get gives null, and each save goes out with If-Match: null and is refused with 412."
    ),
)
def hidden(stage: Stage) -> None:
    """Let a page read a tag it may not see."""
    docs = {f"/rows/{n}": {"row": n, "sort": "Gala", "pruned": False} for n in (11, 18, 25)}
    box = Box(docs, place.hashed, say={412: {"error": "row was changed", "status": 412}})
    cross = {
        "Access-Control-Allow-Origin": "http://orchard.test",
        "Access-Control-Allow-Methods": "GET, PUT",
        "Access-Control-Allow-Headers": "content-type, if-match, x-app",
        "Vary": "Origin",
    }

    def handler(req: Req) -> Res:
        if not req.fields["host"].startswith("api."):
            shown = {"/": page("Orchard", _SCRIPT % _API), "/done": "ok"}.get(req.path)
            return Res(200 if shown else 404, shown or "", {"Content-Type": "text/html"})
        res = Res(204) if req.method == "OPTIONS" else box(req)
        res.fields.update(cross)
        return res

    server = place.open_box(stage, handler, "waitress")
    port = stage.tap("client", server)
    command = [program("chromium"), "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"]
    command += [f"--user-data-dir={stage.directory()}", "--disable-background-networking", "--disable-sync"]
    command += [f"--host-resolver-rules=MAP *.test 127.0.0.1:{port}", "--disable-component-update"]
    command += ["--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable", "--no-proxy-server"]
    browser = subprocess.Popen([*command, "http://orchard.test/"], stdout=-3, stderr=-3)
    try:
        deadline = time.monotonic() + 40
        while not any(one.url.endswith("/done") for one in stage.taps["client"].recorded):
            place.sure(time.monotonic() < deadline, [one.url for one in stage.taps["client"].recorded])
            time.sleep(0.2)
    finally:
        browser.terminate()
        browser.wait(10)
    sent = [one.request for one in stage.taps["client"].recorded if one.request.method == "PUT"]
    statuses = [one.response.status for one in stage.taps["client"].recorded if one.response]
    place.sure(len(sent) == 3 and statuses.count(412) == 3, statuses)
