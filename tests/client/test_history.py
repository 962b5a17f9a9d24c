"""What a client keeps of its last exchanges: enough to explain, never a credential."""

from __future__ import annotations

import asyncio
import gc
import pickle
import time

import aiohttp
import httpx2
import pytest

import ifmatch
from ifmatch.client import (
    Limits,
    NotAppliedError,
    PreconditionFailedError,
    Settings,
    aiohttp_session,
    httpx_family,
    track,
)
from ifmatch.client.history import clean
from ifmatch.client.tracking import Tracker, Tracking
from ifmatch.client.validators import current_thread_scope
from ifmatch.client.wrapping import _tracked
from ifmatch.model.unknown import UNKNOWN
from tests.client.service import Reply
from tools.ports import free_port

SECRET = "s3cr3t-value-77"


def history_of(client):
    return _tracked[client].history


def everything(client):
    """All text that the history holds."""
    return repr(
        [
            (
                one,
                list(one.request.fields),
                one.response and list(one.response.fields),
                one.request.content,
                one.response and one.response.content,
            )
            for one in history_of(client).exchanges()
        ]
    )


@pytest.mark.parametrize(
    "options",
    [
        {"headers": {"Authorization": f"Bearer {SECRET}"}},
        {"headers": {"Cookie": f"session={SECRET}"}},
        {"headers": {"X-Api-Key": SECRET}},
        {"headers": {"Private-Token": SECRET}},
        {"headers": {"Proxy-Authorization": SECRET}},
        {"headers": {"X-Amz-Security-Token": SECRET}},
        {"headers": {"Ocp-Apim-Subscription-Key": SECRET}},
        {"auth": ("user", SECRET)},
        {"params": {"access_token": SECRET}},
        {"params": {"sig": SECRET, "page": "2"}},
        {"json": {"password": SECRET}},
        {"json": {"client_secret": SECRET}},
        {"data": {"user": "u", "password": SECRET}},
    ],
)
def test_credentials_are_never_kept(service, options) -> None:
    service.script(
        "/doc", Reply(200, (("Set-Cookie", f"session={SECRET}"),), b'{"token":"' + SECRET.encode() + b'"}')
    )
    with track(httpx2.Client()) as client:
        client.post(service.url(), **options)
        assert len(history_of(client)) == 1
        assert SECRET not in everything(client)


def test_each_library_keeps_fields_and_contents_without_credentials(face, service) -> None:
    tag = service.put(value={"n": 1})
    track(face.plain)
    secret = {"Authorization": SECRET, "X-Late-Api-Key": SECRET, "X-Plain": "shown"}
    service.script("/doc", Reply(200, (("ETag", tag), ("Set-Cookie", f"a={SECRET}")), b'{"n":1}'))
    face.request("GET", service.url(), headers=secret)
    face.request("PUT", service.url(), data=b'{"n":2}', headers=secret)
    read, written = history_of(face.plain).exchanges()
    assert SECRET not in everything(face.plain)
    for one in (read, written):
        assert one.request.fields.text("X-Plain") == "shown"
    assert (read.response.fields.text("ETag"), read.response.content.octets) == (tag, b'{"n":1}')
    assert (written.request.fields.text("If-Match"), written.request.content.octets) == (tag, b'{"n":2}')


def test_content_that_only_looks_like_a_credential_is_kept() -> None:
    history = Tracker(Tracking()).history
    for harmless in (b'{"created": 1}', b'{"primary_key": 2}', b"x" * 100):
        assert history.kept(harmless) == harmless
    for word in (b"passwd", b"Token", b"SECRET", b"api_key", b"ApiKey", b"private_key", b"credentials"):
        assert history.kept(b'{"' + word + b'": 1}') is UNKNOWN


def test_userinfo_of_the_url_is_not_kept(service) -> None:
    service.put()
    with track(httpx2.Client()) as client:
        client.get(service.url().replace("http://", f"http://user:{SECRET}@"))
        assert SECRET not in everything(client)
        assert "/doc" in everything(client)


