"""Each real set-up from end to end: refused, named from one command, repaired, the other's change kept."""

from __future__ import annotations

import json
import subprocess
import urllib.request

import pytest

from tests.cli.running import run_process
from tests.doctor import setups

# Set-up, status of the refusal, cause, and whether a repair heals on the way that failed.
# Where it does not, it has to stop, and the remedy that it names (past the proxy) has to end well.
SETUPS = {
    "nginx_gzip": (412, "etag-weakened", True),
    "nginx_cache": (412, "stale-cache-read", False),
    "nginx_sub_filter": (428, "validator-stripped", False),
    "nginx_hidden_etag": (428, "validator-stripped", False),
    "nginx_stripped_condition": (428, "precondition-stripped", False),
    "apache_deflate": (412, "etag-suffix-rewrite", True),
    "caddy_encode": (412, "etag-suffix-rewrite", True),
    "envoy_compressor": (428, "validator-stripped", True),
    "varnish_gzip": (412, "etag-weakened", False),
    "varnish_cache": (412, "stale-cache-read", False),
    "squid_cache": (412, "stale-cache-read", True),
    "two_nodes": (412, "inconsistent-backends", False),
    "wrong_clock": (412, "clock-skew", True),
}
MINE = {**setups.DOCUMENT, "name": "Cleo"}
BOTH = {**setups.THEIRS, "name": "Cleo"}


def read(setup) -> bytes:
    host = [value for value in setup.extra if value.startswith("Host: ")]
    fields = {"Host": host[0].removeprefix("Host: ")} if host else {}
    with urllib.request.urlopen(urllib.request.Request(setup.url, headers=fields), timeout=20) as response:
        return response.read()


def document(setup):
    return json.loads(setup.origin.resources["/notes/7"].body)


def command(setup, base: bytes) -> list[str]:
    """Return what the program sends: its edit of what it read, with the tag that it got."""
    mine = json.dumps({**json.loads(base), "name": "Cleo"})
    condition = ["-H", f"If-Match: {setup.tag}"] if setup.tag else []
    return ["curl", "-X", "PUT", setup.url, *condition, *setup.extra, "-H", "Content-Type: application/json",
            "--compressed", "-d", mine]  # fmt: skip


def refused(words) -> int:
    done = subprocess.run(
        [*words, "-sS", "-o", "/dev/null", "-w", "%{http_code}"], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.parametrize("name", SETUPS)
def test_a_set_up_is_diagnosed_and_mended_and_nothing_is_lost(name, tmp_path) -> None:
    status, cause, heals = SETUPS[name]
    (tmp_path / "server").mkdir()
    setup = getattr(setups, name)(tmp_path / "server")
    journal = str(tmp_path / "journal.sqlite")
    with setup.stack:
        base = read(setup)
        (tmp_path / "base.json").write_bytes(base)
        words = command(setup, base)
        if document(setup) != setups.THEIRS:
            setup.origin.commit("/notes/7", json.dumps(setups.THEIRS).encode())
        assert refused(words) == status
        version = setup.origin.resources["/notes/7"].version
        named = run_process("diagnose", "--format", "json", "--status", str(status), "--", *words)
        report = json.loads(named.out)
        findings = report["incidents"][0]["findings"]
        assert findings[0]["cause"] == cause, [(one["cause"], one["likelihood"]) for one in findings]
        assert setup.origin.resources["/notes/7"].version == version
        options = ["--apply", "--yes", "--status", str(status), "--base", tmp_path / "base.json"]
        fixed = run_process("fix", *options, "--", *words, IFMATCH_JOURNAL=journal)
        if not heals:
            assert fixed.status == 1, fixed.out + fixed.err
            assert document(setup) == setups.THEIRS
            assert "--direct NAME=HOST:PORT" in fixed.err
            options += ["--direct", f"origin=127.0.0.1:{setup.origin.port}"]
            fixed = run_process("fix", *options, "--", *words, IFMATCH_JOURNAL=journal)
        assert fixed.status == 0, fixed.out + fixed.err
        assert document(setup) == BOTH
