"""Versions in queries, envelopes, patches and parameters of applications that people write themselves."""

from __future__ import annotations

import json
import re
from typing import Any

from tools.recording_apis import fronts
from tools.recording_apis.apps.ria_ground import Ask, Reply, serve
from tools.recording_apis.stage import Stage, case
from tools.recording_apis.stories.ria_setting import need, rest


@case(
    "b871",
    "ria-graphql-contract-at-another-version",
    "other-writer",
    "conflict",
    alone="other-writer",
    description=(
        "A GraphQL mutation with expectedVersion 7 is answered 200 with an error CONFLICT, current version 8: the "
        "legal department changed the term meanwhile. The client asks again, sees it, and leaves it to its user."
    ),
)
def contract(stage: Stage) -> None:
    """Meet another's mutation."""
    row: dict[str, Any] = {"id": "C-9", "version": 7, "term": "24 months", "rate": 4.1, "editedBy": "sales"}

    def handle(ask: Ask) -> Reply:
        sent = ask.json
        if "mutation" not in sent["query"]:
            return Reply(200, {"data": {"contract": row}})
        given = sent["variables"]["input"]
        if given.pop("expectedVersion") != row["version"]:
            extensions = {"code": "CONFLICT", "currentVersion": row["version"]}
            error = {
                "message": "Contract was changed by someone else",
                "path": ["updateContract"],
                "extensions": extensions,
            }
            return Reply(200, {"data": {"updateContract": None}, "errors": [error]})
        row.update(given, version=row["version"] + 1)
        return Reply(200, {"data": {"updateContract": row}})

    server = serve(stage, handle, "uvicorn")
    me = stage.actor(
        "client", server, "graph.leasing.test", "node:fetch", {"Authorization": "Bearer sales-2"}
    )
    other = stage.actor("other", server, "graph.leasing.test", "httpx", {"Authorization": "Bearer legal-1"})
    read = {
        "query": "query($id: ID!) { contract(id: $id) { id version term rate editedBy } }",
        "variables": {"id": "C-9"},
    }
    change = "mutation($input: ContractInput!) { updateContract(input: $input) { id version } }"

    def write(actor: Any, **fields: object) -> Any:
        body = {"query": change, "variables": {"input": {"id": "C-9", **fields}}}
        return actor.send("POST", "/graphql", 200, None, body).json

    seen = me.send("POST", "/graphql", 200, None, read).json["data"]["contract"]
    other.send("POST", "/graphql", 200, None, read)
    write(other, expectedVersion=7, term="36 months", editedBy="legal")
    rest(0.9)
    got = write(me, expectedVersion=seen["version"], rate=3.9, editedBy="sales")
    need(got["errors"][0]["extensions"]["currentVersion"] == 8, "no conflict")
    need(
        me.send("POST", "/graphql", 200, None, read).json["data"]["contract"]["editedBy"] == "legal",
        "another hand",
    )


_SOAP = (
    '<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">'
    "<soap:Body>{}</soap:Body></soap:Envelope>"
)


@case(
    "b872",
    "ria-soap-file-with-the-version-of-before",
    "stale-stored-token",
    "500",
    alone="stale-stored-token",
    description=(
        "A mutual insurer's SOAP service answers a change of a file with version 4; the batch's next change of it "
        "still says 3 and gets a Fault VersionPerimee (attendue 4, reçue 3). The file is as the batch left it."
    ),
)
def soap(stage: Stage) -> None:
    """Keep the version of before one's own change."""
    files: dict[str, dict[str, str]] = {
        n: {"version": "3", "adresse": "3 rue Haute", "tel": "-"}
        for n in ("D-55", "D-56", "D-57", "D-58", "D-59")
    }

    def handle(ask: Ask) -> Reply:
        text, kind = ask.body.decode(), {"Content-Type": "text/xml; charset=utf-8"}
        given = dict(re.findall(r"<(numero|version|adresse|tel)>([^<]*)</", text))
        known = files[given.pop("numero")]
        if "modifierDossier" in text:
            if given["version"] != known["version"]:
                words = f"VersionPerimee : version attendue {known['version']}, reçue {given['version']}"
                fault = f"<soap:Fault><faultcode>soap:Client</faultcode><faultstring>{words}</faultstring></soap:Fault>"
                return Reply(500, _SOAP.format(fault), kind)
            known.update(given, version=str(int(known["version"]) + 1))
        inner = "".join(f"<{k}>{v}</{k}>" for k, v in known.items())
        return Reply(200, _SOAP.format(f"<dossier>{inner}</dossier>"), kind)

    front = fronts.apache(stage, serve(stage, handle, "cheroot"))
    me = stage.actor("client", front, "ws.mutuelle.test", "java", {"Content-Type": "text/xml; charset=utf-8"})

    def call(action: str, number: str, status: int = 200, **fields: str) -> str:
        inner = "".join(f"<{k}>{v}</{k}>" for k, v in {"numero": number, **fields}.items())
        heads = {"SOAPAction": f'"urn:dossier#{action}"'}
        return me.send(
            "POST", "/services/dossier", status, heads, _SOAP.format(f"<{action}>{inner}</{action}>")
        ).text

    call("lireDossier", "D-55")
    call("lireDossier", "D-56")
    for number in ("D-56", "D-57", "D-58", "D-59"):
        call("modifierDossier", number, version="3", tel=f"01 70 00 11 {number[-2:]}")
        call("modifierDossier", number, version="4", adresse=f"{number[-2:]} avenue Nord")
    need(
        "<version>4<" in call("modifierDossier", "D-55", version="3", adresse="8 quai Sud"), "no new version"
    )
    rest(0.5)
    call("modifierDossier", "D-55", 500, version="3", tel="01 70 00 33 44")
    need("8 quai Sud" in call("lireDossier", "D-55"), "another state")


