"""Which stories cannot be told in which carrier, and why: what tells the cause is not there any more."""

from __future__ import annotations

from ifmatch.model.message import Content

_QUOTES = (
    "what is wrong is how quotes stand around a tag: without them a star is the word for any, and the write"
    " asks for nothing"
)
_ODATA = "OData compares with If-Match alone, by its standard"
_AUDIT = "what the list of changes names is a tag: elsewhere it would be spelt as the version is there"
_NO_TRACE = (
    "a success of which the next look shows nothing was not carried out, where no field says otherwise"
)
_RANGES = "parts of a file are asked for under a field of HTTP"
_REPORTED = "what a report names is what was sent, as it was spelt: elsewhere it names nothing of the request"
_COLUMN = "what the account has of a write is the field that it came with, or that it had none"
_BETWEEN = "what the log names is a version between two tags, as the answers spell them"
_HOLD = "a hold is told by a status and a code that the refusal of the carrier takes the place of"
_FRONTS = "that two addresses, or two types, show one thing is told by strong entity tags"
_COMPUTED = "a tag is computed from what it stands for, or for many things; a count is of one change"
_LISTED = "rows of a list keep their own spelling of the version, and tell it from the thing's own"
_NODES_LISTED = "which nodes were asked is told beside the refusal of HTTP"
ANYWHERE = {
    **dict.fromkeys(
        (
            "a hexadecimal count: the list shows the next one, the answer the one after it",
            "a list shows the job approved, and its removal as it was before passes",
            (
                "a list shows the thing in another version and other words;"
                " the write on the older version passes"
            ),
        ),
        _LISTED,
    ),
    "a task of a list is gone when it is ticked off": _LISTED,
    "A row without names has the write, and the count went on by two": _LISTED,
    "An old tag of GoCD is refused in the very words": "GoCD has its tags in fields of HTTP",
    "two puts at once on a tag that counts nothing, nothing read before": (
        "a member is known as a version when it counts, or is sent back"
    ),
    "a field of its own names the version that was made": (
        "the field keeps the spelling that the tags have here"
    ),
    "another's write to what is not selected is seen, and no look after it": (
        "a bare list has no member for its version"
    ),
    **dict.fromkeys(
        (
            "a fleet: the column is called guard, ours says none",
            "a museum's audit: our loan came without a condition, the registrar's with one",
            "httptrace of spring boot 2",
            "wiremock lists the put without its condition, another's put between",
        ),
        _COLUMN,
    ),
    **dict.fromkeys(
        (
            "a queue tells numbers alone, and the next look has the work of another",
            "a room is sent with the tag of its hotel, and the operation ends with nothing",
            "bus timetable: attempts listed under deliveries, first lost",
            "ferry two: only the place differs, old host",
            "hotel rates: the report on a write has the tag that an own write had made",
            "kiosk: a number that means nothing, without a word",
            "museum rooms: the report has the tags of two languages",
            "quarry: op id in the body, tries nested in a status page, other writer's skip",
            "rooms: codes and two digests in the report, and the next look is another's",
            "three orders on one stand, each turned down as outdated in German",
        ),
        _REPORTED,
    ),
    **dict.fromkeys(
        ("photos of one album",),
        _COMPUTED,
    ),
    **dict.fromkeys(
        (
            "The service takes tags of that type elsewhere: somebody was quicker here",
            "a permit is put to the old door, and what comes back is that of the new one, as it was",
        ),
        _FRONTS,
    ),
    **dict.fromkeys(
        (
            "between: activity stream with nested object ref",
            "events name the version in between by path",
            "gateway: history by number",
            "log after the write with short tags",
        ),
        _BETWEEN,
    ),
    **dict.fromkeys(
        (
            "a busy draft, with who has it since when",
            "a code with its holder as the next member",
            "a code, who has it and until when",
            "a job that a field names, held up",
        ),
        _HOLD,
    ),
    **dict.fromkeys(
        ("the machines that were asked are listed, not their codes",),
        _NODES_LISTED,
    ),
    **dict.fromkeys(
        (
            "the hosts of a zone are patched from what a list of the zones had shown",
            "a count that the list shows with one more digit",
            "items of a drive by their ids, and what lies in a folder of it",
        ),
        _LISTED,
    ),
    "a number of ten digits that would be a moment of next winter is refused, and still served": (
        "the digits of the version are the story"
    ),
    "the star in quotes": _QUOTES,
    "the star in quotes taken for the wildcard, over another's change": _QUOTES,
    "blanks inside the quotes": _QUOTES,
    "the tag in the content is not the one of the ETag field: the former is refused, the latter passes": (
        _ODATA
    ),
    "both tags are one, and the list is older": _ODATA,
    "seating chart: two accepted on one base by the audit": _AUDIT,
    "one tag, and only what the server stamps moves": _NO_TRACE,
    "two writes on one number within a tick were answered with the same next one": _AUDIT,
    "parts of one read taken and refused in turn by two mirrors": _RANGES,
}
# A family's own guards are known without a look.
UNREAD = dict.fromkeys(
    (
        "two counts at once at a warehouse, json guard, nothing read",
        "two puts at once, nothing read before",
    ),
    "what no answer gave out is known as a condition by the name of a field of HTTP alone",
)
_WHOLE = "a record that is sent back whole carries its version as it carries all else: nothing is refused"
_PARTS = "a part of a file is asked for under a field of HTTP; who reads sends no content with a version"
_EMPTY = "a member, or a step of a path, that is empty is no condition"
SENT_BACK_WHOLE = {
    "a read at low consistency is copied to another key": (
        "which member of what is sent back is its version is not known where nothing was refused"
    ),
    "an empty If-Match is taken, where the tag had been read": _EMPTY,
    "parts of one read taken and refused in turn by two mirrors": _PARTS,
} | dict.fromkeys(
    (
        "an old token is taken",
        "own stale token accepted",
        "a list had shown the newer tag before the old one was taken",
        "one client's two overlapping writes both accepted",
        "fresh token, old content, no refusal at all",
        "a fresh number over a short text of before, which lacks a paragraph",
        "what another deleted is gone for this client, too, who takes it off its list",
        "a page state kept as text inside a record: the fresh tag, the old text",
        "a tag that stays the same, told by reads alone",
        "an outdated tag accepted although the client had read the newer one",
        "a short answer gives the tag, and the long one of a minute ago is edited",
        "a proxy gives the path another name and drops the field",
        "the second of two clean-up jobs finds nothing to delete",
    ),
    _WHOLE,
)
_PART = "a path below a thing may name a part of it: nothing is refused over a version"
IN_A_PATH = {
    "Cells are named by a query": "a path that ends in a version names no cell of a query",
    "an empty If-Match is taken, where the tag had been read": _EMPTY,
    "the same in JSON, with the id in the content": "a path below a thing may name a part of it",
    "an empty tag": "a path has no empty step",
    "google calendar: an event is updated whole, over a guest that somebody added": (
        "the address is that of a family, whose versions do not stand there"
    ),
    **dict.fromkeys(
        (
            "unguarded write brings a deleted thing back",
            "DELETE answered by nobody, then not found",
            "the second of two clean-up jobs finds nothing to delete",
            "a tag that stays the same, told by reads alone",
        ),
        _PART,
    ),
}
# The name says nothing of an expectation, and no answer does.
PLAIN_NAME = dict.fromkeys(
    (
        "DELETE answered by nobody, then not found",
        "the second of two clean-up jobs finds nothing to delete",
        "a tag that stays the same, told by reads alone",
    ),
    "`revision` or `X-Version` may be what is asked for, and nothing is refused over it",
)
_ONE_ANSWER = "one address answers with what it was sent: the other answer is the story"
TOGETHER = {
    "an order sent with the revision before the own one is sent back, as the queue tells": (
        "202 and the place of the report are the story: one address answers 200"
    ),
    "a lane of a pool is saved with the tag of the pool around it": "what is around it is told by addresses",
    "The count goes back and comes again, and nothing speaks of a cache": "the reads alone tell",
    "the store cannot do conditions, as a success says": _ONE_ANSWER,
    "the same in JSON, with the id in the content": _ONE_ANSWER,
    "two nodes got one guarded write, and the one that stored it answered after the client had gone": (
        "an answer to all that was sent at once says nothing of who stored it"
    ),
    "a part is read under one tag that stays, and the whole is written with it": (
        "what is a part of what is told by addresses"
    ),
    "a draft is read by its revision, each time under another tag, and saved at the address of the page": (
        "what is a revision of what is told by addresses"
    ),
    "What is only taken for later is there later": "202 is the story, and one address answers 200",
    "a member that the service computes is not taken from the request": _ONE_ANSWER,
    "a draft is saved apart, and what is published stays": _ONE_ANSWER,
    "500 for a lost race, and a client that asks whether the server is well": (
        "500 is the story, and one address answers 200"
    ),
    "an object store: a claim on a task that another got, and the next task": (
        "the next task is told from the refused one by its path"
    ),
}
IN_A_LIST = dict.fromkeys(
    (
        "a print job is taken for later on an older revision, and carried out",
        "the service behind the front refuses another outdated tag, which the front had let through",
        "a list shows the tags of another code path, and the same content",
        "a catalogue lists tags of another form than the books themselves",
        "An edge keeps the old leaflet for ten minutes",
        "delete timed out and sent again",
        "the origin got the write late, and only the repeat of it",
        "the request id of the refused write stands in the state",
    ),
    "where all comes in lists, none of them is told from the things themselves",
)
UNDER_SUCCESS = {
    "two clerks close one case; the second sees that it is done, and goes on to the next": (
        "who goes on after a refusal under 200 may have missed it"
    ),
    "two tills count one stock down, each reads again where it was too late": (
        "what was refused under 200 may have been stored"
    ),
}
FORMS_OF_TOKENS = {"malformed-validator", "null-token", "etag-source-mismatch"}
_BACK = "a count does not come back with a state that was put back"
RESPELT = {
    "taken back by another after ten seconds and done again": _BACK,
    "a switch is put back and on again by others, at full consistency": _BACK,
    "what is left of the rate goes down, and the old state was put back": _BACK,
    "a lane of a pool is saved with the tag of the pool around it": "tags in one answer are not spelt alike",
    "a value is spelled otherwise by the service": "a sequence counts what others did meanwhile",
    "a slow save is counted twice, and a spent tag is refused": (
        "a time or a checksum does not count by two: that the client's own later tag was passed over is shown"
    ),
    "an order sent with the revision before the own one is sent back, as the queue tells": _REPORTED,
    "the service behind the front refuses another outdated tag, which the front had let through": (
        "what was sent behind the front was given out by no answer: nothing shows it outdated"
    ),
    "another number beside the token": "the other number is not respelt",
    "the same content under two tags that are no counts": "the form of the tags tells",
    **dict.fromkeys(
        (
            "a list had shown the newer tag before the old one was taken",
            "a listing that is behind the client's own write",
            "a store of keys: the index under the prefix is behind the own write",
            "a rule deleted under a count that the list had shown past",
        ),
        "the list shows it in the old spelling",
    ),
    "a condition in the content that fits, beside a stale token": "its own version is a second one",
    "guard lost on the way and demanded by the origin": "nothing says that the time is the version",
    "versions are milliseconds, and the app makes one from its own clock": "the time of sending tells",
}
IN_A_QUERY = {
    "Cells are named by a query": "a version beside the names in a query names another cell",
    "a filter expression that selects some entries, and another one was added": (
        "a version in the query is one more thing that the query asks for"
    ),
}
_STATUS = "the status is the story, and one URL answers 200"
_ONE_URL = "a redirect of the one URL is another story"
ONE_URL = {
    "parts of one read taken and refused in turn by two mirrors": _PARTS,
    "no mark of a cache, but the origin never saw the read": "a POST to one URL is kept by no cache",
    "a redirect swallows the write": _ONE_URL,
    "a redirect made a GET of the save, and another saved as well": _ONE_URL,
    **dict.fromkeys(
        (
            "a version conflict under 400, taken for a fault of the content",
            "the same, and the client asks after the server's health",
            "400 that asks for the version",
            "an update without a condition: the answer says that it is there, and how it may be updated",
            "the same without a word about how, and it passes with a condition",
            "DELETE answered by nobody, then not found",
            "the second of two clean-up jobs finds nothing to delete",
            "what another deleted is gone for this client, too, who takes it off its list",
        ),
        _STATUS,
    ),
    **dict.fromkeys(
        (
            "a list had shown the newer tag before the old one was taken",
            "a catalogue lists tags of another form than the books themselves",
            "the reader of a list on a replica behind the other's write",
        ),
        "a list is told by its path",
    ),
    **dict.fromkeys(
        (
            "the own save of a ship enters it into the berth that it names by a short code",
            "moving a cow to a stall writes the stall, and a short name tells",
            "the service writes the linked record in the client's own name",
            "thumbnails are rendered after an upload, under a cron's name",
            "a job of the service sums up what the client had stored below",
            "a trip is stamped right after its leg, under a name that says nothing",
        ),
        "links between records are told by their paths",
    ),
    "a filter expression that selects some entries, and another one was added": "one URL has no query",
    "a slow save is counted twice, and a spent tag is refused": "the counts are those of PUT",
    "unguarded write brings a deleted thing back": "what makes a thing again is told by 201",
}
_ANY_POST = "a form without a version may be any action, no change of the record"
A_FORM = {
    **dict.fromkeys(
        (
            (
                "a lease of a boat is signed by the harbour's own clerk at once, and refused,"
                " within two envelopes"
            ),
            "a store of keys: the index under the prefix is behind the own write",
            "a print job is taken for later on an older revision, and nobody looks what came of it",
            "forced without a condition after a refusal",
            "overwritten without a guard after the refusal",
            "unguarded write over another's change",
            "unguarded save over another's",
            "unguarded deletion of what another had just saved, who looks for it",
            "a tag that stays the same, told by reads alone",
            "both ways in base64, and the reason of the change beside it",
            "the service stamps what stands inside a string",
            "healthy: If-Match answered with ok false for another reason",
            "healthy: If-Match answered with an error member, corrected",
            "Basic credentials and JSON: signed as the sender's own",
            "the proxy names nodes with what each said",
            "a play list is stored by the first node, and nginx lists what both answered",
            "bus lines: a success denies what was wrong by itself, and passes mended on the same tag",
            "the store cannot do conditions, as a success says",
            "The count goes back and comes again, and nothing speaks of a cache",
            "the same in JSON, with the id in the content",
            "the request id of the refused write stands in the state",
        ),
        _ANY_POST,
    ),
    "upload and its metadata are one thing": (
        "that two addresses show one record is told by its members, which a page has as fields"
    ),
    "an order with a log of its own": "a log of entries is one text in a field of a page",
    (
        "a loan is signed by the desk's own clerk at once, and refused:"
        " the answers put records into an envelope"
    ): ("a form sends its fields under the names that the page has"),
}


