"""Wrapped clients stay drop-in: what is added, what is remembered, what never leaves its origin."""

from __future__ import annotations

import logging
import pickle
import threading

import aiohttp
import pytest
import requests
from requests.adapters import HTTPAdapter

import ifmatch
from ifmatch.client import PreconditionFailedError, Tracking, track
from tests.client.libraries import Face, status
from tests.client.service import Reply


@pytest.fixture
def tracked(face):
    assert track(face.plain) is face.plain
    return face


def test_a_write_carries_the_tag_that_was_read(tracked, service) -> None:
    tag = service.put()
    tracked.request("GET", service.url())
    assert status(tracked.request("PUT", service.url(), data=b'{"n":5}')) == 204
    assert service.seen[-1]["if-match"] == tag
    assert len(service.seen) == 2, "tracking sends nothing of its own"


def test_the_tag_of_an_own_write_is_taken_over(tracked, service) -> None:
    service.put()
    tracked.request("GET", service.url())
    tracked.request("PUT", service.url(), data=b"{}")
    tracked.request("PATCH", service.url(), data=b"{}")
    tracked.request("DELETE", service.url())
    assert [one["if-match"] for one in service.seen] == [None, '"v1"', '"v2"', '"v3"']
    tracked.request("PUT", service.url(), data=b"{}")
    assert service.seen[-1]["if-match"] is None


def test_nothing_is_added_where_nothing_is_known(tracked, service) -> None:
    service.put()
    tracked.request("PUT", service.url(), data=b"{}")
    tracked.request("POST", service.url("/other"), data=b"{}")
    assert [one["if-match"] for one in service.seen] == [None, None]


def test_a_condition_of_the_caller_stands(tracked, service) -> None:
    service.put()
    tracked.request("GET", service.url())
    tracked.request("PUT", service.url(), data=b"{}", headers={"If-Match": '"mine"'})
    assert service.seen[-1]["if-match"] == '"mine"'
    tracked.request("PUT", service.url("/new"), data=b"{}", headers={"If-None-Match": "*"})
    assert service.seen[-1]["if-match"] is None


def test_a_412_comes_back_unchanged_and_is_not_repeated(tracked, service) -> None:
    service.put()
    tracked.request("GET", service.url())
    service.put()
    response = tracked.request("PUT", service.url(), data=b"{}")
    assert status(response) == 412
    assert service.methods() == ["GET", "PUT"]
    # The content is still based on the old version: without a new read it is refused again.
    assert status(tracked.request("PUT", service.url(), data=b"{}")) == 412
    tracked.request("GET", service.url())
    assert status(tracked.request("PUT", service.url(), data=b"{}")) == 204


def test_a_412_is_explained_from_the_clients_own_history(tracked, service) -> None:
    service.put()
    tracked.request("GET", service.url())
    tracked.request("PUT", service.url(), data=b'{"n":1}')
    response = tracked.request("PUT", service.url(), data=b'{"n":2}', headers={"If-Match": '"v1"'})
    diagnosis = ifmatch.explain(response)
    [incident] = diagnosis.incidents
    assert incident.status == 412
    assert incident.findings[0].cause == "stale-stored-token"


def test_the_history_can_be_off(face, service) -> None:
    track(face.plain, Tracking(history=False))
    service.put()
    response = face.request("GET", service.url())
    with pytest.raises(ValueError, match="history"):
        ifmatch.explain(response)


def test_callback_and_raising_are_asked_for(face, service) -> None:
    called = []
    track(face.plain, Tracking(on_precondition_failed=called.append, raise_on_conflict=True))
    service.put()
    with pytest.raises(PreconditionFailedError) as caught:
        face.request("PUT", service.url(), data=b"{}", headers={"If-Match": '"never"'})
    assert status(caught.value.response) == 412
    assert called == [caught.value.response]
    assert caught.value.diagnosis.incidents


def test_where_it_is_not_wanted_nothing_is_added(face, service) -> None:
    track(face.plain, Tracking(wants=lambda method, url: method == "DELETE" and url.endswith("/doc")))
    service.put()
    face.request("GET", service.url())
    face.request("PUT", service.url(), data=b"{}")
    assert service.seen[-1]["if-match"] is None
    face.request("GET", service.url())
    face.request("DELETE", service.url())
    assert service.seen[-1]["if-match"] == '"v2"'


def test_a_weak_tag_is_never_sent_and_that_is_said_once(tracked, service, caplog) -> None:
    service.put()
    service.gzip = True
    with caplog.at_level(logging.WARNING, "ifmatch.client"):
        for _ in range(2):
            tracked.request("GET", service.url(), headers={"Accept-Encoding": "gzip"})
            tracked.request("PUT", service.url(), data=b"{}")
            assert service.seen[-1]["if-match"] is None
    [record] = caplog.records
    assert "/doc goes out without If-Match" in record.getMessage()


