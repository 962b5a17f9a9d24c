"""Each family: where its token comes from, where it goes, how it refuses, what a token covers."""

from __future__ import annotations

import base64
import json

import pytest

from ifmatch.client import DataConflictError, Edit, NotAppliedError, PreconditionRequiredError, Replace, speak
from ifmatch.dialects import all_dialects
from ifmatch.errors import InputError
from ifmatch.update import DELETE, HTTP, State
from ifmatch.update.families import from_record
from tests.update.playing import answer, cut, play, requests

JSON = {"Content_Type": "application/json"}


def body(value, *, status=200, tag=None, **fields):
    return answer(status, json.dumps(value).encode(), tag=tag, **JSON, **fields)


def coded(text):
    return base64.b64encode(text.encode()).decode()


def mark(document):
    document["m"] = 1
    return document


def test_azure_says_202_of_a_blob_that_is_gone() -> None:
    state = State(b"{}", ('"0x8D1"',))
    script = [answer(202)]
    end, commands = play(
        Replace(DELETE, state.token),
        script,
        known=state,
        dialect=speak("azure-blob"),
        target="https://a.test/c/b",
    )
    assert (end.how, len(requests(commands))) == ("applied", 1)


@pytest.mark.parametrize("schedule", [{}, {"Schedule_Tag": '"s1"'}])
def test_a_calendar_object_needs_no_schedule_tag(schedule) -> None:
    """Every one has an entity tag (RFC 4791 section 5.3.4); cards and most calendars have nothing else."""
    read = answer(200, b'{"n":1}', tag='"e1"', **schedule)
    end, commands = play(
        Edit(mark),
        [read, answer(204, tag='"e2"')],
        dialect=speak("caldav-carddav"),
        target="https://c.test/1.ics",
    )
    assert (end.how, end.before, end.after) == ("applied", ('"e1"',), ('"e2"',))
    fields = dict(requests(commands)[1].fields)
    assert fields["If-Match"] == '"e1"'
    assert "If-Schedule-Tag-Match" not in fields


