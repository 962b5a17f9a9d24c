"""`ifmatch fix` on real servers: the right end state, the other writer's change kept, nothing claimed."""

from __future__ import annotations

import itertools
import json
import os
import pathlib
import stat
import subprocess
import sys
import threading
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.cli.running import run_process
from tests.doctor import setups
from tests.doctor.forking import Forking
from tests.doctor.recorded import record_conflict
from tools.recording.origin import Reply

BASE = {"name": "Ana", "city": "Lisbon", "phone": "0"}


@pytest.fixture
def journal(tmp_path):
    return str(tmp_path / "state" / "journal.sqlite")


@pytest.fixture
def origin():
    with setups.origin(BASE) as made:
        yield made


def url_of(origin):
    return f"http://127.0.0.1:{origin.port}/notes/7"


def stored(origin):
    return json.loads(origin.resources["/notes/7"].body)


def fix(
    *arguments, write=None, url="", tag="", base=None, tmp_path=None, journal="", run=None, **environment
):
    words = ["fix", *arguments]
    if base is not None:
        (tmp_path / "base.json").write_text(json.dumps(base))
        words += ["--base", str(tmp_path / "base.json")]
    if write is not None:
        words += ["--", "curl", "-X", "PUT", url, "-H", f"If-Match: {tag}"]
        words += ["-H", "Content-Type: application/json", "-d", json.dumps(write)]
    return run(*words) if run else run_process(*words, IFMATCH_JOURNAL=journal, **environment)


def test_a_dry_run_sends_no_write_and_shows_the_three_way_result(origin, tmp_path, journal) -> None:
    url = url_of(origin)
    tag = setups.read_tag(url)
    origin.commit("/notes/7", json.dumps({**BASE, "phone": "5"}).encode())
    ran = fix(
        write={**BASE, "city": "Porto"}, url=url, tag=tag, base=BASE, tmp_path=tmp_path, journal=journal
    )
    assert ran.status == 0
    assert stored(origin) == {**BASE, "phone": "5"}
    assert '/phone: "0" becomes "5"' in ran.out
    assert '/city: "Lisbon" becomes "Porto"' in ran.out
    assert "Nothing was sent" in ran.out


def test_apply_keeps_the_other_writers_change_and_undo_puts_back(origin, tmp_path, journal) -> None:
    url = url_of(origin)
    tag = setups.read_tag(url)
    origin.commit("/notes/7", json.dumps({**BASE, "phone": "5"}).encode())
    arguments = {"write": {**BASE, "city": "Porto"}, "url": url, "tag": tag, "base": BASE}
    ran = fix("--apply", "--yes", **arguments, tmp_path=tmp_path, journal=journal)
    assert ran.status == 0, ran.err
    assert stored(origin) == {**BASE, "phone": "5", "city": "Porto"}
    back = run_process("undo", "1", IFMATCH_JOURNAL=journal)
    assert back.status == 0, back.err
    assert stored(origin) == {**BASE, "phone": "5"}
    origin.commit("/notes/7", b'{"name": "Dan"}')
    late = run_process("undo", "2", IFMATCH_JOURNAL=journal)
    assert (late.status, stored(origin)) == (1, {"name": "Dan"})
    assert "somebody has written since" in late.err


def test_a_proven_conflict_with_a_clean_rebase_needs_no_consent(origin, tmp_path, journal) -> None:
    """The base shows what the token was read with; the tag is steady: somebody else wrote, and elsewhere."""
    url = url_of(origin)
    tag = setups.read_tag(url)
    origin.commit("/notes/7", json.dumps({**BASE, "phone": "5"}).encode())
    arguments = {"url": url, "tag": tag, "tmp_path": tmp_path, "journal": journal}
    ran = fix("--apply", write={**BASE, "city": "Porto"}, base=BASE, **arguments)
    assert ran.status == 0, ran.err + ran.out
    assert "cause: other-writer" in ran.out
    assert "(high)" in ran.out
    assert stored(origin) == {**BASE, "phone": "5", "city": "Porto"}


def test_without_proof_of_the_cause_a_person_is_asked(tmp_path, journal) -> None:
    (tmp_path / "server").mkdir()
    setup = setups.two_nodes(tmp_path / "server")
    with setup.stack:
        setup.origin.commit("/notes/7", json.dumps(setups.THEIRS).encode())
        ran = fix("--apply", write={**setups.DOCUMENT, "name": "Cleo"}, base=setups.DOCUMENT, url=setup.url,
                  tag=setup.tag, tmp_path=tmp_path, journal=journal)  # fmt: skip
        assert ran.status == 1, ran.err + ran.out
        assert "--yes" in ran.err
        assert json.loads(setup.origin.resources["/notes/7"].body) == setups.THEIRS