def test_the_variant_of_the_write_decides(tracked, service) -> None:
    service.put()
    for language, tag in (("en", '"en"'), ("de", '"de"')):
        service.script("/doc", Reply(200, (("ETag", tag), ("Vary", "Accept-Language"))))
        tracked.request("GET", service.url(), headers={"Accept-Language": language})
    tracked.request("PUT", service.url(), data=b"{}", headers={"Accept-Language": "en"})
    assert service.seen[-1]["if-match"] == '"en"'


def test_head_shows_a_tag_without_the_content_to_change(tracked, service) -> None:
    service.put()
    tracked.request("GET", service.url())
    service.put()
    tracked.request("HEAD", service.url())
    assert status(tracked.request("PUT", service.url(), data=b"{}")) == 412


def test_a_tracked_client_is_not_tracked_twice(tracked) -> None:
    with pytest.raises(ValueError, match="already"):
        track(tracked.plain)


def test_only_the_four_libraries_are_taken() -> None:
    with pytest.raises(TypeError, match="object"):
        track(object())


def test_an_edit_in_between_does_not_make_the_callers_copy_newer(tracked, service) -> None:
    """The document that the caller holds is older than what the edit wrote: putting it must be refused."""
    service.put(value={"n": 1})
    tracked.request("GET", service.url())
    tracked.editor().edit(service.url(), {"m": 2})
    assert status(tracked.request("PUT", service.url(), data=b'{"n":5}')) == 412
    assert service.value() == {"n": 1, "m": 2}


def test_a_response_class_of_the_caller_stays_one(service) -> None:
    class Own(aiohttp.ClientResponse):
        def shouted(self):
            return self.reason.upper()

    service.put()
    face = Face("aiohttp", response_class=Own)
    track(face.plain)
    response = face.request("GET", service.url())
    face.close()
    assert isinstance(response, Own)
    assert response.shouted() == "OK"


def test_a_tag_beyond_ascii_goes_back_as_it_came(tracked, service) -> None:
    tag = '"ü1"'.encode().decode("latin-1")
    service.script("/doc", Reply(200, (("ETag", tag),), b"{}"))
    tracked.request("GET", service.url())
    tracked.request("PUT", service.url(), data=b"{}")
    assert service.seen[-1]["if-match"] == tag


# Redirects.


@pytest.mark.parametrize("code", [301, 302, 307, 308])
def test_a_write_does_not_follow_to_another_origin(tracked, service, other_service, code) -> None:
    tag = service.put()
    tracked.request("GET", service.url())
    service.script("/doc", Reply(code, (("Location", other_service.url()),)))
    try:
        response = tracked.request("PUT", service.url(), data=b"secret")
    except ifmatch.client.CrossOriginRedirectError:
        response = None
    assert service.seen[-1]["if-match"] == tag
    for seen in other_service.seen:
        # Browsers and libraries turn 302 into a read: then nothing of the write goes along.
        assert (seen.method, seen.octets, seen["if-match"]) == ("GET", b"", None)
    if code in (307, 308):
        assert other_service.seen == []
        assert response is None or status(response) == code


def test_a_read_follows_to_another_origin_without_conditions_and_keys(
    tracked, service, other_service
) -> None:
    other_service.put(value={"n": 9})
    service.script("/doc", Reply(302, (("Location", other_service.url()),)))
    fields = {"If-None-Match": '"v1"', "X-Api-Key": "k", "Authorization": "Basic c2VjcmV0", "X-Plain": "p"}
    response = tracked.request("GET", service.url(), headers=fields)
    assert status(response) == 200
    [seen] = other_service.seen
    assert (seen["if-none-match"], seen["x-api-key"], seen["authorization"]) == (None, None, None)
    assert seen["x-plain"] == "p"


def test_a_write_follows_within_its_origin(tracked, service) -> None:
    service.put("/real")
    service.script("/doc", Reply(307, (("Location", "/real"),)))
    response = tracked.request("PUT", service.url(), data=b'{"n":3}')
    assert status(response) == 204
    assert service.value("/real") == {"n": 3}
    assert len(response.history) == 1


def test_a_condition_belongs_to_the_write_and_not_to_the_read_that_follows(tracked, service) -> None:
    service.put("/made", {"n": 1})
    for status_code in (303, 302):
        service.script("/doc", Reply(status_code, (("Location", "/made"),)))
        response = tracked.request("POST", service.url(), data=b"{}", headers={"If-Match": '"x"'})
        assert status(response) == 200
        assert [service.seen[-2]["If-Match"], service.seen[-1]["If-Match"]] == ['"x"', None]
        assert service.seen[-1].method == "GET"