K8S = {"kind": "ConfigMap", "metadata": {"name": "x", "resourceVersion": "41"}}
K8S_NEW = {"kind": "ConfigMap", "metadata": {"name": "x", "resourceVersion": "44"}, "theirs": 1}
CONFLICT = {"kind": "Status", "reason": "Conflict", "message": "the object has been modified"}
# id: target, first read, refusal, second read, accepted; what the second write carries; the token after it
FAMILIES = {
    "s3": (
        "https://b.s3.test/key",
        body({}, tag='"a1"'),
        answer(409, b"<Code>ConditionalRequestConflict</Code>"),
        body({"t": 1}, tag='"a2"'),
        answer(200, tag='"a3"'),
        {"If-Match": '"a2"'},
        ('"a3"',),
    ),
    "azure-blob": (
        "https://a.blob.test/c/b",
        body({}, tag='"0x8D1"'),
        answer(412, b"", x_ms_error_code="ConditionNotMet"),
        body({"t": 1}, tag='"0x8D2"'),
        answer(201, tag='"0x8D3"'),
        {"If-Match": '"0x8D2"'},
        ('"0x8D3"',),
    ),
    "azure-table": (
        "https://a.table.test/T(PartitionKey='p',RowKey='r')",
        body({}, tag="W/\"datetime'1'\""),
        answer(412, b"UpdateConditionNotSatisfied"),
        body({"t": 1}, tag="W/\"datetime'2'\""),
        answer(204, tag="W/\"datetime'3'\""),
        {"If-Match": "W/\"datetime'2'\""},
        ("W/\"datetime'3'\"",),
    ),
    "gcs-json": (
        "https://storage.test/storage/v1/b/b/o/o?alt=media",
        body({}, x_goog_generation="11"),
        body({"error": {"errors": [{"reason": "conditionNotMet"}]}}, status=412),
        body({"t": 1}, x_goog_generation="12"),
        body({"generation": "13", "metageneration": "1"}),
        {"query": {"ifGenerationMatch": "12"}, "content": {"t": 1, "m": 1}},
        ("13",),
    ),
    "gcs-xml": (
        "https://storage.test/b/o",
        body({}, x_goog_generation="11"),
        answer(412, b"PreconditionFailed"),
        body({"t": 1}, x_goog_generation="12"),
        answer(200, x_goog_generation="13"),
        {"x-goog-if-generation-match": "12"},
        ("13",),
    ),
    "kubernetes": (
        "https://k.test/api/v1/namespaces/n/configmaps/x",
        body(K8S),
        body(CONFLICT, status=409),
        body(K8S_NEW),
        body({**K8S_NEW, "metadata": {"resourceVersion": "45"}}),
        {"content": {**K8S_NEW, "m": 1}},
        ("45",),
    ),
    "elasticsearch": (
        "https://e.test/i/_doc/1",
        body({"_seq_no": 3, "_primary_term": 1, "_source": {}}),
        body({"error": {"type": "version_conflict_engine_exception"}}, status=409),
        body({"_seq_no": 4, "_primary_term": 1, "_source": {"t": 1}}),
        body({"_seq_no": 5, "_primary_term": 1}),
        {"query": {"if_seq_no": "4", "if_primary_term": "1"}, "content": {"t": 1, "m": 1}},
        ("5", "1"),
    ),
    "odata": (
        "https://o.test/Tasks(1)",
        body({}, tag='W/"1"'),
        answer(412),
        body({"t": 1}, tag='W/"2"'),
        answer(204, tag='W/"3"'),
        {"If-Match": 'W/"2"'},
        ('W/"3"',),
    ),
    "microsoft-graph": (
        "https://graph.test/v1.0/planner/tasks/1",
        body({"@odata.etag": 'W/"1"'}),
        answer(412),
        body({"t": 1, "@odata.etag": 'W/"2"'}),
        answer(204, tag='W/"3"'),
        {"If-Match": 'W/"2"'},
        ('W/"3"',),
    ),
    "webdav": (
        "https://d.test/f",
        body({}, tag='"1"'),
        answer(412),
        body({"t": 1}, tag='"2"'),
        answer(204, tag='"3"'),
        {"If-Match": '"2"'},
        ('"3"',),
    ),
    "contentful": (
        "https://c.test/spaces/s/entries/e",
        body({"sys": {"version": 4}}),
        body({"sys": {"id": "VersionMismatch"}}, status=409),
        body({"sys": {"version": 6}, "t": 1}),
        body({"sys": {"version": 7}}),
        {"X-Contentful-Version": "6"},
        ("7",),
    ),
    "confluence": (
        "https://c.test/rest/api/content/1",
        body({"version": {"number": 4}}),
        body({"message": "Attempted to update stale data"}, status=409),
        body({"version": {"number": 6}, "t": 1}),
        body({"version": {"number": 7}}),
        {"content": {"version": {"number": 7}, "t": 1, "m": 1}},
        ("7",),
    ),
    "github-contents": (
        "https://api.test/repos/o/r/contents/f.json",
        body({"sha": "a" * 40, "content": coded("{}")}),
        body({"message": f"f.json is at {'b' * 40} but expected {'a' * 40}"}, status=409),
        body({"sha": "b" * 40, "content": coded('{"t":1}')}),
        body({"content": {"sha": "c" * 40}}),
        {"content": {"message": "Update", "content": coded('{"t":1,"m":1}'), "sha": "b" * 40}},
        ("c" * 40,),
    ),
    "zotero": (
        "https://z.test/users/1/items/K",
        body({"data": {}}, Last_Modified_Version="10"),
        answer(412, b"expected 10, found 12"),
        body({"data": {"t": 1}}, Last_Modified_Version="12"),
        answer(204, Last_Modified_Version="13"),
        {"If-Unmodified-Since-Version": "12", "content": {"t": 1, "m": 1}},
        ("13",),
    ),
    "couchdb": (
        "https://c.test/db/d",
        body({"_rev": "1-a"}),
        body({"error": "conflict", "reason": "Document update conflict."}, status=409),
        body({"_rev": "2-b", "t": 1}),
        body({"ok": True, "rev": "3-c"}, status=201),
        {"content": {"_rev": "2-b", "t": 1, "m": 1}},
        ("3-c",),
    ),
    "consul-kv": (
        "https://c.test/v1/kv/k",
        body([{"ModifyIndex": 7, "Value": coded("{}")}]),
        answer(200, b"false"),
        body([{"ModifyIndex": 9, "Value": coded('{"t":1}')}]),
        answer(200, b"true"),
        {"query": {"cas": "9"}, "content": {"t": 1, "m": 1}},
        (),
    ),
    "kinto": (
        "https://k.test/v1/buckets/b/collections/c/records/r",
        body({"data": {}}, tag='"100"'),
        body({"errno": 114, "code": 412}, status=412),
        body({"data": {"t": 1}}, tag='"102"'),
        body({"data": {}}, tag='"103"'),
        {"If-Match": '"102"', "content": {"data": {"t": 1, "m": 1}}},
        ('"103"',),
    ),
    "google-iam": (
        "https://g.test/v1/projects/p",
        body({"version": 3, "bindings": [], "etag": "BwA="}),
        body({"error": {"status": "ABORTED", "message": "concurrent policy changes"}}, status=409),
        body({"version": 3, "bindings": [1], "etag": "BwB="}),
        body({"version": 3, "bindings": [1], "etag": "BwC=", "m": 1}),
        {"content": {"policy": {"version": 3, "bindings": [1], "etag": "BwB=", "m": 1}}},
        ("BwC=",),
    ),
    "etcd-v3": (
        "http://e.test:2379/v3/kv/app/config",
        body({"kvs": [{"value": coded("{}"), "mod_revision": "5"}]}),
        body({"header": {"revision": "8"}, "responses": [{"response_range": {}}]}),
        body({"kvs": [{"value": coded('{"t":1}'), "mod_revision": "8"}]}),
        body({"header": {"revision": "9"}, "succeeded": True}),
        {},
        ("9",),
    ),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_a_conflict_is_rebased_in_every_family(name) -> None:
    target, first, refusal, second, accepted, carried, after = FAMILIES[name]
    dialect = speak(name).at(target)
    end, commands = play(Edit(mark), [first, refusal, second, accepted], dialect=dialect, target=target)
    assert (end.how, end.conflicts, end.after) == ("rebased", 1, after)
    write = requests(commands)[-1]
    expected = dict(carried)
    if "content" in expected:
        assert json.loads(write.octets) == expected.pop("content")
    if "query" in expected:
        assert dict(write.query) == expected.pop("query")
    assert {name: value for name, value in write.fields if name in expected} == expected


def test_a_policy_is_read_whole_and_written_by_its_two_methods() -> None:
    target, first, _, _, accepted, _, _ = FAMILIES["google-iam"]
    for url in (target, f"{target}:getIamPolicy"):
        _, commands = play(Edit(mark), [first, accepted], dialect=speak("google-iam").at(url), target=url)
        read, write = requests(commands)
        assert (read.method, read.path) == ("POST", "/v1/projects/p:getIamPolicy")
        assert json.loads(read.octets) == {"options": {"requestedPolicyVersion": 3}}, "conditions come along"
        assert (write.method, write.path) == ("POST", "/v1/projects/p:setIamPolicy")
    error, commands = play(Replace(DELETE), [first], dialect=speak("google-iam").at(target))
    assert isinstance(error, NotAppliedError)
    assert len(requests(commands)) == 1


OBJECT = "https://storage.test/storage/v1/b/b/o/a%2Fb%20c"


@pytest.mark.parametrize(
    "target",
    [
        f"{OBJECT}?alt=media&userProject=p",
        "https://storage.test/download/storage/v1/b/b/o/a%2Fb%20c?userProject=p&alt=media",
    ],
)
def test_content_of_an_object_goes_to_where_content_is_taken(target) -> None:
    first, accepted = body({}, x_goog_generation="11"), body({"generation": "12"})
    _, commands = play(Edit(mark), [first, accepted], dialect=speak("gcs-json").at(target), target=target)
    read, write = requests(commands)
    assert read.path == "/storage/v1/b/b/o/a%2Fb%20c?alt=media&userProject=p"
    upload = "/upload/storage/v1/b/b/o?uploadType=media&name=a%2Fb+c&userProject=p"
    assert (write.method, write.path, write.query) == ("POST", upload, (("ifGenerationMatch", "11"),))
    removal = Replace(DELETE, ("11",))
    end, commands = play(removal, [first, answer(204)], dialect=speak("gcs-json").at(target), target=target)
    assert end.how == "applied"
    assert (requests(commands)[-1].method, requests(commands)[-1].query) == (
        "DELETE",
        (("ifGenerationMatch", "11"),),
    )


@pytest.mark.parametrize(
    ("target", "read", "condition"),
    [
        (
            OBJECT,
            {"generation": "11", "metageneration": "3"},
            {"ifGenerationMatch": "11", "ifMetagenerationMatch": "3"},
        ),
        ("https://storage.test/storage/v1/b/b", {"metageneration": "3"}, {"ifMetagenerationMatch": "3"}),
        (f"{OBJECT}/iam", {"etag": "CAE="}, {}),
    ],
)
def test_metadata_are_guarded_by_their_own_generation(target, read, condition) -> None:
    dialect = speak("gcs-json").at(target)
    _, commands = play(Edit(mark), [body(read), body(read)], dialect=dialect, target=target)
    write = requests(commands)[-1]
    assert (write.method, dict(write.query)) == ("PUT", condition)
    assert json.loads(write.octets) == {**read, "m": 1}
    assert "https://storage.test" + write.path == target
    error, commands = play(Replace(b"{}", None), [answer(404)], dialect=dialect, target=target)
    assert isinstance(error, NotAppliedError), "nothing is made of metadata alone"
    assert all(one.method == "GET" for one in requests(commands))


def test_a_url_of_google_storage_names_an_object_or_a_bucket() -> None:
    with pytest.raises(InputError, match="alt=media"):
        speak("gcs-json").at("https://storage.test/storage/v1/b/b/o")


def test_etcd_transactions_compare_and_read_in_one_step() -> None:
    target, _, _, second, accepted, _, _ = FAMILIES["etcd-v3"]
    kvs = json.loads(second.octets)["kvs"]
    refusal = body({"header": {"revision": "8"}, "responses": [{"response_range": {"kvs": kvs}}]})
    dialect = speak("etcd-v3").at(target)
    known = State(b"{}", ("5",))
    end, commands = play(Edit(mark), [refusal, accepted], dialect=dialect, target=target, known=known)
    write = json.loads(requests(commands)[0].octets)
    assert write["compare"] == [
        {"key": coded("app/config"), "result": "EQUAL", "target": "MOD", "mod_revision": "5"}
    ]
    assert [one.path for one in requests(commands)] == ["/v3/kv/txn", "/v3/kv/txn"]
    assert end.conflicts == 1


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("s3", "If-None-Match", "*"),
        ("azure-blob", "If-None-Match", "*"),
        ("gcs-xml", "x-goog-if-generation-match", "0"),
        ("elasticsearch", "op_type", "create"),
        ("zotero", "If-Unmodified-Since-Version", "0"),
        ("consul-kv", "cas", "0"),
        ("kinto", "If-None-Match", "*"),
        ("odata", "If-None-Match", "*"),
    ],
)
def test_creation_only(name, field, value) -> None:
    _, commands = play(Replace(b"{}", ()), [body({}, status=201)], dialect=speak(name), known=None)
    assert (field, value) in {*commands[0].fields, *commands[0].query}


