"""A story of a page in a real browser."""

from __future__ import annotations

import importlib
import shutil
from typing import TYPE_CHECKING

from tools.recording_apis.apps.vic_core import Res
from tools.recording_apis.apps.vic_serve import serve
from tools.recording_apis.servers import MissingProgramError
from tools.recording_apis.stage import case
from tools.recording_apis.stories import ben_setting as place

if TYPE_CHECKING:
    from tools.recording_apis.stage import Stage


_PAGE = """<!doctype html><title>labels</title><script>
async function run() {
  const url = 'http://s3.eu-north-1.amazonaws.example/labels/box-7.json';
  const out = [];
  for (let n = 0; n < 3; n++) {
    const r = await fetch(url, {cache: 'no-store'});
    const tag = r.headers.get('etag'), old = await r.json();
    await new Promise(done => setTimeout(done, 700));
    const headers = {'Content-Type': 'application/json'};
    if (tag) headers['If-Match'] = tag;
    const body = JSON.stringify({...old, checked: n});
    const w = await fetch(url, {method: 'PUT', headers, body});
    out.push([tag, w.status]);
  }
  return out;
}
</script>"""


@case(
    "d449",
    "ben-s3-bucket-that-hides-the-tag",
    "cors-hidden-etag",
    "lost-update",
    alone="cors-hidden-etag unconditional-write",
    description=(
        "A page in Chromium edits an object of a bucket on another origin. The answers carry ETag but no "
        "Access-Control-Expose-Headers, so the script reads null and sends no If-Match: another program's change is "
        "written over with 200."
    ),
)
def browser(stage: Stage) -> None:
    """Edit across origins in a real browser."""
    if (chromium := shutil.which("chromium")) is None:
        raise MissingProgramError("chromium is not installed; see tools/recording_apis/README.md")
    server = stage.server("moto")
    s3 = place.Amazon(stage, "other", server, "s3")
    s3(
        "create_bucket",
        Bucket="labels",
        CreateBucketConfiguration={"LocationConstraint": "eu-north-1"},
        ACL="public-read-write",
    )
    s3(
        "put_object",
        Bucket="labels",
        Key="box-7.json",
        Body=b'{"box":7,"weight":12}',
        ACL="public-read-write",
    )
    port = stage.tap("client", server)
    play = importlib.import_module("playwright.sync_api").sync_playwright
    desk, _version, stop = serve(lambda _req: Res(200, _PAGE, {"Content-Type": "text/html"}), "stdlib")
    rules = f"--host-resolver-rules=MAP s3.eu-north-1.amazonaws.example:80 127.0.0.1:{port},MAP desk.example:80 127.0.0.1:{desk}"
    options = ["--no-sandbox", "--no-proxy-server", rules, "--disable-features=LocalNetworkAccessChecks"]
    with play() as made:
        shown = made.chromium.launch(executable_path=chromium, args=options)
        tab = shown.new_page()
        tab.goto("http://desk.example/")
        tab.evaluate("() => { window.result = run(); }")
        tab.wait_for_timeout(350)
        seen = s3("head_object", Bucket="labels", Key="box-7.json")
        s3(
            "put_object",
            Bucket="labels",
            Key="box-7.json",
            Body=b'{"box":7,"weight":15}',
            IfMatch=seen["ETag"],
        )
        told = tab.evaluate("async () => await window.result")
        shown.close()
    stop()
    place.sure(told == [[None, 200]] * 3, told)
    place.sure(b'"weight":12' in s3("get_object", Bucket="labels", Key="box-7.json")["Body"].read())
