"""What a POST means where one URL takes all."""

from __future__ import annotations

import json

import pytest

from ifmatch.diagnosis.links.operations import operation, take_as_meant
from ifmatch.diagnosis.steps.step import Step
from ifmatch.model.exchange import Exchange, Provenance
from ifmatch.model.message import Content, Fields, Request, Response


def _step(sent, answer="{}", kind="application/json", *, reads=False, resource="https://a.example.test/x#7"):
    fields = Fields([("Content-Type", kind)])
    request = Request("POST", "https://a.example.test/x", fields, Content.from_text(sent))
    response = Response(200, "", Fields(), Content.from_text(answer))
    step = Step(Exchange(Provenance("a", 0), request, response), source=0, start=0.0, end=0.1, timed=True)
    step.reads, step.resource = reads, resource
    return step


def _mutation(call):
    return json.dumps({"query": f"mutation M($id: ID!) {{ {call}(id: $id) {{ id }} }}", "variables": {}})


@pytest.mark.parametrize(
    ("sent", "name", "method"),
    [
        (_mutation("deleteItem"), "deleteItem", "DELETE"),
        (_mutation("deletedItems"), "deletedItems", "POST"),
        (_mutation("alias: updateItem"), "updateItem", "PATCH"),
        (_mutation("updatesOf"), "updatesOf", "POST"),
        (_mutation("createItem"), "createItem", "POST"),
        ('{"jsonrpc": "2.0", "method": "doc.remove", "params": {}}', "doc.remove", "DELETE"),
        ('{"method": "remove"}', "", "POST"),
        ("<e:Envelope><e:Body><m:RemoveRecord/></e:Body></e:Envelope>", "RemoveRecord", "DELETE"),
    ],
)
def test_an_operation_says_what_it_does(sent, name, method) -> None:
    step = _step(sent)
    assert operation(step) == name
    take_as_meant(step)
    assert step.method == method


def test_a_change_without_a_thing_that_it_names_stays_a_post() -> None:
    step = _step(_mutation("updateItem"), resource="https://a.example.test/x")
    take_as_meant(step)
    assert step.method == "POST"


def test_a_form_says_its_method() -> None:
    step = _step("_method=delete&v=1", kind="application/x-www-form-urlencoded")
    take_as_meant(step)
    assert step.method == "DELETE"


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ('{"data": {"doc": null}, "errors": [{"message": "no such doc"}]}', 404),
        ('{"jsonrpc": "2.0", "error": {"message": "Not found"}}', 404),
        ('{"data": {"doc": {"id": 1}}, "errors": [{"message": "owner not found"}]}', 200),
        ('{"data": {"doc": null}, "errors": [{"message": "rate limited"}]}', 200),
        ('{"data": {"doc": null}}', 200),
    ],
)
def test_a_read_that_finds_nothing(answer, status) -> None:
    step = _step("{}", answer, reads=True)
    take_as_meant(step)
    assert step.status == status