def test_a_creation_that_the_family_expresses_by_absence() -> None:
    _, commands = play(Replace(b"{}", ()), [body({}, status=201)], dialect=speak("couchdb"), known=None)
    assert json.loads(commands[0].octets) == {}
    _, commands = play(Replace(b"{}", ()), [body(K8S, status=201)], dialect=speak("kubernetes"), known=None)
    assert commands[0].method == "POST"


@pytest.mark.parametrize(
    ("name", "target", "collection"),
    [
        ("kubernetes", "https://k.test/api/v1/namespaces/d/configmaps/x", "/api/v1/namespaces/d/configmaps"),
        ("azure-table", "https://a.test/Things(PartitionKey='a/(b)',RowKey='r')", "/Things"),
    ],
)
def test_a_creation_that_goes_to_the_collection(name, target, collection) -> None:
    exists = {"kubernetes": body({"kind": "Status", "reason": "AlreadyExists"}, status=409)}
    refused = exists.get(name) or body({"odata.error": {"code": "EntityAlreadyExists"}}, status=409)
    there = body(K8S, tag='W/"1"')
    error, commands = play(
        Replace(b"{}", ()), [refused, there], dialect=speak(name).at(target), known=None, target=target
    )
    assert [(one.method, one.path) for one in requests(commands)] == [("POST", collection), ("GET", "")]
    assert isinstance(error, DataConflictError)


