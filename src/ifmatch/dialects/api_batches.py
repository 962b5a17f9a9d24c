"""Take apart the batches of single APIs, each of which has a form of its own; pure."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote, urlencode

from ifmatch.dialects.pointers import scalar, values_at
from ifmatch.model.json_values import elements_in, members_in
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ifmatch.dialects.record import Batch
    from ifmatch.dialects.view import View

__all__ = ["OF_APIS", "Told"]

Record = dict[str, object]

# What google.rpc.Code names, and the statuses that it maps to.
_CODES: Final = {
    3: (400, "INVALID_ARGUMENT"),
    5: (404, "NOT_FOUND"),
    6: (409, "ALREADY_EXISTS"),
    7: (403, "PERMISSION_DENIED"),
    9: (400, "FAILED_PRECONDITION"),
    10: (409, "ABORTED"),
}
_OPERATIONS: Final = {
    "create": "POST",
    "upsert": "POST",
    "replace": "PUT",
    "patch": "PATCH",
    "delete": "DELETE",
    "read": "GET",
}
_CALLS: Final = {"Update": "UpdateItem", "Put": "PutItem", "Delete": "DeleteItem"}
_FAILED: Final = 400
_STATEMENT: Final = late_pattern(
    r'^\s*(UPDATE|DELETE\s+FROM)\s+"?([\w.-]+)"?(?:\."[\w.-]+")?\s*(.*?)\s+WHERE\s+(.+?)\s*(?:RETURNING\b.*)?$',
    re.IGNORECASE | re.DOTALL,
)
_EQUALITY: Final = late_pattern(r'"?([\w.-]+)"?\s*=\s*(\?|\'[^\']*\'|-?\d+(?:\.\d+)?)')
# One of these names the item, what else is compared are conditions.
_FEWEST: Final = 2


class Told(NamedTuple):
    """A request inside a batch, and the answer to it.

    Attributes:
        method: of the request.
        url: of it, as from the root of the host.
        fields: that it has besides those of the batch.
        content: that it sends, None for none.
        status: of its answer; 0 where none is told.
        answered: fields of the answer.
        answer: its content, None for none.
    """

    method: str
    url: str
    fields: Sequence[tuple[str, str]]
    content: object
    status: int
    answered: Sequence[tuple[str, str]]
    answer: object


def _listed(value: object, pointer: str) -> list[Record]:
    return [members_in(one) for one in values_at(value, f"{pointer}/*")]


def _beside(answers: Sequence[Record], number: int) -> Record:
    return answers[number] if number < len(answers) else {}


def _of_writes(view: View, batch: Batch) -> Iterator[Told]:
    """Yield the writes of a Firestore batch, with their statuses; one alone is named by its content.

    Source: https://firebase.google.com/docs/firestore/reference/rest/v1/projects.databases.documents/batchWrite
    """
    sent = _listed(view.sent_json, batch.requests)
    results, statuses = _listed(view.json, "/writeResults"), _listed(view.json, batch.responses)
    if len(sent) == 1 and not statuses:
        return
    root = view.path.partition("/projects/")[0]
    for number, write in enumerate(sent):
        update = members_in(write.get("update"))
        name = scalar(update.get("name")) or scalar(write.get("delete"))
        if name is None:
            continue
        asked = [("updateMask.fieldPaths", str(one)) for one in values_at(write, "/updateMask/fieldPaths/*")]
        for condition, value in members_in(write.get("currentDocument")).items():
            asked.append(
                (
                    f"currentDocument.{condition}",
                    str(scalar(value)).lower() if value is True or value is False else str(value),
                )
            )
        url = f"{root}/{quote(name)}" + (f"?{urlencode(asked)}" if asked else "")
        code = _beside(statuses, number).get("code", 0)
        status, word = _CODES.get(code if isinstance(code, int) else 0, (200, ""))
        done = {**update, "updateTime": _beside(results, number).get("updateTime")}
        failed = {
            "error": {"code": status, "status": word, "message": _beside(statuses, number).get("message", "")}
        }
        known = bool(results) or bool(statuses)
        method = "PATCH" if update else "DELETE"
        content = {"fields": update.get("fields", {})} if update else None
        yield Told(method, url, (), content, status if known else 0, (), failed if word else done)


def _of_named(view: View, batch: Batch) -> Iterator[Told]:
    """Yield the items of a QuickBooks batch, each an object under the name of its kind.

    Source: https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/batch
    """
    answers = {scalar(one.get("bId")): one for one in _listed(view.json, batch.responses)}
    folder = view.path.partition("?")[0].rpartition("/")[0]
    for item in _listed(view.sent_json, batch.requests):
        kind = next((name for name, held in item.items() if members_in(held)), None)
        if kind is None:
            continue
        told = {
            name: held for name, held in answers.get(scalar(item.get("bId")), {}).items() if name != "bId"
        }
        deleting = "?operation=delete" if item.get("operation") == "delete" else ""
        status = _FAILED if "Fault" in told else 200 if told else 0
        yield Told("POST", f"{folder}/{kind.lower()}{deleting}", (), item[kind], status, (), told)


def _of_rows(view: View, batch: Batch) -> Iterator[Told]:
    """Yield the operations of a Cosmos DB batch.

    Source: https://learn.microsoft.com/azure/cosmos-db/nosql/transactional-batch
    """
    answers = _listed(view.json, batch.responses)
    folder = view.path.partition("?")[0].rstrip("/")
    for number, row in enumerate(_listed(view.sent_json, batch.requests)):
        kind = (scalar(row.get("operationType")) or "").lower()
        if kind not in _OPERATIONS:
            return
        body = row.get("resourceBody")
        name = scalar(row.get("id")) or scalar(members_in(body).get("id"))
        fields = [
            (field, value)
            for word, field in (("ifMatch", "If-Match"), ("ifNoneMatch", "If-None-Match"))
            if (value := scalar(row.get(word))) is not None
        ]
        place = folder if _OPERATIONS[kind] == "POST" or name is None else f"{folder}/{quote(name, safe='')}"
        answer = _beside(answers, number)
        code = scalar(answer.get("statusCode")) or ""
        tag = scalar(answer.get("eTag"))
        yield Told(
            _OPERATIONS[kind],
            place,
            fields,
            body,
            int(code) if code.isdigit() else 0,
            [("ETag", tag)] if tag is not None else (),
            answer.get("resourceBody") or {"code": code, "message": answer.get("message", "")},
        )


def _of_statements(view: View, batch: Batch) -> Iterator[Told]:
    """Yield the PartiQL statements of a DynamoDB batch as the calls that would do the same.

    The first value that WHERE compares is that of the key, the others are conditions.
    Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchExecuteStatement.html
    """
    answers = _listed(view.json, batch.responses)
    for number, one in enumerate(_listed(view.sent_json, batch.requests)):
        match = _STATEMENT.search(scalar(one.get("Statement")) or "")
        values = elements_in(one.get("Parameters"))
        if match is None:
            continue
        before = match[3].count("?")
        named: list[tuple[str, object]] = []
        for equal in _EQUALITY.finditer(match[4]):
            place = before + match[4][: equal.start()].count("?")
            held = values[place] if equal[2] == "?" and place < len(values) else {"S": equal[2].strip("'")}
            named.append((equal[1], held))
        if not named:
            continue
        asked: Record = {"TableName": match[2], "Key": dict(named[:1])}
        if len(named) >= _FEWEST:
            asked["ConditionExpression"] = " AND ".join(
                f"{name} = :c{place}" for place, (name, _) in enumerate(named[1:])
            )
            asked["ExpressionAttributeValues"] = {
                f":c{place}": held for place, (_, held) in enumerate(named[1:])
            }
        kind = "UpdateItem" if match[1].upper() == "UPDATE" else "DeleteItem"
        told = _beside(answers, number)
        fault = members_in(told.get("Error"))
        answer = (
            {"__type": f"{fault.get('Code')}Exception", "message": fault.get("Message", "")}
            if fault
            else told
        )
        status = (_FAILED if fault else 200) if told else 0
        target = [("X-Amz-Target", f"DynamoDB_20120810.{kind}")]
        yield Told("POST", view.path, target, asked, status, (), answer)


def _of_transactions(view: View, batch: Batch) -> Iterator[Told]:
    """Yield the operations of a DynamoDB transaction as the calls that would do the same.

    Where it was cancelled, only those are told of whose reasons say why; nothing was done of the others.
    Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
    """
    reasons = _listed(view.json, batch.responses)
    if view.status >= _FAILED and not reasons:
        return
    for number, item in enumerate(_listed(view.sent_json, batch.requests)):
        kind, asked = next(((name, held) for name, held in item.items() if members_in(held)), ("", None))
        code = scalar(_beside(reasons, number).get("Code")) or "None"
        if kind not in _CALLS or (view.status >= _FAILED and code == "None"):
            continue
        failed = {"__type": f"{code}Exception", "message": _beside(reasons, number).get("Message", "")}
        target = [("X-Amz-Target", f"DynamoDB_20120810.{_CALLS[kind]}")]
        answer = failed if code != "None" else {}
        yield Told("POST", view.path, target, asked, view.status, (), answer)


def _of_records(view: View, batch: Batch) -> Iterator[Told]:
    """Yield the records of a Salesforce collection, each below the name of its type.

    Source: https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections_update.htm
    """
    answers = _listed(view.json, batch.responses)
    root = view.path.partition("/composite/")[0]
    for number, record in enumerate(_listed(view.sent_json, batch.requests)):
        name = scalar(record.get("id")) or scalar(record.get("Id"))
        kind = next((str(one) for one in values_at(record, "/attributes/type")), None)
        if name is None or kind is None:
            continue
        told = _beside(answers, number)
        state = {word: held for word, held in record.items() if word not in {"id", "Id", "attributes"}}
        status = 0 if not told else 204 if told.get("success") is True else _FAILED
        url = f"{root}/sobjects/{kind}/{name}"
        answer = told.get("errors") if status == _FAILED else None
        yield Told("PATCH", url, (), state, status, (), json.dumps(answer) if answer else None)


OF_APIS: Final[dict[str, Callable[[View, Batch], Iterator[Told]]]] = {
    "writes": _of_writes,
    "named": _of_named,
    "rows": _of_rows,
    "statements": _of_statements,
    "records": _of_records,
    "transactions": _of_transactions,
}
