"""Live diagnosis and repair on services that people run: CalDAV, S3, Azure Blob, Apache's DAV."""

from __future__ import annotations

import json
import subprocess
import urllib.request

import pytest

from tests.cli.running import run_process
from tests.client import services
from tests.doctor import setups
from tests.programs import program
from tools.recording import components

# Both take a name at its word.
ANA = ("Authorization", "Basic YW5hOg==")
AMAZON = (
    "Authorization",
    "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=b",
)
EVENT = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\n"
    "DTSTART:20260301T100000Z\r\nSUMMARY:Lunch\r\nLOCATION:Here\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


def put(url, body, kind, *fields):
    request = urllib.request.Request(url, body, {"Content-Type": kind, **dict(fields)}, method="PUT")
    with urllib.request.urlopen(request, timeout=120) as response:
        return response.status


def get(url, *fields):
    with urllib.request.urlopen(urllib.request.Request(url, headers=dict(fields)), timeout=120) as response:
        return response.read(), response.headers["ETag"]


def conflict(url, documents, kind, tmp_path, *fields, consent=()):
    """Let another writer in between, then diagnose the refused command and repair it.

    Args:
        consent: `--yes` where the rebase is by lines, which needs a person; members of JSON need none.
    """
    base, theirs, mine = documents
    put(url, base, kind, *fields)
    stored, tag = get(url, *fields)
    put(url, theirs(stored), kind, ("If-Match", tag), *fields)
    (tmp_path / "base").write_bytes(stored)
    (tmp_path / "mine").write_bytes(mine(stored))
    command = [
        "curl",
        "-sS",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}",
        "-X",
        "PUT",
        url,
        "-H",
        f"If-Match: {tag}",
    ]
    command += ["-H", f"Content-Type: {kind}", "--data-binary", f"@{tmp_path / 'mine'}"]
    command += [part for name, value in fields for part in ("-H", f"{name}: {value}")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "412"
    command.remove("-sS")
    base_file = tmp_path / "base"
    live = run_process("diagnose", "--format", "json", "--base", base_file, "--", *command)
    finding = json.loads(live.out)["incidents"][0]["findings"][0]
    assert finding["level"] == "high"
    fixed = run_process(
        "fix", "--apply", *consent, "--base", tmp_path / "base", "--", *command,
        IFMATCH_JOURNAL=str(tmp_path / "journal.sqlite"),
    )  # fmt: skip
    assert fixed.status == 0, fixed.err + fixed.out
    return finding["cause"], get(url, *fields)[0]


def test_a_calendar_on_radicale(tmp_path) -> None:
    (tmp_path / "data").mkdir()
    server = services.start_radicale(tmp_path / "data")
    try:
        folder = f"http://127.0.0.1:{server.port}/ana/calendar/"
        body = b'<?xml version="1.0"?><mkcalendar xmlns="urn:ietf:params:xml:ns:caldav"/>'
        made = urllib.request.Request(folder, body, dict([ANA]), method="MKCALENDAR")
        with urllib.request.urlopen(made, timeout=120):
            pass
        cause, after = conflict(
            f"{folder}1.ics",
            (
                EVENT.encode(),
                lambda stored: stored.replace(b"T100000Z", b"T110000Z"),
                lambda stored: stored.replace(b"SUMMARY:Lunch", b"SUMMARY:Dinner"),
            ),
            "text/calendar",
            tmp_path,
            ANA,
            consent=("--yes",),
        )
    finally:
        server.stop()
    assert cause == "other-writer"
    assert b"SUMMARY:Dinner" in after
    assert b"T110000Z" in after


def json_conflict(url, tmp_path, *fields):
    cause, after = conflict(
        url,
        (
            b'{"name": "Ana", "city": "Lisbon"}',
            lambda _: b'{"name": "Ana", "city": "Faro"}',
            lambda _: b'{"name": "Bea", "city": "Lisbon"}',
        ),
        "application/json",
        tmp_path,
        *fields,
    )
    assert cause == "other-writer"
    assert json.loads(after) == {"name": "Bea", "city": "Faro"}


def test_an_object_on_s3(tmp_path) -> None:
    server = services.start_moto(tmp_path)
    try:
        base = f"http://127.0.0.1:{server.port}"
        with urllib.request.urlopen(
            urllib.request.Request(f"{base}/bucket", b"", dict([AMAZON]), method="PUT"), timeout=120
        ):
            pass
        json_conflict(f"{base}/bucket/settings.json", tmp_path, AMAZON)
    finally:
        server.stop()


def test_a_blob_on_azurite(tmp_path) -> None:
    (tmp_path / "data").mkdir()
    server = services.start_azurite(tmp_path / "data")
    try:
        made = subprocess.run(
            [services.COMPONENTS / "python", "-c", SIGN, str(server.port)],
            capture_output=True,
            text=True,
            check=True,
        )
        url = made.stdout.strip()
        json_conflict(url, tmp_path, ("x-ms-blob-type", "BlockBlob"), ("x-ms-version", "2023-11-03"))
    finally:
        server.stop()


SIGN = """
import sys
from datetime import datetime, timedelta, timezone
from azure.storage.blob import BlobServiceClient, ResourceTypes, AccountSasPermissions, generate_account_sas
base, key = f"http://127.0.0.1:{sys.argv[1]}/notes", "ZXhhbXBsZQ=="
service = BlobServiceClient(base, credential={"account_name": "notes", "account_key": key})
service.create_container("box")
token = generate_account_sas("notes", key, ResourceTypes(service=True, container=True, object=True),
    AccountSasPermissions(read=True, write=True, create=True, delete=True),
    datetime.now(timezone.utc) + timedelta(hours=1))
print(f"{base}/box/settings.json?{token}")
"""


def test_a_file_on_apache_dav_right_after_a_write_waits_until_its_tag_is_strong(tmp_path) -> None:
    """Apache marks the tag of a file weak while it is about a second old; the repair waits that out."""
    program("apache2")
    (tmp_path / "files").mkdir(mode=0o777)
    (tmp_path / "files").chmod(0o777)
    body = f'DocumentRoot "{tmp_path}/files"\nDavLockDB {tmp_path}/lock\n'
    body += f'<Directory "{tmp_path}/files">\nDav On\nRequire all granted\n</Directory>\n'
    for parent in tmp_path.parents:
        if str(parent).startswith(str(tmp_path.parents[2])):
            parent.chmod(0o755)
    tmp_path.chmod(0o777)
    with setups.running(components.start_apache(tmp_path, body)) as server:
        url = f"http://127.0.0.1:{server.port}/note.json"
        put(url, b'{"name": "Ana"}', "application/json")
        stored, tag = get(url)
        assert tag.startswith("W/")
        (tmp_path / "base").write_bytes(stored)
        put(url, b'{"name": "Ana", "phone": "5"}', "application/json")
        command = ["curl", "-X", "PUT", url, "-H", f"If-Match: {tag}", "-H", "Content-Type: application/json"]
        command += ["-d", '{"name": "Bea"}']
        live = run_process("diagnose", "--format", "json", "--base", tmp_path / "base", "--", *command)
        findings = json.loads(live.out)["incidents"][0]["findings"]
        assert findings[0]["cause"] == "weak-until-settled", [(f["cause"], f["likelihood"]) for f in findings]
        fixed = run_process(
            "fix", "--apply", "--yes", "--base", tmp_path / "base", "--", *command,
            IFMATCH_JOURNAL=str(tmp_path / "state" / "journal.sqlite"),
        )  # fmt: skip
        assert fixed.status == 0, fixed.err + fixed.out
        assert json.loads(get(url)[0]) == {"name": "Bea", "phone": "5"}


@pytest.mark.parametrize(
    ("rules", "cause"),
    [
        (
            'sub_filter_types *; sub_filter "Ana" "Eva"; sub_filter_once off;',
            {"validator-stripped", "token-missing"},
        ),
        ("proxy_hide_header ETag;", {"validator-stripped", "token-missing"}),
    ],
)
def test_a_stripped_validator_is_seen_at_the_hop(rules, cause, tmp_path) -> None:
    program("nginx")
    with setups.origin(require=True) as origin:
        start = components.start_nginx(
            tmp_path, f"location / {{ proxy_pass http://127.0.0.1:{origin.port}; {rules} }}"
        )
        with setups.running(start) as front:
            url = f"http://127.0.0.1:{front.port}/notes/7"
            ran = run_process(
                "diagnose", "--format", "json", "--status", "428", "--budget", "20",
                "--direct", f"origin=127.0.0.1:{origin.port}", "--", "curl", "-X", "PUT", url, "-d", "{}",
            )  # fmt: skip
    report = json.loads(ran.out)
    assert report["incidents"][0]["findings"][0]["cause"] in cause
    assert any("taken off between them" in line for line in report["live"]["differences"])