@pytest.mark.parametrize(
    ("name", "refusal"),
    [
        ("couchdb", body({"error": "conflict", "reason": "Document update conflict."}, status=409)),
        ("github-contents", body({"message": 'Invalid request.\n\n"sha" wasn\'t supplied.'}, status=422)),
        ("contentful", body({"sys": {"type": "Error", "id": "VersionMismatch"}}, status=409)),
    ],
)
def test_a_creation_without_a_version_is_refused_because_it_is_there(name, refusal) -> None:
    there = body({"_rev": "1-a", "sha": "a" * 40, "content": "", "sys": {"version": 1}})
    error, commands = play(Replace(b"{}", ()), [refusal, there], dialect=speak(name), known=None)
    assert isinstance(error, DataConflictError)
    assert "version" not in str(commands[0].fields).lower()


@pytest.mark.parametrize(
    ("name", "found", "same"),
    [
        ("couchdb", {"_rev": "2-b", "m": 1}, True),
        ("couchdb", {"_rev": "2-b", "m": True}, False),
        ("confluence", {"version": {"number": 4}, "m": 1}, True),
        ("odata", {"@odata.etag": 'W/"2"', "m": 1}, True),
        ("odata", {"@odata.etag": 'W/"2"', "m": 2}, False),
    ],
)
def test_a_version_within_the_content_is_no_difference(name, found, same) -> None:
    began = {"_rev": "1-a", "version": {"number": 3}, "@odata.etag": 'W/"1"'}
    began = {key: value for key, value in began.items() if key in found}
    script = [body(began, tag='W/"1"'), cut(), body(found, tag='W/"2"')]
    end, _ = play(Edit(mark), script, dialect=speak(name), same_value_is_enough=True)
    assert getattr(end, "how", "unknown") == ("holds" if same else "unknown")


