# ruff: noqa: E501 - the words of a product stay on their line
"""Imitations of calendars, files and pods: DAViCal, SabreDAV and a Solid server."""

from __future__ import annotations

import hashlib
from email.utils import formatdate
from typing import TYPE_CHECKING

from tools.recording_apis.apps.ben_wire import Api, Req, Res, Row

if TYPE_CHECKING:
    from collections.abc import Mapping

_XML = {"Content-Type": "application/xml; charset=utf-8"}


def _md5(row: Row) -> str:
    return hashlib.md5(row.octets, usedforsecurity=False).hexdigest()


def davical(events: Mapping[str, str]) -> Api:
    """Imitate DAViCal; a report tells a tag of the time and the number, reads and writes the digest."""
    api = Api(dict(events))
    home = "/caldav.php/marit/home"

    @api.on("GET", f"{home}/([a-z0-9-]+.ics)")
    def _read(req: Req, name: str) -> Res:
        marks = {"ETag": f'"{_md5(api.rows[name])}"', "Content-Type": "text/calendar"}
        return (
            Res(304, b"", marks)
            if req.fields.get("if-none-match") == marks["ETag"]
            else Res(200, api.rows[name].data, marks)
        )

    def report(req: Req) -> Res | None:
        if req.method not in {"REPORT", "PROPFIND"}:
            return None
        parts = []
        for name, row in api.rows.items():
            tag = f"&quot;{int(row.at)}-{row.rev}&quot;"
            data = f"<C:calendar-data>{row.data}</C:calendar-data>" if req.method == "REPORT" else ""
            prop = f"<prop><getetag>{tag}</getetag>{data}</prop><status>HTTP/1.1 200 OK</status>"
            parts.append(f"<response><href>{home}/{name}</href><propstat>{prop}</propstat></response>")
        body = '<?xml version="1.0" encoding="utf-8" ?>\n<multistatus xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">'
        return Res(207, f"{body}{''.join(parts)}</multistatus>", dict(_XML))

    @api.on("PUT", f"{home}/([a-z0-9-]+.ics)")
    def _write(req: Req, name: str) -> Res:
        sent, row = req.fields.get("if-match"), api.rows.get(name)
        if sent is not None and row is not None and sent != f'"{_md5(row)}"':
            said = f"Existing resource ETag of &lt;&lt;&quot;{_md5(row)}&quot;&gt;&gt; does not match &lt;&lt;{sent.replace(chr(34), '&quot;')}&gt;&gt;"
            return Res(
                412,
                f'<?xml version="1.0" encoding="utf-8" ?>\n<error xmlns="DAV:"><responsedescription>{said}</responsedescription></error>',
                dict(_XML),
            )
        made = api.keep(name, req.body.decode())
        return Res(204 if row else 201, b"", {"ETag": f'"{_md5(made)}"'})

    api.before.append(report)
    return api


def _failed(header: str, message: str) -> Res:
    inner = f"<s:exception>Sabre\\DAV\\Exception\\PreconditionFailed</s:exception>\n  <s:message>{message}</s:message>\n  <s:header>{header}</s:header>"
    return Res(
        412,
        f'<?xml version="1.0" encoding="utf-8"?>\n<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns">\n  {inner}\n</d:error>',
        dict(_XML),
    )


def sabre(files: Mapping[str, str]) -> Api:
    """Imitate SabreDAV as in Nextcloud: it evaluates both tag conditions on every method."""
    api = Api(dict(files))
    home = "/remote.php/dav/files/jo"

    def marks(row: Row) -> dict[str, str]:
        tag = f'"{_md5(row)}"'
        return {"ETag": tag, "OC-ETag": tag, "Last-Modified": formatdate(row.at, usegmt=True)}

    @api.on("GET", f"{home}/(.+)")
    def _read(req: Req, name: str) -> Res:
        if name not in api.rows:
            return Res(404, '<?xml version="1.0"?><d:error xmlns:d="DAV:"/>', dict(_XML))
        own = {**marks(api.rows[name]), "Content-Type": "text/markdown;charset=UTF-8"}
        return (
            Res(304, b"", own)
            if req.fields.get("if-none-match") == own["ETag"]
            else Res(200, api.rows[name].data, own)
        )

    @api.on("GET", "/status.php")
    def _status(_req: Req) -> Res:
        return Res(
            200,
            {"installed": True, "maintenance": False, "versionstring": "29.0.4", "productname": "Nextcloud"},
        )

    @api.on("PUT", f"{home}/(.+)")
    def _write(req: Req, name: str) -> Res:
        row = api.rows.get(name)
        match, none = req.fields.get("if-match"), req.fields.get("if-none-match")
        if match is not None and row is None:
            return _failed("If-Match", "An If-Match header was specified and the resource did not exist")
        if row is not None and match not in {None, "*", marks(row)["ETag"]}:
            return _failed(
                "If-Match", "An If-Match header was specified, but none of the specified ETags matched."
            )
        if row is not None and none in {"*", marks(row)["ETag"]}:
            return _failed(
                "If-None-Match",
                "An If-None-Match header was specified, but the ETag matched (or * was specified).",
            )
        made = api.keep(name, req.body.decode())
        return Res(204 if row else 201, b"", marks(made))

    return api


def solid(turtle: Mapping[str, str]) -> Api:
    """Imitate a Solid pod: the tag names the time and the media type of the representation."""
    api = Api(dict(turtle))

    def tag(row: Row, media: str) -> str:
        return f'"{int(row.at * 1000)}-{media}"'

    def chosen(req: Req) -> str:
        return "application/ld+json" if "ld+json" in req.fields.get("accept", "") else "text/turtle"

    @api.on("GET", "/(.+)")
    def _read(req: Req, name: str) -> Res:
        if name not in api.rows:
            return Res(404, {"name": "NotFoundHttpError", "statusCode": 404, "errorCode": "H404"})
        row, media = api.rows[name], chosen(req)
        marks = {
            "ETag": tag(row, media),
            "Content-Type": media,
            "Vary": "Accept,Authorization,Origin",
            "Accept-Patch": "text/n3",
        }
        if req.fields.get("if-none-match") == marks["ETag"]:
            return Res(304, b"", marks)
        text = (
            row.data
            if media == "text/turtle"
            else '[{"@id":"#me","http://xmlns.com/foaf/0.1/name":[{"@value":"Anouk"}]}]'
        )
        return Res(200, text, marks)

    @api.on("PUT", "/(.+)")
    def _write(req: Req, name: str) -> Res:
        row, sent = api.rows.get(name), req.fields.get("if-match")
        if sent not in {None, "*"} and (row is None or sent != tag(row, "text/turtle")):
            said = {"name": "PreconditionFailedHttpError", "statusCode": 412, "errorCode": "H412"}
            return Res(412, {**said, "message": "Resource did not meet the conditions"})
        api.keep(name, req.body.decode())
        return Res(205)

    return api