def test_not_following_stays_not_following(tracked, service) -> None:
    service.script("/doc", Reply(307, (("Location", "/real"),)))
    name = "follow_redirects" if tracked.name.startswith("httpx") else "allow_redirects"
    response = tracked.request("GET", service.url(), **{name: False})
    assert status(response) == 307
    assert len(service.seen) == 1


def test_a_redirect_that_the_caller_follows_is_the_callers_decision(tracked, service, other_service) -> None:
    other_service.put()
    service.script("/doc", Reply(307, (("Location", other_service.url()),)))
    name = "follow_redirects" if tracked.name.startswith("httpx") else "allow_redirects"
    tracked.request("PUT", service.url(), data=b"{}", **{name: False})
    assert status(tracked.request("PUT", other_service.url(), data=b'{"n":1}')) == 204
    assert other_service.value() == {"n": 1}


def test_endless_redirects_end(tracked, service) -> None:
    service.script("/doc", *[Reply(302, (("Location", "/doc"),))] * 40)
    with pytest.raises(Exception) as caught:  # noqa: PT011 - each library has its own
        tracked.request("GET", service.url())
    assert type(caught.value).__name__ == "TooManyRedirects"
    assert len(service.seen) < 40


# Threads.


def test_another_threads_newer_version_is_not_borrowed(service) -> None:
    """A write based on version 1 must not carry the tag of version 2 because somebody else read that one."""
    import httpx2

    service.put(value={"n": 1})
    with track(httpx2.Client()) as client:
        client.get(service.url())
        service.put(value={"n": 2})
        other = threading.Thread(target=client.get, args=(service.url(),))
        other.start()
        other.join(120)
        assert client.put(service.url(), content=b'{"n":5}').status_code == 412
    assert service.value() == {"n": 2}


def test_what_another_thread_read_is_known_too(service) -> None:
    import httpx2

    tag = service.put()
    with track(httpx2.Client()) as client:
        other = threading.Thread(target=client.get, args=(service.url(),))
        other.start()
        other.join(120)
        client.put(service.url(), content=b"{}")
    assert service.seen[-1]["if-match"] == tag


def test_what_a_download_saw_is_not_what_the_caller_saw(tracked, service, tmp_path) -> None:
    service.put(value={"n": 1})
    tracked.request("GET", service.url())
    service.put(value={"n": 2})
    tracked.editor().download(service.url(), tmp_path / "file")
    assert status(tracked.request("PUT", service.url(), data=b"mine")) == 412


def test_an_error_does_not_keep_its_connection(face, service) -> None:
    service.put()
    track(face.plain, Tracking(raise_on_conflict=True))
    stale = {"If-Match": '"none"'}

    async def awaited():
        if face.name == "aiohttp":
            return await face.plain.put(service.url(), data=b"x", headers=stale)
        request = face.plain.build_request("PUT", service.url(), content=b"x", headers=stale)
        return await face.plain.send(request, stream=True)

    def streamed():
        if face.is_async:
            return face.wait(awaited())
        if face.name == "requests":
            return face.plain.put(service.url(), data=b"x", headers=stale, stream=True)
        request = face.plain.build_request("PUT", service.url(), content=b"x", headers=stale)
        return face.plain.send(request, stream=True)

    with pytest.raises(PreconditionFailedError) as raised:
        streamed()
    response = raised.value.response
    if face.name == "requests":
        assert response.raw.closed or response.raw._connection is None
    else:
        assert response.closed if face.name == "aiohttp" else response.is_closed
    copy = pickle.loads(pickle.dumps(raised.value))  # noqa: S301 - our own
    assert (str(copy), copy.response) == (str(raised.value), None)
    assert len(copy.diagnosis.incidents) == len(raised.value.diagnosis.incidents)


def test_a_callback_that_would_never_be_awaited_is_refused() -> None:
    async def called(_response):
        raise AssertionError

    with pytest.raises(TypeError, match="called, not awaited"):
        Tracking(on_precondition_failed=called)


def test_requests_asks_anew_which_proxy_a_redirect_goes_through(service, other_service, monkeypatch) -> None:
    """From a host that is reached without one to a host that is not."""
    other_service.put()
    service.put()
    service.script("/doc", Reply(302, (("Location", other_service.url()),)))
    session = track(requests.Session())
    sent = []
    plain = HTTPAdapter.send

    def send(self, request, **options):
        sent.append(options["proxies"])
        return plain(self, request, **{**options, "proxies": {}})

    monkeypatch.setattr(HTTPAdapter, "send", send)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "localhost")
    assert session.get(service.url().replace("127.0.0.1", "localhost")).status_code == 200
    assert "http" not in sent[0]
    assert "http" in sent[1]