def test_secrets_of_a_url_are_in_no_memory_and_no_message(face, service) -> None:
    tracking = Tracking(raise_on_conflict=True)
    track(face.plain, tracking)
    tag = service.put()
    for value in (SECRET, SECRET[:-1]):
        face.request("GET", service.url(f"/doc?access_token={value}"))
    assert len(tracking.validators) == 2
    face.request("PUT", service.url(f"/doc?access_token={SECRET}"), data=b"{}")
    assert service.seen[-1]["if-match"] == tag
    service.put()
    with pytest.raises(PreconditionFailedError) as caught:
        face.request("PUT", service.url(f"/doc?access_token={SECRET}"), data=b"{}")
    kept = [*tracking.validators.sightings, *aiohttp_session._texts.values(), *httpx_family._texts.values()]
    assert SECRET not in repr((kept, everything(face.plain))) + str(caught.value)


def test_what_an_answer_varies_on_is_remembered_without_credentials(face, service) -> None:
    tracking = Tracking()
    track(face.plain, tracking)
    for value in (SECRET, "other"):
        reply = Reply(200, (("ETag", f'"{value[:3]}"'), ("Vary", "Authorization")))
        service.script("/doc", reply)
        face.request("GET", service.url(), headers={"Authorization": value})
    assert SECRET not in repr(tracking.validators.sightings)
    face.request("PUT", service.url(), data=b"{}", headers={"Authorization": SECRET})
    assert service.seen[-1]["if-match"] == f'"{SECRET[:3]}"'


def test_masked_parameters_still_tell_urls_apart() -> None:
    tracker = Tracker(Tracking())
    for value in ("a", "b", "a"):
        url = f"http://x.test/?token={value}&q=1"
        sent = ("GET", clean(url), current_thread_scope(), {}, [], None, None)
        tracker.failed(sent, 0.0, OSError())
    first, second, third = (one.request.url for one in tracker.history.exchanges())
    assert first == third != second
    assert first.endswith("&q=1")


def test_sixty_four_exchanges_and_sixty_four_kibibytes_are_kept(service) -> None:
    service.put(value=b"x" * 65_536)
    service.put("/large", b"x" * 65_537)
    with track(httpx2.Client()) as client:
        for _ in range(70):
            client.get(service.url())
        client.get(service.url("/large"))
        kept = history_of(client).exchanges()
        assert len(kept) == 64
        assert len(kept[0].response.content) == 65_536
        assert kept[-1].response.content is UNKNOWN


def test_a_response_that_left_the_history_is_explained_from_itself(service) -> None:
    service.put()
    with track(httpx2.Client()) as client:
        refused = client.put(service.url(), content=b"{}", headers={"If-Match": '"never"'})
        for _ in range(64):
            client.get(service.url())
        assert [incident.status for incident in ifmatch.explain(refused).incidents] == [412]


def test_a_stored_response_takes_no_other_exchanges_along(service) -> None:
    service.put(value={"other": "content"})
    with track(httpx2.Client()) as client:
        client.get(service.url())
        refused = client.put(service.url(), content=b"{}", headers={"If-Match": '"never"'})
    stored = pickle.dumps(refused)
    assert b"content" not in stored.replace(b"_content", b"").replace(b"content-", b"")
    again = pickle.loads(stored)  # noqa: S301 - our own
    assert [incident.status for incident in ifmatch.explain(again).incidents] == [412]


def test_a_response_that_is_streamed_is_not_read(service) -> None:
    service.put(value=b"abc")
    with track(httpx2.Client()) as client, client.stream("GET", service.url()) as response:
        assert not response.is_stream_consumed
        assert b"".join(response.iter_bytes()) == b"abc"
        [kept] = history_of(client).exchanges()
        assert kept.response.content is UNKNOWN


def test_failures_are_part_of_the_story(service) -> None:
    service.script("/doc", Reply(cut=True))
    with track(httpx2.Client()) as client:
        with pytest.raises(httpx2.RemoteProtocolError):
            client.put(service.url(), content=b"{}")
        [kept] = history_of(client).exchanges()
    assert kept.status == 0
    assert "RemoteProtocolError" in kept.error