def test_the_journal_is_for_its_owner_only(origin, tmp_path, journal) -> None:
    url = url_of(origin)
    tag = setups.read_tag(url)
    origin.commit("/notes/7", json.dumps({**BASE, "phone": "5"}).encode())
    fix("--apply", "--yes", "-H", "Authorization: Bearer hunter2hunter2", write={**BASE, "city": "P"},
        url=url,
        tag=tag, base=BASE, tmp_path=tmp_path, journal=journal)  # fmt: skip
    path = pathlib.Path(journal)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert b"hunter2" not in path.read_bytes()


def test_a_conflict_is_left_alone_and_can_be_decided(origin, tmp_path, journal) -> None:
    url = url_of(origin)
    tag = setups.read_tag(url)
    theirs = {**BASE, "city": "Faro"}
    origin.commit("/notes/7", json.dumps(theirs).encode())
    arguments = {
        "write": {**BASE, "city": "Porto"},
        "url": url,
        "tag": tag,
        "base": BASE,
        "tmp_path": tmp_path,
    }
    ran = fix("--apply", "--yes", **arguments, journal=journal)
    assert (ran.status, stored(origin)) == (1, theirs)
    assert '/city: base "Lisbon", mine "Porto", theirs "Faro"' in ran.out
    editor = tmp_path / "editor.py"
    editor.write_text(
        "import json, sys\npath = sys.argv[1]\ntable = json.load(open(path))\n"
        "for row in table['conflicts']:\n    row['value'] = row['mine'] + ' or ' + row['theirs']\n"
        "json.dump(table, open(path, 'w'))\n"
    )
    ran = fix(
        "--apply",
        "--yes",
        "--resolve",
        "edit",
        **arguments,
        journal=journal,
        EDITOR=f"{sys.executable} {editor}",
    )
    assert ran.status == 0, ran.err
    assert stored(origin)["city"] == "Porto or Faro"


def test_overwriting_takes_the_option_and_the_typed_word(origin, journal) -> None:
    url = url_of(origin)
    tag = setups.read_tag(url)
    theirs = {**BASE, "city": "Faro"}
    origin.commit("/notes/7", json.dumps(theirs).encode())
    command = [
        sys.executable,
        "-m",
        "ifmatch.cli",
        "fix",
        "--apply",
        "--overwrite",
        "--",
        "curl",
        "-X",
        "PUT",
        url,
    ]
    command += ["-H", f"If-Match: {tag}", "-H", "Content-Type: application/json", "-d", '{"name": "Eve"}']
    environment = {**os.environ, "IFMATCH_JOURNAL": journal}
    for typed, status, after in ((b"yes\n", 1, theirs), (b"7\n", 0, {"name": "Eve"})):
        done = subprocess.run(command, input=typed, capture_output=True, check=False, env=environment)
        assert (done.returncode, stored(origin)) == (status, after), done.stderr
    listed = run_process("undo", "--list", IFMATCH_JOURNAL=journal)
    assert "overwritten" in listed.out


def test_what_is_there_already_is_not_claimed(origin, tmp_path, journal) -> None:
    url = url_of(origin)
    tag = setups.read_tag(url)
    mine = {**BASE, "city": "Porto"}
    origin.commit("/notes/7", json.dumps(mine).encode())
    ran = fix("--apply", write=mine, url=url, tag=tag, base=BASE, tmp_path=tmp_path, journal=journal)
    assert ran.status == 0
    assert "does not prove who wrote it" in ran.out
    assert origin.resources["/notes/7"].version == 2


def test_an_incident_of_a_recording_is_repaired_without_its_credentials(tmp_path, journal) -> None:
    """The base comes from the recording, the state from the server, credentials only from the user."""
    with setups.origin(BASE) as origin:
        har = record_conflict(origin, tmp_path, {**BASE, "city": "Porto"}, {**BASE, "phone": "5"})
        refused = run_process("fix", har, IFMATCH_JOURNAL=journal)
        assert refused.status == 4
        assert "--allow-host 127.0.0.1" in refused.err
        ran = run_process(
            "fix", har, "--apply", "--yes", "--allow-host", "127.0.0.1", IFMATCH_JOURNAL=journal
        )
        assert ran.status == 0, ran.err
        assert stored(origin) == {**BASE, "phone": "5", "city": "Porto"}
        assert not any(b"authorization" in request.lower() for request in origin.heads[-2:])