def untold(story, captures, name, carrier):
    """Return why a story cannot be told in a carrier, "" where it can.

    Args:
        story: of ETag and If-Match.
        captures: of the view that is told.
        name: of the carrier.
        carrier: the carrier.
    """
    tables = [ANYWHERE, UNREAD]
    sent, shown = getattr(carrier, "sent", ""), getattr(carrier, "shown", "")
    one_url = any(word in name for word in ("GraphQL", "JSON-RPC", "SOAP", "web form"))
    if sent.startswith("body") or "item of" in name:
        tables.append(SENT_BACK_WHOLE)
    if sent.startswith("path"):
        tables.append(IN_A_PATH)
    if sent.startswith("query"):
        tables.append(IN_A_QUERY)
    if sent in {"query:revision", "header:X-Version", "header:X-Revision"}:
        tables.append(PLAIN_NAME)
    if one_url:
        tables.append(ONE_URL)
    if one_url or "item of" in name or "batch" in name:
        tables.append(TOGETHER)
    if "item of" in name:
        tables.append(IN_A_LIST)
    if carrier.status in {200, 207}:
        tables.append(UNDER_SUCCESS)
    if "web form" in name:
        tables.append(A_FORM)
    if carrier.spelling.__name__ != "plain":
        tables.append(RESPELT)
        if story.wanted("all")[0] in FORMS_OF_TOKENS:
            return "what a damaged token looks like is lost when it is spelt anew"
    own = {place.partition(":")[2].partition("/")[0] for place in (sent, shown) if place.startswith("body")}
    if _holds(captures, own):
        return "its contents have a member of the carrier's name"
    return next((table[story.name] for table in tables if story.name in table), "")


def _holds(captures, names):
    for capture in captures:
        for exchange in capture.exchanges:
            response = exchange.response
            for content in (exchange.request.content, response.content if response is not None else None):
                if isinstance(content, Content) and names & set(content.json()):
                    return True
    return False