def test_what_failed_is_told_without_credentials(face) -> None:
    """requests puts the URL into its messages, aiohttp the fields of a refused CONNECT into what is shown."""
    track(face.plain)
    url = f"http://127.0.0.1:{free_port()}/doc?access_token={SECRET}&page=2"
    with pytest.raises(Exception):  # noqa: B017, PT011 - each library has its own
        face.request("GET", url)
    with pytest.raises(NotAppliedError) as caught:
        face.editor(Settings(limits=Limits(transport=0))).edit(url, {"n": 1})
    [kept, *_] = history_of(face.plain).exchanges()
    assert kept.error
    assert SECRET not in everything(face.plain) + str(caught.value) + repr(caught.value.attempts)


def test_the_fields_of_a_refused_tunnel_are_not_kept() -> None:
    async def refuse(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async def run():
        proxy = await asyncio.start_server(refuse, "127.0.0.1", 0)
        port = proxy.sockets[0].getsockname()[1]
        fields = {"Proxy-Authorization": f"Basic {SECRET}"}
        async with track(aiohttp.ClientSession()) as client, proxy:
            with pytest.raises(aiohttp.ClientError) as caught:
                await client.get("https://x.test/", proxy=f"http://127.0.0.1:{port}", proxy_headers=fields)
            return repr(caught.value), everything(client), history_of(client).exchanges()[0].error

    shown, kept, error = asyncio.run(run())
    assert SECRET in shown, "else this proves nothing"
    assert SECRET not in kept
    assert "407" in error


def test_a_replayed_write_is_explained_as_one(service) -> None:
    """Cut after the commit; the caller sent the same again and was refused by its own write."""
    service.put(value={"n": 1})
    with track(httpx2.Client()) as client:
        client.get(service.url())
        service.script("/doc", Reply(cut=True, after=True))
        with pytest.raises(httpx2.RemoteProtocolError):
            client.put(service.url(), json={"n": 2})
        response = client.put(service.url(), json={"n": 2})
        assert response.status_code == 412
        client.get(service.url())
        diagnosis = ifmatch.explain(client.put(service.url(), json={"n": 2}, headers={"If-Match": '"v1"'}))
    causes = [finding.cause for incident in diagnosis.incidents for finding in incident.findings]
    assert "lost-response-replay" in causes


def test_only_the_incident_of_the_response_is_given(service) -> None:
    service.put()
    service.put("/other")
    with track(httpx2.Client()) as client:
        for path in ("/doc", "/other"):
            client.get(service.url(path))
            service.put(path)
        first = client.put(service.url("/doc"), content=b"{}")
        client.put(service.url("/other"), content=b"{}")
        [incident] = ifmatch.explain(first).incidents
    assert incident.resource.endswith("/doc")


def test_a_history_ends_with_its_client(service) -> None:
    service.put()
    client = track(httpx2.Client())
    client.get(service.url())
    count = len(_tracked)
    client.close()
    del client
    deadline = time.monotonic() + 60
    while len(_tracked) == count and time.monotonic() < deadline:
        gc.collect()
    assert len(_tracked) < count


@pytest.mark.parametrize("unknown", ["y" * 100_000, "my token"])
def test_a_content_that_was_not_kept_is_not_taken_for_another(service, unknown) -> None:
    before = Reply(200, (("ETag", '"b815378c"'),), b'{"text":"a"}')
    after = Reply(200, (("ETag", '"f025afd6"'),), f'{{"text":"{unknown}"}}'.encode())
    service.script("/doc", before, before, before, after, Reply(412))
    with track(httpx2.Client()) as client:
        for _ in range(4):
            client.get(service.url())
        refused = client.put(service.url(), json={"text": "b"})
    findings = ifmatch.explain(refused).incidents[0].findings
    assert findings[0].cause == "other-writer"
    assert "inconsistent-backends" not in {one.cause for one in findings}
