"""A forensic log and an access log of one Apache become one: by ids, by order, or not at all."""

from __future__ import annotations

import io
import pathlib
import subprocess
from typing import TYPE_CHECKING

import pytest

from ifmatch.capture import read_all
from ifmatch.capture.joined_logs import joined
from ifmatch.diagnosis import diagnose
from tests.capture.server_logs import test_access_logs_real as real
from tests.capture.small_origin import serve
from tests.programs import program
from tools.recording import components

if TYPE_CHECKING:
    from ifmatch.model.exchange import Capture

ROOT = pathlib.Path(__file__).parents[2] / "cases" / "inputs"
FORENSIC = (ROOT / "forensic" / "apache-2.4-unique-id.log").read_text()
ACCESS = (ROOT / "access-log" / "apache-2.4-forensic-id.log").read_text()
COMBINED = '%h %l %u %t \\"%r\\" %>s %b \\"%{Referer}i\\" \\"%{User-Agent}i\\"'


def read(text: str, name: str, log_format: str | None = None) -> Capture:
    (capture,) = read_all(io.BytesIO(text.encode()), name, log_format=log_format)
    return capture


def both(forensic: str, access: str) -> tuple[Capture, ...]:
    return joined([read(forensic, "forensic.log"), read(access, "access.log")])


def without_ids(access: str) -> str:
    return "".join(f"{line.rpartition(' ')[0]}\n" for line in access.splitlines())


def test_ids_join_what_came_in_with_what_became_of_it() -> None:
    (capture,) = both(FORENSIC, ACCESS)
    assert capture.name == "access.log"
    assert [one.status for one in capture.exchanges] == [200, 201, 412, 200, 200]
    assert all(one.request.fields.complete for one in capture.exchanges)
    assert [one.request.fields.text("If-Match") for one in capture.exchanges] == [
        None, '"a47b66acdbf4dd49"', '"a47b66acdbf4dd49"', None, None,
    ]  # fmt: skip
    assert capture.exchanges[0].request.fields.text("X-Forwarded-For") == "127.0.0.1"
    assert capture.exchanges[4].request.fields.text("X-Odd") == 'a|b:c%d\te "q" \xe9, two'
    assert capture.exchanges[4].request.url == "http://api.example.test/notes/7?a=1|2%7C:x"
    assert [warning.text for warning in capture.warnings][-1] == (
        "5 requests have the fields of forensic.log, by their ids"
    )
    (incident,) = diagnose([capture]).incidents
    assert incident.findings[0].cause == "other-writer"


def test_ids_under_a_name_or_a_declared_format() -> None:
    named = "".join(
        f"{line.rpartition(' ')[0]} id={line.rpartition(' ')[2]}\n" for line in ACCESS.splitlines()
    )
    (capture,) = both(FORENSIC, named)
    assert capture.exchanges[2].request.fields.text("If-Match")
    declared = read(ACCESS, "access.log", COMBINED.replace('\\"', '"') + " %{forensic-id}n")
    (capture,) = joined([declared, read(FORENSIC, "forensic.log")])
    assert capture.exchanges[2].request.fields.text("If-Match")


def test_without_ids_the_order_tells_where_it_leaves_no_choice() -> None:
    (capture,) = both(FORENSIC, without_ids(ACCESS))
    assert capture.exchanges[2].request.fields.text("If-Match") == '"a47b66acdbf4dd49"'
    assert "by their order" in capture.warnings[-1].text
    # One line is missing: the logs are not of the same time.
    kept = "".join(without_ids(ACCESS).splitlines(keepends=True)[1:])
    assert [one.format for one in both(FORENSIC, kept)] == ["forensic", "access-log"]


def test_like_requests_that_were_answered_otherwise_within_a_second_are_not_told_apart() -> None:
    agent = FORENSIC.replace("other/2.0", "editor/1.0").replace('dd49"', 'dd50"', 1)
    access = without_ids(ACCESS).replace("other/2.0", "editor/1.0")
    first, second = both(agent, access)
    assert first.format == "forensic"
    assert len(first.exchanges) == 2
    assert {one.request.method for one in first.exchanges} == {"PUT"}
    assert [one.provenance.entry for one in first.exchanges] == [0, 1]
    assert second.exchanges[2].request.fields.text("If-Match") is None


def test_what_the_access_log_does_not_know_stays() -> None:
    access = "".join(ACCESS.splitlines(keepends=True)[1:3])
    first, second = both(FORENSIC, access)
    assert [one.request.method for one in first.exchanges] == ["GET", "GET", "GET"]
    assert first.warnings[-1].text == "requests that the access log knows were left to it: 2"
    assert len(second.exchanges) == 2
    lines = FORENSIC.splitlines(keepends=True)
    (capture,) = both("".join(line for line in lines if "pIm" in line), ACCESS)
    assert capture.warnings[-1].text == "requests of which forensic.log says nothing: 1"


def test_a_request_that_apache_did_not_finish_says_so() -> None:
    lines = FORENSIC.splitlines(keepends=True)
    capture = read("".join(line for line in lines if line != "-awpdMqQdr9HhLIU5A7pImgAAAAU\n"), "x")
    assert [one.error for one in capture.exchanges] == [
        "", "", "Apache did not finish this request", "", "",
    ]  # fmt: skip
    requests = "".join(line for line in lines if line.startswith("+"))
    assert not any(one.error for one in read(requests, "x").exchanges)


def test_lines_of_something_else_are_skipped_and_named() -> None:
    capture = read(f"{FORENSIC}oops\n", "x")
    assert capture.warnings[0].text == "skipped lines that are none of a forensic log: 1, first line 11"


@pytest.mark.parametrize("unique", [False, True])
def test_a_real_apache(tmp_path: pathlib.Path, *, unique: bool) -> None:
    program("apache2")
    modules = ["log_forensic", *(["unique_id"] if unique else [])]
    listed = subprocess.run([program("apache2"), "-l"], capture_output=True, text=True, check=False).stdout
    if "mod_log_config.c" not in listed and "log_config" not in components._APACHE_MODULES:
        modules.append("log_config")
    body = "".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n" for name in modules)
    body += f'ForensicLog DIR/forensic.log\nCustomLog DIR/access.log "{COMBINED} %{{forensic-id}}n"\n'
    with serve() as base:
        body += f"ProxyPass / {base}/\nProxyPassReverse / {base}/"
        with real.stopped(components.start_apache(tmp_path, body)) as port:
            real.other_writer(port)
            access = real.settled(tmp_path / "access.log")
    (capture,) = both((tmp_path / "forensic.log").read_text(), access.decode())
    refused = next(one for one in capture.exchanges if one.status == 412)
    assert refused.request.fields.text("If-Match")
    assert refused.request.fields.complete
    (incident,) = diagnose([capture]).incidents
    assert incident.findings[0].cause == "other-writer"
