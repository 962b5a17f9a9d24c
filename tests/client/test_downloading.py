"""One version, whole, however often the connection breaks or the resource changes."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import random
import time

import pytest

from ifmatch.client import (
    BudgetExhaustedError,
    DownloadChangedError,
    Limits,
    NotAppliedError,
    Settings,
    TargetMissingError,
)
from ifmatch.client.downloading import Download
from ifmatch.model.message import Fields
from tests.client.libraries import QUICK, Face
from tests.client.service import Reply, Service

CONTENT = random.Random(5).randbytes(200_000)
OTHER = random.Random(6).randbytes(180_000)


class Files(Service):
    """Serves ranges, cuts each answer after so many octets, and may change the file in between."""

    def __init__(self, **options):
        super().__init__(**options)
        self.cut_after = None
        self.cuts = 10**9
        self.changes = []
        self.ignores_if_range = False
        self.names = True
        self.coding = None
        self.content = CONTENT
        self.number = 1

    def act(self, _path, seen):
        if self.changes and len(self.seen) > 1:
            self.content = self.changes.pop(0)
            self.number += 1
        tag = f'"v{self.number}"'
        fields = [("Accept-Ranges", "bytes"), *([("ETag", tag)] if self.names else [])]
        wanted = seen["range"]
        if wanted and (self.ignores_if_range or seen["if-range"] == tag):
            first = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if first >= len(self.content):
                return Reply(416, (("Content-Range", f"bytes */{len(self.content)}"), *fields))
            place = f"bytes {first}-{len(self.content) - 1}/{len(self.content)}"
            return self.short(206, [("Content-Range", place), *fields], self.content[first:])
        return self.short(200, fields, self.content)

    def short(self, status, fields, octets):
        fields = (*fields, ("Content-Length", str(len(octets))))
        if self.coding:
            fields = (*fields, ("Content-Encoding", self.coding))
        if self.cut_after is None or self.cuts <= 0 or len(octets) <= self.cut_after:
            return Reply(status, fields, octets)
        self.cuts -= 1
        return Reply(status, fields, octets[: self.cut_after])

    async def connection(self, reader, writer):
        """Close after each answer, so that a short one is a cut one."""
        seen = await self.request(reader)
        if seen is not None:
            self.seen.append(seen)
            reply = self.decide(seen)
            reply.fields = (*reply.fields, ("Connection", "close"))
            writer.write(self.wire(seen, reply))
            await writer.drain()
        writer.close()


@pytest.fixture
def files():
    made = Files()
    yield made
    made.close()


class Hangs(Files):
    """Sends a part and then nothing any more, on this and on every other connection."""

    async def connection(self, reader, writer):
        seen = await self.request(reader)
        if seen is not None:
            self.seen.append(seen)
            if len(self.seen) == 1:
                reply = self.decide(seen)
                writer.write(self.wire(seen, reply)[: -len(CONTENT) // 2])
                await writer.drain()
            # Until the client has had enough.
            await reader.read()
        writer.close()


def download(face, files, tmp_path, **options):
    return face.editor(Settings(limits=options.pop("limits", QUICK))).download(
        files.url("/file"), tmp_path / "file", **options
    )


def left_over(tmp_path):
    return sorted(path.name for path in tmp_path.iterdir())


def test_in_one_piece(face, files, tmp_path) -> None:
    seen = []
    done = download(face, files, tmp_path, progress=lambda there, total: seen.append((there, total)))
    assert done.path.read_bytes() == CONTENT
    assert (done.octets, done.etag, done.requests, done.resumed) == (200_000, '"v1"', 1, 0)
    assert seen[-1] == (200_000, 200_000)
    assert left_over(tmp_path) == ["file"]
    assert files.seen[0]["accept-encoding"] == "identity"


def test_content_that_is_kept_in_a_coding_arrives_decoded(face, files, tmp_path) -> None:
    """Object stores send what was stored with Content-Encoding: gzip that way, whatever is asked for."""
    plain = b"hello world\n" * 20_000
    files.content, files.coding = gzip.compress(plain), "gzip"
    done = download(face, files, tmp_path)
    assert done.path.read_bytes() == plain
    assert (done.octets, done.etag, done.requests) == (len(plain), '"v1"', 1)
    assert left_over(tmp_path) == ["file"]


def test_coded_content_that_was_cut_is_asked_for_from_the_beginning(face, files, tmp_path) -> None:
    """Ranges count octets of the coded content, and what is in the file is decoded."""
    files.content, files.coding = gzip.compress(CONTENT), "gzip"
    files.cut_after, files.cuts = 60_000, 2
    done = download(face, files, tmp_path)
    assert done.path.read_bytes() == CONTENT
    assert [one["range"] for one in files.seen] == [None] * 3
    assert left_over(tmp_path) == ["file"]


def test_it_goes_on_where_it_was_cut(face, files, tmp_path) -> None:
    files.cut_after = 60_000
    done = download(face, files, tmp_path)
    assert done.path.read_bytes() == CONTENT
    assert done.requests > 1
    assert done.resumed == done.requests - 1
    assert {one["if-range"] for one in files.seen[1:]} == {'"v1"'}
    assert left_over(tmp_path) == ["file"]


def test_a_change_in_between_starts_over(face, files, tmp_path) -> None:
    files.cut_after, files.cuts = 60_000, 1
    files.changes = [OTHER]
    done = download(face, files, tmp_path)
    assert done.path.read_bytes() == OTHER
    assert (done.etag, done.restarts) == ('"v2"', 1)


def test_a_service_that_ignores_if_range_is_not_believed(face, files, tmp_path) -> None:
    files.cut_after, files.cuts = 60_000, 1
    files.changes, files.ignores_if_range = [OTHER], True
    done = download(face, files, tmp_path)
    assert done.path.read_bytes() == OTHER
    assert done.restarts == 1


def test_without_a_strong_tag_nothing_is_put_together(face, files, tmp_path) -> None:
    files.cut_after, files.cuts, files.names = 60_000, 2, False
    done = download(face, files, tmp_path)
    assert done.path.read_bytes() == CONTENT
    assert [one["range"] for one in files.seen] == [None] * 3
    assert done.restarts == 2


def test_what_changes_all_the_time_ends(face, files, tmp_path) -> None:
    files.cut_after = 60_000
    files.changes = [CONTENT, OTHER] * 10
    with pytest.raises(DownloadChangedError):
        download(face, files, tmp_path)
    assert not (tmp_path / "file").exists()


def test_a_later_run_goes_on(face, files, tmp_path) -> None:
    files.cut_after = 60_000
    files.scripts["/file"] = [None, *[Reply(503)] * 3]
    with pytest.raises(BudgetExhaustedError, match="goes on from it"):
        download(face, files, tmp_path, limits=Limits(transport=1, first_pause=0.001))
    assert left_over(tmp_path) == ["file.part", "file.part.json"]
    files.scripts.clear()
    files.cut_after = None
    before = len(files.seen)
    done = download(face, files, tmp_path)
    assert done.path.read_bytes() == CONTENT
    assert files.seen[before]["range"] == "bytes=60000-"
    assert left_over(tmp_path) == ["file"]


def test_what_an_earlier_run_left_of_another_version_is_dropped(face, files, tmp_path) -> None:
    (tmp_path / "file.part").write_bytes(b"x" * 1000)
    (tmp_path / "file.part.json").write_text(
        f'{{"url": "{files.url("/file")}", "etag": "\\"v0\\"", "total": 200000, "same_origin": true}}'
    )
    assert download(face, files, tmp_path).path.read_bytes() == CONTENT


@pytest.mark.parametrize("note", ["", "{}", '{"url": "http://other/", "etag": "\\"v1\\"", "total": 5}'])
def test_a_part_that_says_nothing_of_its_version_is_dropped(files, tmp_path, note) -> None:
    (tmp_path / "file.part").write_bytes(b"x" * 1000)
    (tmp_path / "file.part.json").write_text(note)
    face = Face("httpx2")
    assert download(face, files, tmp_path).path.read_bytes() == CONTENT
    assert files.seen[0]["range"] is None
    face.close()


def test_a_part_that_was_whole_already(face, files, tmp_path) -> None:
    (tmp_path / "file.part").write_bytes(CONTENT)
    (tmp_path / "file.part.json").write_text(
        f'{{"url": "{files.url("/file")}", "etag": "\\"v1\\"", "total": 200000, "same_origin": true}}'
    )
    done = download(face, files, tmp_path)
    assert done.path.read_bytes() == CONTENT
    assert done.requests == 1


def test_errors_say_what_they_are(face, files, tmp_path) -> None:
    for status, kind in ((404, TargetMissingError), (403, NotAppliedError)):
        files.script("/file", Reply(status))
        with pytest.raises(kind):
            download(face, files, tmp_path)
    assert left_over(tmp_path) == []


def test_redirects_are_followed_and_asked_again_after_a_cut(face, files, tmp_path) -> None:
    """Where a link leads to may expire, so each attempt begins at the link."""
    files.cut_after, files.cuts = 60_000, 1
    hop = Reply(302, (("Location", "/signed?x=1"),))
    files.scripts["/file"] = [hop, hop]
    done = download(face, files, tmp_path)
    assert done.path.read_bytes() == CONTENT
    assert files.methods("/file") == ["GET", "GET"]
    assert done.resumed == 1


def test_a_tag_of_one_origin_is_not_sent_to_another(files, tmp_path) -> None:
    other = Files()
    other.cut_after, other.cuts = 60_000, 1
    files.scripts["/file"] = [Reply(302, (("Location", other.url("/file")),))] * 2
    face = Face("httpx2")
    done = download(face, files, tmp_path)
    assert done.path.read_bytes() == CONTENT
    assert [one["if-range"] for one in files.seen] == [None, None]
    face.close()
    other.close()


def test_any_schedule_of_cuts_and_changes_gives_one_whole_version(tmp_path) -> None:
    """Seeds: whatever happens, the file is one version, or there is none."""
    versions = {hashlib.sha256(octets).digest() for octets in (CONTENT, OTHER)}
    for seed in range(12):
        chance = random.Random(seed)
        files = Files()
        files.cut_after = chance.choice([10_000, 70_000, 150_000])
        files.cuts = chance.randrange(8)
        files.changes = [chance.choice([CONTENT, OTHER]) for _ in range(chance.randrange(4))]
        files.ignores_if_range = chance.random() < 0.5
        face = Face(chance.choice(["httpx2", "requests", "aiohttp", "httpx"]))
        done = download(face, files, tmp_path)
        assert hashlib.sha256(done.path.read_bytes()).digest() in versions, f"seed {seed}"
        face.close()
        files.close()


def test_the_loop_goes_on_while_an_asynchronous_download_waits(files, tmp_path) -> None:
    face = Face("httpx2-async")
    ticks = []

    async def tick():
        while True:
            ticks.append(1)
            await asyncio.sleep(0)

    async def run():
        files.cut_after = 60_000
        ticking = asyncio.create_task(tick())
        await face.editor().client.download(files.url("/file"), tmp_path / "file")
        ticking.cancel()

    face.wait(run())
    assert len(ticks) > 1
    face.close()


def test_two_downloads_to_one_file_do_not_mix(face, files, tmp_path) -> None:
    fcntl = pytest.importorskip("fcntl")
    with (tmp_path / "file.part").open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(BlockingIOError, match="another download writes here"):
            download(face, files, tmp_path)
        assert not files.seen
    assert download(face, files, tmp_path).path.read_bytes() == CONTENT


def test_a_file_that_was_finished_meanwhile_is_left_alone(tmp_path, monkeypatch) -> None:
    """Between opening and locking the other download may have renamed what was opened."""
    fcntl = pytest.importorskip("fcntl")
    part, plain, renamed = tmp_path / "file.part", fcntl.flock, []
    part.write_bytes(b"of the other one")

    def flock(stream, how):
        if not renamed:
            renamed.append(part.rename(tmp_path / "file"))
        plain(stream, how)

    monkeypatch.setattr(fcntl, "flock", flock)
    made = Download("http://a.test/", tmp_path / "file", Limits(), random.random, None, clock=time.monotonic)
    with made:
        made.take(b"ours")
    assert (tmp_path / "file").read_bytes() == b"of the other one"


def test_the_deadline_counts_between_octets(face, tmp_path) -> None:
    hangs = Hangs()
    started, limits = time.monotonic(), Limits(seconds=0.5, transport=100, first_pause=0.001)
    with pytest.raises(BudgetExhaustedError) as raised:
        download(face, hangs, tmp_path, limits=limits)
    assert time.monotonic() - started < 4.0
    assert "the last request failed with: " in str(raised.value)
    assert "asks to wait" not in str(raised.value)
    assert CONTENT.startswith((tmp_path / "file.part").read_bytes())
    assert (tmp_path / "file.part").stat().st_size > 50_000
    hangs.close()


def test_a_transfer_takes_as_long_as_it_takes(tmp_path) -> None:
    """What the deadline bounds is the time without an octet."""
    now = [0.0]
    made = Download(
        "http://a.test/", tmp_path / "file", Limits(seconds=10), random.random, None, clock=lambda: now[0]
    )
    with made:
        made.fields()
        made.begin(200, Fields([("ETag", '"1"'), ("Content-Length", "8")]))
        for piece in (b"ab", b"cd", b"ef"):
            now[0] += 9.0
            made.take(piece)
        assert made.left() == 10.0
        now[0] += 4.0
        made.cut("cut")
        assert made.left() == 6.0
        made.before()
        now[0] += 6.0
        with pytest.raises(
            BudgetExhaustedError, match="no octet came for 10 s, the last request failed with: x"
        ):
            made.cut("x")


def test_who_asks_for_the_pause_is_said(tmp_path) -> None:
    for fields, said in (((("Retry-After", "60"),), "the service asks to wait 60 s"), ((), "a pause of")):
        limits = Limits(seconds=1, first_pause=100, longest_pause=100)
        made = Download("http://a.test/", tmp_path / "file", limits, lambda: 0.9, None, clock=lambda: 0.0)
        with made, pytest.raises(BudgetExhaustedError, match=f"{said}.*status 503"):
            made.begin(503, Fields(fields))


def test_a_folder_is_refused_before_anything_is_sent(face, files, tmp_path) -> None:
    with pytest.raises(IsADirectoryError, match="goes into a file"):
        face.editor().download(files.url("/file"), tmp_path)
    assert not files.seen


def test_a_coded_part_is_not_put_behind_plain_content(tmp_path) -> None:
    made = Download("http://a.test/", tmp_path / "file", Limits(), random.random, None, clock=time.monotonic)
    with made:
        made.fields()
        made.begin(200, Fields([("ETag", '"1"'), ("Content-Length", "8")]))
        made.take(b"abcd")
        made.cut("cut")
        made.fields()
        part = [("ETag", '"1"'), ("Content-Range", "bytes 4-7/8"), ("Content-Encoding", "gzip")]
        assert not made.begin(206, Fields(part))


def test_no_credential_of_the_url_is_shown_or_kept(face, files, tmp_path) -> None:
    url = files.url("/file").replace("//", "//user:pa55@") + "?token=s3cret"
    files.cut_after = 60_000
    with pytest.raises(BudgetExhaustedError) as raised:
        face.editor(Settings(limits=Limits(transport=0))).download(url, tmp_path / "file")
    assert "token=~" in str(raised.value)
    told = str(raised.value) + (tmp_path / "file.part.json").read_text("utf-8")
    assert "pa55" not in told
    assert "s3cret" not in told
    files.cut_after = None
    done = face.editor(Settings(limits=QUICK)).download(url, tmp_path / "file")
    assert (done.resumed, done.path.read_bytes()) == (1, CONTENT)
