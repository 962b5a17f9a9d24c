"""Real programs are driven into a fault that is known of them, and diagnosed from their own traffic."""

from __future__ import annotations

import os
import pathlib
import socket
import subprocess

import pytest

from ifmatch.capture import read
from ifmatch.diagnosis import diagnose
from tests.components.own_stories import COMPRESSOR, GZIP_MIDDLEWARE, ROUND_ROBIN
from tools.recording import components, scenarios
from tools.recording import stage as intermediaries
from tools.recording_apis import servers, stories
from tools.recording_apis import stage as services

ROOT = pathlib.Path(__file__).parents[2]
COMPONENTS = ROOT / ".venvs" / "components" / "bin" / "python"
# A single kind of evidence is worth that much since likelihoods are chosen by traffic nobody had seen.
LIKELY = 0.6

scenarios.load()
stories.load()

# What is driven, and the story that does it. Ids are those of tools/recording and tools/recording_apis, none
# of a held-out recording: a test that has to pass would make it a case that rules are tuned with.
QUICK = (
    ("nginx gzip", "d104"),
    ("nginx proxy_cache", "d108"),
    ("Apache deflate, lighttpd", "d103"),
    ("Apache dav", "d107"),
    ("Apache cache", "d112"),
    ("HAProxy round robin", ROUND_ROBIN),
    ("Varnish gzip", "d106"),
    ("Squid", "d126"),
    ("Caddy encode", "d102"),
    ("Traefik round robin", "d122"),
    ("Envoy compressor", COMPRESSOR),
    ("Tomcat", "a192"),
    ("Radicale", "a118"),
    ("WsgiDAV", "a104"),
    ("moto S3", "a267"),
    ("Azurite blobs", "a198"),
    ("Kinto", "a146"),
    ("etcd", "a155"),
    ("Django GZipMiddleware", GZIP_MIDDLEWARE),
    ("Django condition", "a165"),
    ("Werkzeug", "a172"),
    ("json-server", "a181"),
    ("Express", "a280"),
)
SLOW = (
    ("nginx round robin", "d121"),
    ("nginx sub_filter", "d119"),
    ("nginx retries", "d124"),
    ("nginx cache", "d113"),
    ("Apache locks", "d177"),
    ("Apache without tags", "d120"),
    ("HAProxy replica", "d123"),
    ("HAProxy retries", "d125"),
    ("Varnish poll", "d109"),
    ("Varnish ranges", "d114"),
    ("Squid dates", "d110"),
    ("lighttpd", "d176"),
    ("Tomcat dates", "a279"),
    ("SeaweedFS", "a126"),
    ("SeaweedFS delete", "a138"),
    ("Azurite leases", "a196"),
    ("Radicale other device", "a115"),
    ("WsgiDAV create guard", "a107"),
    ("Kinto two writers", "a140"),
    ("etcd create only", "a157"),
    ("Chromium", "a205"),
)
# Their client is boto3 or Microsoft's library, which live in the environment of the components.
THROUGH_AN_SDK = frozenset({"a126", "a133", "a138", "a196", "a198", "a267"})
# The same programs with nothing wrong: nothing may be found.
HEALTHY_QUICK = (("nginx gzip", "d229"), ("Radicale", "a120"))
HEALTHY_SLOW = (
    ("etcd", "a160"),
    ("nginx dav", "d222"),
    ("lighttpd", "d233"),
    ("WsgiDAV", "a110"),
    ("Kinto", "a148"),
    ("SeaweedFS", "a133"),
    ("Tomcat", "a193"),
)


def _params(quick, slow):
    def one(entry, *marks):
        component, story = entry
        name = story if isinstance(story, str) else story.id
        return pytest.param(
            story, id=f"{component} {name}".replace(" ", "-"), marks=[pytest.mark.components, *marks]
        )

    return [*(one(entry) for entry in quick), *(one(entry, pytest.mark.full) for entry in slow)]


def _missing(reason: str) -> None:
    """A missing program is a failure in CI and a skip elsewhere."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}; run: make setup-test")
    pytest.skip(f"{reason}; run: make setup-test")


@pytest.fixture(autouse=True)
def _names(monkeypatch):
    """Stories lead host names to loopback ports: that ends with the test."""
    monkeypatch.setattr(socket, "getaddrinfo", socket.getaddrinfo)


def _in_the_environment_of_the_components(story: str, folder: pathlib.Path) -> None:
    """Play a story whose client program (an SDK) lives there and not here."""
    if not COMPONENTS.exists():
        _missing(".venvs/components is not there")
    done = subprocess.run(
        [COMPONENTS, "-m", "tools.recording_apis", "--only", story, "--into", folder],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    if " skipped: " in done.stdout:
        _missing(done.stdout.splitlines()[0])
    assert done.returncode == 0, done.stdout + done.stderr


def play(story, folder: pathlib.Path):
    """Play a story into a folder and return its label."""
    if isinstance(story, str) and story in THROUGH_AN_SDK:
        _in_the_environment_of_the_components(story, folder)
        return services.CASES[story]
    case = (intermediaries.CASES.get(story) or services.CASES[story]) if isinstance(story, str) else story
    perform = intermediaries.perform if isinstance(case, intermediaries.Case) else services.perform
    try:
        perform(case, folder)
    except (components.MissingProgramError, servers.MissingProgramError) as reason:
        _missing(str(reason))
    return case


def _found(paths) -> tuple[str, float]:
    captures = []
    for path in paths:
        with path.open("rb") as stream:
            captures.append(read(stream, path.name))
    incidents = diagnose(captures).incidents
    if not incidents:
        return "none", 0.0
    findings = incidents[0].findings
    return (findings[0].cause, findings[0].likelihood) if findings else ("undecided", 0.0)


def _files(folder: pathlib.Path):
    """Return the client's file and all files."""
    files = sorted(folder.rglob("*.har"))
    client = [path for path in files if path.name.endswith(".client.har")]
    assert len(client) == 1
    return client, files


@pytest.mark.parametrize("story", _params(QUICK, SLOW))
def test_a_component_in_its_fault_is_diagnosed_from_its_traffic(story, tmp_path) -> None:
    label = play(story, tmp_path)
    client, files = _files(tmp_path)
    assert len(files) >= 2, "what the component saw, too"
    alone, _ = _found(client)
    assert alone in label.alone, "the client's file alone"
    cause, likelihood = _found(files)
    assert cause == label.cause, "all files"
    assert likelihood >= LIKELY, "all files"


@pytest.mark.parametrize("story", _params(HEALTHY_QUICK, HEALTHY_SLOW))
def test_a_component_without_a_fault_gives_no_incident(story, tmp_path) -> None:
    label = play(story, tmp_path)
    assert label.cause == "none"
    client, files = _files(tmp_path)
    assert _found(client) == ("none", 0.0)
    assert _found(files) == ("none", 0.0)


def test_no_story_is_one_of_a_held_out_recording() -> None:
    played = {story for _, story in (*QUICK, *SLOW, *HEALTHY_QUICK, *HEALTHY_SLOW) if isinstance(story, str)}
    assert not [story for story in played if list((ROOT / "cases").rglob(f"holdout/{story}.label.json"))]


def test_at_least_fifteen_components_are_driven_by_default() -> None:
    assert len({component.split(" ")[0] for component, _ in QUICK}) >= 15
