"""Batches are taken apart as they are written, and nothing on the wire makes that fail."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest
from dialect_cases import exchange_of
from hypothesis import given, settings
from hypothesis import strategies as st

from ifmatch.dialects import View, dialect, guarded_in, parts_in, unseen_guard
from ifmatch.model.message import Request
from ifmatch.model.unknown import UNKNOWN

GRAPH = "https://graph.example.test/beta"


def _parts(family, request, response):
    exchange = exchange_of(request, response)
    return parts_in(View(exchange.request, exchange.response), dialect(family))


def test_answers_belong_to_requests_by_their_id() -> None:
    sent = {
        "requests": [
            {
                "id": "a",
                "method": "patch",
                "url": "/me/drive/items/1",
                "headers": {"If-Match": "x"},
                "body": {"n": 1},
            },
            {"id": "b", "url": "/me"},
            {"id": "c"},
        ]
    }
    got = {
        "responses": [
            {"id": "b", "status": 200, "body": {}},
            {"id": "a", "status": 412, "headers": {"ETag": "y"}},
        ]
    }
    parts = _parts(
        "microsoft-graph",
        f"POST {GRAPH}/$batch\nAuthorization: Bearer t\nContent-Length: 9\n\n{json.dumps(sent)}",
        f"200\n\n{json.dumps(got)}",
    )
    first, second = parts
    assert (first.request.method, first.request.url) == (
        "PATCH",
        f"{GRAPH}/me/drive/items/1",
    )
    assert list(first.request.fields) == [("Authorization", "Bearer t"), ("If-Match", "x")]
    assert first.request.content.json() == {"n": 1}
    assert (first.response.status, first.response.fields.text("etag")) == (412, "y")
    assert (second.request.method, second.response.status) == ("GET", 200)


def test_parts_of_application_http() -> None:
    parts = _parts(
        "odata",
        "POST http://o.example.test/odata/$batch\nContent-Type: multipart/mixed; boundary=b\n\n"
        '--b\r\nContent-Type: application/http\r\n\r\nPATCH Orders(7) HTTP/1.1\r\nIf-Match: W/"7"\r\n\r\n'
        '{"n": 2}\r\n'
        "--b\r\nContent-Type: application/http\r\n\r\nGET /odata/Orders(8) HTTP/1.1\r\n\r\n\r\n--b--",
        "202\n\n--c\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 412 Precondition Failed\r\n\r\n\r\n"
        '--c\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 200 OK\r\nETag: W/"3"\r\n\r\n'
        '{"n": 8}\r\n--c--',
    )
    assert [(one.request.method, one.request.url, one.response.status) for one in parts] == [
        ("PATCH", "http://o.example.test/odata/Orders(7)", 412),
        ("GET", "http://o.example.test/odata/Orders(8)", 200),
    ]
    assert parts[0].request.fields.text("if-match") == 'W/"7"'
    assert parts[0].request.content.text == '{"n": 2}'
    assert parts[1].response.fields.text("etag") == 'W/"3"'


def test_documents_in_bulk() -> None:
    parts = _parts(
        "couchdb",
        'POST http://c.example.test/d/_bulk_docs\n\n{"docs": [{"_id": "1", "_rev": "1-a"}, {"_id": "2"}]}',
        '201\n\n[{"id": "1", "error": "conflict"}, {"id": "2", "rev": "1-b"}]',
    )
    assert [(one.request.url.rpartition("/")[2], one.response.status) for one in parts] == [
        ("1", 409),
        ("2", 201),
    ]


@pytest.mark.parametrize(
    "request_text",
    [
        "GET http://k.example.test/v1/batch",
        'POST http://k.example.test/v1/other\n\n{"requests": [{"path": "/"}]}',
    ],
)
def test_what_is_no_batch_is_left(request_text) -> None:
    assert _parts("kinto", request_text, "200\n\n{}") == ()


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(["kinto", "microsoft-graph", "odata", "couchdb", "gcs-json"]),
    st.text('{}[]":,abc1/\r\n-', max_size=60),
    st.sampled_from(
        ["", '{"requests": 7}', '{"requests": [7, {"path": []}, {"path": "x"}]}', '{"docs": [{"_id": {}}]}']
    ),
    st.sampled_from(["", "[]", '{"responses": [{"status": "x"}, {"status": 99}, 5]}', "--a\nHTTP/1.1 abc"]),
)
def test_nothing_on_the_wire_raises(family, noise, sent, got) -> None:
    for path in ("/v1/batch", "/v1.0/$batch", "/d/_bulk_docs", "/batch"):
        for body in (sent, noise, sent + noise):
            _parts(family, f"POST http://x.example.test{path}\n\n{body}", f"200\n\n{got}")


def test_the_source_of_a_copy_is_what_is_guarded() -> None:
    exchange = exchange_of(
        'PUT https://b.s3.example.test/new\nx-amz-copy-source: /b/old%20one\nx-amz-copy-source-if-match: "a"',
        "412",
    )
    assert guarded_in(View(exchange.request), dialect("s3")) == ("/b/old one", "x-amz-copy-source-if-match")
    plain = exchange_of('PUT https://b.s3.example.test/new\nIf-Match: "a"', "412")
    assert guarded_in(View(plain.request), dialect("s3")) is None


def test_a_guard_in_a_content_that_was_left_out() -> None:
    url = "https://k.example.test/api/v1/namespaces/n/configmaps/c"
    unknown = View(Request("PUT", url, content=UNKNOWN))
    assert unseen_guard(unknown, dialect("kubernetes")).name == "/metadata/resourceVersion"
    assert unseen_guard(View(Request("PUT", url)), dialect("kubernetes")) is None
    assert unseen_guard(View(Request("GET", url, content=UNKNOWN)), dialect("kubernetes")) is None
    # CouchDB may carry it in the query too: only the answer tells that there was one.
    write = View(Request("PUT", "http://c.example.test/d/1", content=UNKNOWN))
    assert unseen_guard(write, dialect("couchdb")) is None
    assert unseen_guard(write, dialect("couchdb"), told=True).name == "/_rev"


def _alone(request, response):
    exchange = exchange_of(request, response)
    return parts_in(View(exchange.request, exchange.response), None)


def test_a_bundle_says_itself_what_it_is() -> None:
    entry = {
        "resource": {"resourceType": "Patient", "id": "7"},
        "request": {"method": "PUT", "url": "Patient/7", "ifMatch": 'W/"3"'},
    }
    sent = {"resourceType": "Bundle", "type": "batch", "entry": [entry, {"request": {"url": "Patient?x=1"}}]}
    got = {
        "resourceType": "Bundle",
        "entry": [
            {"response": {"status": "412 Precondition Failed", "outcome": {"issue": []}}},
            {"response": {"status": "201 Created", "etag": 'W/"1"'}},
        ],
    }
    first, second = _alone(
        f"POST https://f.example.test/base\n\n{json.dumps(sent)}", f"200\n\n{json.dumps(got)}"
    )
    assert (first.request.method, first.request.url) == ("PUT", "https://f.example.test/base/Patient/7")
    assert first.request.fields.text("if-match") == 'W/"3"'
    assert (first.response.status, first.response.content.json()) == (412, {"issue": []})
    assert (second.request.method, second.response.fields.text("etag")) == ("GET", 'W/"1"')


def test_a_bundle_that_failed_as_a_whole_blames_the_entry_that_is_named() -> None:
    entries = [
        {"request": {"method": "PUT", "url": f"Patient/{number}", "ifMatch": 'W/"3"'}} for number in (7, 8, 9)
    ]
    sent = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    answer = '412\n\n{"issue": [{"diagnostics": "/base/Patient/8 is no longer at version 3"}]}'
    parts = _alone(f"POST https://f.example.test/base\n\n{json.dumps(sent)}", answer)
    assert [one.response and one.response.status for one in parts] == [None, 412, None]
    pointed = '412\n\n{"issue": [{"expression": ["Bundle.entry[2]"]}]}'
    parts = _alone(f"POST https://f.example.test/base\n\n{json.dumps(sent)}", pointed)
    assert [one.response and one.response.status for one in parts] == [None, None, 412]


def test_operations_that_failed_blame_the_one_that_is_pointed_at() -> None:
    operations = [
        {"op": "add", "data": {"type": "notes", "attributes": {}}},
        {"op": "update", "data": {"type": "notes", "id": "7", "attributes": {}}},
        {"op": "remove", "ref": {"type": "notes", "id": "8"}},
    ]
    sent = json.dumps({"atomic:operations": operations})
    pointer = {"errors": [{"source": {"pointer": "/atomic:operations/2"}}]}
    parts = _alone(f"POST https://j.example.test/api/operations\n\n{sent}", f"409\n\n{json.dumps(pointer)}")
    asked = [(one.request.method, one.request.url.rpartition("/api/")[2]) for one in parts]
    assert asked == [("POST", "notes"), ("PATCH", "notes/7"), ("DELETE", "notes/8")]
    assert [one.response and one.response.status for one in parts] == [None, None, 409]


def test_lines_of_a_bulk_request() -> None:
    lines = [
        {"index": {"_id": "1", "if_seq_no": 10, "if_primary_term": 1}},
        {"n": 1},
        {"delete": {"_index": "other", "_id": "2"}},
        {"create": {"_id": "3"}},
        {"n": 3},
    ]
    items = [
        {"index": {"status": 409, "error": {"type": "version_conflict_engine_exception"}}},
        {"delete": {"status": 200}},
        {"create": {"status": 201}},
    ]
    text = "\n".join(json.dumps(one) for one in lines)
    parts = _parts(
        "elasticsearch",
        f"POST http://es.example.test/idx/_bulk\n\n{text}\n",
        f"200\n\n{json.dumps({'items': items})}",
    )
    asked = [(one.request.method, one.request.url.partition(".test")[2]) for one in parts]
    assert asked == [
        ("PUT", "/idx/_doc/1?if_seq_no=10&if_primary_term=1"),
        ("DELETE", "/other/_doc/2"),
        ("PUT", "/idx/_create/3"),
    ]
    assert [one.response.status for one in parts] == [409, 200, 201]
    assert parts[0].request.content.json() == {"n": 1}


def test_what_only_looks_like_a_batch_is_none() -> None:
    assert _alone('POST http://a.example.test/x\n\n{"requests": [{"text": "two seats"}]}', "200\n\n{}") == ()
    assert _alone('POST http://a.example.test/x\n\n{"resourceType": "Bundle"}', "200\n\n{}") == ()
    form = "multipart/form-data; boundary=b\n\n--b\nContent-Type: text/plain\n\nx\n--b--"
    assert _alone(f"POST http://a.example.test/x\nContent-Type: {form}", "200\n\n{}") == ()


def test_items_of_a_list_that_are_answered_one_by_one() -> None:
    sent = {"items": [{"id": "5", "version": 7}, {"id": "/else/6", "op": "delete"}]}
    got = {"results": [{"id": "5", "status": 409, "error": "x"}, {"id": "/else/6", "status": 204}]}
    url = "http://api.example.test/pots/bulk"
    exchange = exchange_of(f"POST {url}\n\n{json.dumps(sent)}", f"200\n\n{json.dumps(got)}")
    first, second = parts_in(View(exchange.request, exchange.response), None)
    assert (first.request.method, first.request.url) == ("PATCH", "http://api.example.test/pots/5")
    assert (second.request.method, second.request.url) == ("DELETE", "http://api.example.test/else/6")
    assert [one.response.status for one in (first, second)] == [409, 204]


@pytest.mark.parametrize(
    ("sent", "got"),
    [
        ({"items": [{"id": "5"}]}, {"results": [{"id": "6", "status": 200}]}),
        ({"items": [{"id": "5"}]}, {"results": [{"id": "5", "state": "ok"}]}),
        ({"items": [{"id": "5"}], "more": [{"id": "6"}]}, {"results": [{"id": "5", "status": 200}]}),
        ({"items": [5]}, {"results": [5]}),
    ],
)
def test_other_lists_are_no_batches(sent, got) -> None:
    exchange = exchange_of(
        f"POST http://api.example.test/pots\n\n{json.dumps(sent)}", f"200\n\n{json.dumps(got)}"
    )
    assert parts_in(View(exchange.request, exchange.response), None) == ()


@pytest.mark.parametrize(
    ("family", "sent", "got", "wanted"),
    [
        (
            "firestore",
            (
                "POST https://firestore.googleapis.com/v1/projects/p/databases/d/documents:batchWrite\n\n"
                '{"writes": [{"update": {"name": "projects/p/databases/d/documents/a/1", "fields": {}}, '
                '"currentDocument": {"exists": false}}, {"delete": "projects/p/databases/d/documents/a/2"}]}'
            ),
            '200\n\n{"writeResults": [{}, {}], "status": [{"code": 6, "message": "exists"}, {}]}',
            [
                ("PATCH", "/v1/projects/p/databases/d/documents/a/1?currentDocument.exists=false", 409),
                ("DELETE", "/v1/projects/p/databases/d/documents/a/2", 200),
            ],
        ),
        (
            "quickbooks",
            (
                "POST https://q.example.test/v3/company/1/batch\n\n"
                '{"BatchItemRequest": [{"bId":"a","operation":"update","Bill": {"Id":"7","SyncToken":"1"}}, '
                '{"bId": "b", "operation": "delete", "Bill": {"Id": "8", "SyncToken": "0"}}, '
                '{"bId": "c", "Query": "x"}]}'
            ),
            '200\n\n{"BatchItemResponse": [{"bId": "b", "Bill": {"Id": "8"}}, {"bId": "a", "Fault": {}}]}',
            [
                ("POST", "/v3/company/1/bill", 400),
                ("POST", "/v3/company/1/bill?operation=delete", 200),
            ],
        ),
        (
            "cosmos-db",
            (
                "POST https://c.example.test/dbs/d/colls/c/docs\n\n"
                '[{"operationType":"Replace","id": "a", "ifMatch": "\\"1\\"", "resourceBody": {"id": "a"}},'
                '{"operationType": "Create", "resourceBody": {"id": "b"}}]'
            ),
            '207\n\n[{"statusCode": 412}, {"statusCode": 424}]',
            [("PUT", "/dbs/d/colls/c/docs/a", 412), ("POST", "/dbs/d/colls/c/docs", 424)],
        ),
        (
            "aws-json",
            (
                "POST https://d.example.test/\nX-Amz-Target: DynamoDB_20120810.BatchExecuteStatement\n\n"
                '{"Statements": [{"Statement": "UPDATE \\"T\\" SET a=? WHERE pk=? AND version=?", '
                '"Parameters": [{"S": "x"}, {"S": "k"}, {"N": "4"}]}, {"Statement": "SELECT * FROM T"}]}'
            ),
            '200\n\n{"Responses": [{"Error": {"Code": "ConditionalCheckFailed"}}, {"Item": {}}]}',
            [("POST", "/", 400)],
        ),
        (
            "salesforce",
            (
                "PATCH https://s.example.test/services/data/v60.0/composite/sobjects\n\n"
                '{"records": [{"attributes": {"type": "Lead"}, "id": "00Q1", "City": "Ulm"}]}'
            ),
            '200\n\n[{"id": "00Q1", "success": false, "errors": [{"statusCode": "ENTITY_IS_LOCKED"}]}]',
            [("PATCH", "/services/data/v60.0/sobjects/Lead/00Q1", 400)],
        ),
        (
            "salesforce",
            (
                "POST https://s.example.test/services/data/v60.0/composite\n\n"
                '{"compositeRequest": [{"method": "PATCH", "url": "/services/data/v60.0/sobjects/Lead/1", '
                '"referenceId": "r", "httpHeaders": {"If-Match": "\\"a\\""}, "body": {}}]}'
            ),
            '200\n\n{"compositeResponse": [{"referenceId": "r", "httpStatusCode": 412, "body": []}]}',
            [("PATCH", "/services/data/v60.0/sobjects/Lead/1", 412)],
        ),
        (
            "square",
            (
                "PUT https://s.example.test/v2/customers/bulk-update\n\n"
                '{"customers": {"C1": {"version": 1}, "C2": {"note": "x"}}}'
            ),
            (
                '200\n\n{"responses": {"C1": {"errors": [{"code": "CONFLICT"}]}, '
                '"C2": {"customer": {"id": "C2"}}}}'
            ),
            [("PUT", "/v2/customers/C1", 409), ("PUT", "/v2/customers/C2", 200)],
        ),
    ],
)
def test_the_batches_of_single_apis(family, sent, got, wanted) -> None:
    found = _parts(family, sent, got)
    told = [(one.request.method, urlsplit(one.request.url), one.response.status) for one in found]
    assert [
        (method, url.path + (f"?{url.query}" if url.query else ""), status) for method, url, status in told
    ] == wanted