def test_a_refresh_that_brings_the_refused_token_back_stops_at_once(tmp_path, journal) -> None:
    (tmp_path / "server").mkdir()
    setup = setups.nginx_cache(tmp_path / "server")
    with setup.stack:
        ran = fix("--apply", "--yes", write={"name": "Cleo"}, url=setup.url, tag=setup.tag,
                  base=setups.DOCUMENT, tmp_path=tmp_path, journal=journal)  # fmt: skip
        assert ran.status == 1
        assert "refused" in ran.err
        assert setup.origin.resources["/notes/7"].version == 2


@pytest.mark.parametrize("name", ["nginx_gzip", "apache_deflate"])
def test_a_rewritten_tag_is_healed_by_reading_without_coding(name, tmp_path, journal) -> None:
    (tmp_path / "server").mkdir()
    setup = getattr(setups, name)(tmp_path / "server")
    with setup.stack:
        ran = fix("--apply", "--yes", write={**setups.DOCUMENT, "name": "Cleo"}, url=setup.url, tag=setup.tag,
                  base=setups.DOCUMENT, tmp_path=tmp_path, journal=journal)  # fmt: skip
        assert ran.status == 0, ran.err + ran.out
        assert json.loads(setup.origin.resources["/notes/7"].body)["name"] == "Cleo"


@pytest.mark.parametrize(("budget", "statuses"), [(1, {1}), (2, {5}), (3, {0, 5})])
def test_a_budget_that_ends_after_the_write_claims_nothing(
    budget, statuses, origin, tmp_path, journal
) -> None:
    """The answer of the write gets lost, and then nothing may be sent any more: no internal error."""
    url = url_of(origin)
    tag = setups.read_tag(url)
    origin.commit("/notes/7", json.dumps({**BASE, "phone": "5"}).encode())
    origin.after_commit = lambda *_: Reply(0, abort=True)
    ran = fix("--apply", "--yes", "--budget", str(budget), write={**BASE, "city": "Porto"}, url=url, tag=tag,
              base=BASE, tmp_path=tmp_path, journal=journal)  # fmt: skip
    assert ran.status in statuses, ran.err + ran.out
    assert (stored(origin)["city"] == "Porto") == (budget > 1)


def contended(fixes, tmp_path, journal):
    """Let two `fix` processes at a time and a foreign writer change one document; answers get lost."""
    commits = itertools.count(1)

    def lose(*_):
        return Reply(0, abort=True) if next(commits) % 7 == 0 else None

    with setups.origin({"foreign": 0}) as origin:
        origin.after_commit = lose
        url = url_of(origin)
        lock = threading.Lock()

        def foreign() -> None:
            with lock, origin.lock:
                current = stored(origin)
                origin.commit("/notes/7", json.dumps({**current, "foreign": current["foreign"] + 1}).encode())

        def one(number, process):
            with urllib.request.urlopen(url, timeout=120) as response:
                base, tag = json.loads(response.read()), response.headers["ETag"]
            foreign()
            place = tmp_path / str(number)
            place.mkdir()
            return fix("--apply", "--yes", "--budget", "60", write={**base, f"mine{number}": number},
                       url=url, tag=tag, base=base, tmp_path=place, run=process.run)  # fmt: skip

        def half(first):
            with Forking(IFMATCH_JOURNAL=journal) as process:
                # The first one loads the program, and sends nothing.
                process.run("fix", "--", "curl", "-X", "PUT", url, "-H", 'If-Match: "x"', "-d", "{}")
                return {number: one(number, process) for number in range(first, fixes, 2)}

        with ThreadPoolExecutor(2) as pool:
            parts = list(pool.map(half, range(2)))
        done = [parts[number % 2][number] for number in range(fixes)]
        document = stored(origin)
    assert document["foreign"] == fixes
    for number, ran in enumerate(done):
        there = document.get(f"mine{number}") == number
        # 0: it is there; 1: it is not; 5: it may be, and the tool says that it does not know.
        assert (ran.status, there) in {(0, True), (1, False), (5, True), (5, False)}, ran.err
        if "does not prove who wrote it" in ran.out:
            assert there
    return [ran.status for ran in done]


def test_contended_repairs_lose_nothing_and_claim_nothing(tmp_path, journal) -> None:
    statuses = contended(50, tmp_path, journal)
    assert statuses.count(0) >= 30


@pytest.mark.full
@pytest.mark.timeout(1800)
def test_two_hundred_contended_repairs_lose_nothing_and_claim_nothing(tmp_path, journal) -> None:
    """Each repair adds to the document that the next ones read: five times as many cost far more."""
    statuses = contended(200, tmp_path, journal)
    print(f"exit statuses of 200 repairs: {dict(sorted(Counter(statuses).items()))}")
    assert statuses.count(0) >= 120