def test_a_creation_carries_what_says_that_nothing_is_there_in_the_content_too() -> None:
    _, commands = play(Replace(b"{}", ()), [body({})], dialect=speak("vault-kv2"), known=None)
    assert json.loads(commands[0].octets)["options"] == {"cas": 0}


@pytest.mark.parametrize("name", ["gitlab-files", "google-compute", "confluence", "commercetools"])
def test_where_a_write_without_a_version_overwrites_nothing_is_created(name) -> None:
    error, commands = play(Replace(b"{}", ()), [], dialect=speak(name), known=None)
    assert isinstance(error, NotAppliedError)
    assert "must not exist" in str(error)
    assert commands == []


def test_what_cannot_guard_a_deletion_does_not_delete() -> None:
    shown = body({"version": {"number": 3}})
    error, commands = play(Replace(DELETE), [shown], dialect=speak("confluence"))
    assert isinstance(error, NotAppliedError)
    assert "deletion" in str(error)
    assert [one.method for one in requests(commands)] == ["GET"]


def test_a_deletion_of_a_file_has_what_every_commit_has() -> None:
    shown = body({"sha": "a" * 40, "content": ""})
    _, commands = play(Replace(DELETE), [shown, answer(200)], dialect=speak("github-contents"))
    assert json.loads(commands[1].octets) == {"message": "Update", "sha": "a" * 40}