@case(
    "b874",
    "ria-patch-tests-a-text-against-a-number",
    "payload-precondition-mismatch",
    "409",
    alone="payload-precondition-mismatch",
    description=(
        "A JSON Patch of an optician's price list begins with test /sphere/price '12.50'; the list holds the number "
        "12.5. 409 for the failed test, twice, with the list unchanged; with the number as served it is applied."
    ),
)
def patch(stage: Stage) -> None:
    """Test for a value that is written otherwise."""
    prices: dict[str, Any] = {
        "sphere": {"price": 12.5, "currency": "EUR"},
        "torus": {"price": 19.0, "currency": "EUR"},
    }

    def handle(ask: Ask) -> Reply:
        if ask.method == "GET":
            return Reply(200, prices)
        steps = ask.json
        for number, step in enumerate(steps):
            names = step["path"].strip("/").split("/")
            if step["op"] == "test" and prices[names[0]][names[1]] != step["value"]:
                words = {"error": "PatchTestFailed", "operation": number, "path": step["path"]}
                return Reply(
                    409, {**words, "detail": f"test at {step['path']} did not hold; nothing was applied"}
                )
        for step in steps:
            names = step["path"].strip("/").split("/")
            prices[names[0]][names[1]] = step["value"]
        return Reply(200, prices)

    kind = {"Content-Type": "application/json-patch+json"}
    me = stage.actor(
        "client", serve(stage, handle, "waitress"), "preise.optik.test", "node:axios", {"X-Branch": "12"}
    )
    me.get("/lists/2027")

    def change(old: object, new: float, status: int) -> None:
        steps = [
            {"op": "test", "path": "/sphere/price", "value": old},
            {"op": "replace", "path": "/sphere/price", "value": new},
        ]
        me.send("PATCH", "/lists/2027", status, kind, json.dumps(steps))

    change("12.50", 13.2, 409)
    need(me.get("/lists/2027").json["sphere"]["price"] == 12.5, "it has moved")
    change("12.50", 13.2, 409)
    change(12.5, 13.2, 200)


@case(
    "b879",
    "ria-policy-version-in-the-query",
    "other-writer",
    "409",
    alone="other-writer",
    description=(
        "A broker saves an insurance policy with ?versao=6: 409 'Versão desatualizada: atual 7, alterada por joana'. "
        "A colleague had raised the sum insured; the broker's re-read shows it."
    ),
)
def broker(stage: Stage) -> None:
    """Meet a colleague's change of a policy."""
    rows: dict[str, Any] = {
        str(n): {"apolice": n, "versao": 6, "capital": 200_000, "morada": "Rua do Sol 4", "por": "rui"}
        for n in (31, 32)
    }

    def handle(ask: Ask) -> Reply:
        name = ask.path.rpartition("/")[2]
        if ask.method == "GET":
            return Reply(200, rows.get(name) or {"apolices": list(rows)})
        row = rows[name]
        if ask.query["versao"] != str(row["versao"]):
            words = f"Versão desatualizada: atual {row['versao']}, alterada por {row['por']}"
            return Reply(409, {"codigo": "VERSAO", "mensagem": words})
        rows[name] = {**row, **ask.json, "versao": row["versao"] + 1, "por": ask.fields["x-utilizador"]}
        return Reply(200, rows[name])

    front = fronts.envoy(stage, [serve(stage, handle, "waitress")])
    me = stage.actor("client", front, "apolices.seguros.test", "curl", {"X-Utilizador": "rui"})
    other = stage.actor("other", front, "apolices.seguros.test", "aiohttp", {"X-Utilizador": "joana"})
    me.get("/apolices")
    me.send(
        "PATCH", "/apolices/32?versao=6", 200, {"Content-Type": "application/json"}, '{"morada":"Rua Nova 1"}'
    )
    version = me.get("/apolices/31").json["versao"]
    other.get("/apolices/31")
    other.send("PATCH", "/apolices/31?versao=6", 200, None, {"capital": 250_000})
    rest(0.8)
    mine = '{"morada":"Rua do Sol 14"}'
    me.send("PATCH", f"/apolices/31?versao={version}", 409, {"Content-Type": "application/json"}, mine)
    need(me.get("/apolices/31").json["por"] == "joana", "another hand")