def test_deletions_carry_the_version_where_the_family_wants_it() -> None:
    _, commands = play(Replace(DELETE), [body({"_rev": "1-a"}), answer(200)], dialect=speak("couchdb"))
    assert ("rev", "1-a") in commands[1].query
    _, commands = play(Replace(DELETE), [body(K8S), answer(200)], dialect=speak("kubernetes"))
    assert json.loads(commands[1].octets) == {"preconditions": {"resourceVersion": "41"}}
    assert commands[1].method == "DELETE"


def test_locks_and_leases_are_never_broken() -> None:
    blob = [body({}, tag='"1"'), answer(412, b"", x_ms_error_code="LeaseIdMissing")]
    error, commands = play(Edit(mark), blob, dialect=speak("azure-blob"))
    assert isinstance(error, NotAppliedError)
    assert "lease" in str(error)
    assert len(requests(commands)) == 2
    error, _ = play(Edit(mark), [body({}, tag='"1"'), answer(423)])
    assert "lock" in str(error)


def test_what_is_not_about_versions_is_not_retried() -> None:
    error, commands = play(
        Edit(mark), [body({"_rev": "1-a"}), body({"error": "x"}, status=412)], dialect=speak("couchdb")
    )
    assert isinstance(error, NotAppliedError)
    assert len(requests(commands)) == 2


def test_a_missing_condition_is_named() -> None:
    script = [body({}, tag='W/"1"'), answer(428)]
    error, _ = play(Edit(mark), script, dialect=speak("odata"))
    assert isinstance(error, PreconditionRequiredError)


@pytest.mark.parametrize(
    ("name", "one", "other", "same"),
    [
        ("zotero", "/users/1/items/A", "/users/1/collections/B", True),
        ("zotero", "/users/1/items/A", "/users/2/items/A", False),
        ("github-contents", "/repos/o/r/contents/a", "/repos/o/r/contents/b", True),
        ("google-iam", "/v1/projects/p:setIamPolicy", "/v1/projects/p:getIamPolicy", True),
        ("google-iam", "/v1/projects/p", "/v1/projects/q", False),
        ("s3", "/bucket/a", "/bucket/b", False),
    ],
)
def test_what_shares_a_token_waits_in_one_lane(name, one, other, same) -> None:
    dialect = speak(name)
    assert (dialect.scope(one) == dialect.scope(other)) is same


def test_unknown_names_are_said_with_what_there_is() -> None:
    with pytest.raises(InputError, match="azure-blob"):
        speak("no-such-family")


def test_etcd_urls_name_a_key() -> None:
    with pytest.raises(InputError, match="names no key"):
        speak("etcd-v3").at("http://e.test:2379/v3/kv/")


def test_every_family_either_speaks_or_says_why_not() -> None:
    speaking, said = set(), []
    for record in all_dialects():
        try:
            made = from_record(record)
        except InputError as error:
            said.append(str(error).count(record.name))
        else:
            assert made.conditions[0].sources
            speaking.add(record.id)
    assert len(speaking) >= 40
    assert all(said)
    assert (
        HTTP.conditions == from_record(next(one for one in all_dialects() if one.id == "rfc9110")).conditions
    )
