"""Which stories cannot be told in the language of which API family, and why."""

from __future__ import annotations

from urllib.parse import urlsplit

from untold import ANYWHERE, FORMS_OF_TOKENS, ONE_URL, RESPELT, SENT_BACK_WHOLE, UNDER_SUCCESS

from ifmatch.model.message import Content
from ifmatch.model.unknown import UNKNOWN

_KIND = "what things are of one kind is told by their paths"
_WORD = "0 and * are words of some families and of HTTP, no versions"
_IN_HTTP = "what tells it stands in fields or statuses of HTTP, or in the spelling of a tag"
OWN = {
    **dict.fromkeys(
        (
            "The count goes back and comes again, and nothing speaks of a cache",
            "a job tried twice, the first time the database was away, the second time it was stored",
            "a part is read under one tag that stays, and the whole is written with it",
            "an own save in the same second",
            "fleet: carried out, and set back by another before the next look",
        ),
        _IN_HTTP,
    ),
    **dict.fromkeys(
        (
            "the token of the parent",
            "the tag of a part, of another form, sent for the whole",
            "the token of another host",
            "an operation that finished after the client's own write",
            "version 0 of records that were never read one by one",
            "a tag that counts the changes of the whole zone",
            "a finished operation, and another's change with it",
            "one id on all answers names a session, not an answer",
            "a proxy gives the path another name and drops the field",
            "upload and its metadata are one thing",
            "a task of a list is gone when it is ticked off",
            "a rule deleted under a count that the list had shown past",
            "the list of a folder shows that the thing has moved on",
        ),
        _KIND,
    ),
    "price by the tills' own way, JSON": (
        "its things have names of one piece, and nothing is looked at afterwards: two are two"
    ),
    "the service behind the front refuses another outdated tag, which the front had let through": (
        "what is another path behind a front is another name: nothing shows the two to be one thing"
    ),
    "parts of one read taken and refused in turn by two mirrors": "parts are asked for in a field of HTTP",
    "a draft is read by its revision, each time under another tag, and saved at the address of the page": (
        _KIND
    ),
    "the same in JSON, with the id in the content": _KIND,
    "healthy: If-Match answered with an error member, corrected": "its faults have words of their own",
    "a look behind, and then the right one": "a call that looks is no address that caches keep",
}
# What the service writes into members that were sent back as they were read.
_SIGNED = (
    "a lease of a boat is signed by the harbour's own clerk at once, and refused, within two envelopes",
    "Basic credentials and JSON: signed as the sender's own",
    "the proxy names nodes with what each said",
    "a court's file: the refused note is there, under the clerk's own name in the cookie",
    "a wine rack signed by the subject of a bearer token",
    "a play list is stored by the first node, and nginx lists what both answered",
    "a lift's log entry sent twice: the record's own moment moved with the lost answer",
    "a cage with milliseconds under a name of no language",
    "letter press: refused though stored, JSON record of two times",
    "a trail whose editor is an object, refused with 409",
    "a loan is signed by the desk's own clerk at once, and refused: the answers put records into an envelope",
    "record signed by the service in an object",
)
_AS_TEXT = "what stands inside a text is lost where the whole state is told as one"
IN_A_TEXT = dict.fromkeys(
    (
        "both ways in base64, and the reason of the change beside it",
        "the service stamps what stands inside a string",
        "the same nodes, and nothing names them",
        "the state names the request that was refused, under another name of the service's own",
        "healthy: If-Match answered with ok false for another reason",
        "the store cannot do conditions, as a success says",
        "a rules engine adds what follows from an own save",
        "a listing that is behind the client's own write",
        "a store of keys: the index under the prefix is behind the own write",
        "the same, the lease kept as base64",
        *_SIGNED,
    ),
    _AS_TEXT,
)
_DEEPER = "a patch of what stands deeper has other members beside it here"
DEEPER = dict.fromkeys(
    (
        "what was saved is gone at the next look, under an edit of the version before",
        "what was saved is still there at the next look, beside another's edit",
    ),
    _DEEPER,
)
_UNNAMED = "in a text no member has a name: what a server stamps is not told from what a writer writes"
IN_PROSE = dict.fromkeys(
    (
        "the same nodes, and nothing names them",
        "one tag, and only what the server stamps moves",
        "bad gateway, sent again",
        "two tills count one stock down, each reads again where it was too late",
        "what was stored is gone at the next look, and the service compares elsewhere",
        "two nodes got one guarded write, and the one that stored it answered after the client had gone",
        "two orders get the same note of a tax office after each write",
    ),
    _UNNAMED,
)
_OF_ONE = "a version is of one thing alone there"
_COUNTERS = dict.fromkeys(
    (
        "one counter for a whole shelf",
        "the item's sibling was written by another",
        "two items that share a number, and neither changed",
        "the tag of a catalogue guards its entries",
        "scope: whole board counted, own write 204 only",
    ),
    _OF_ONE,
)
_BRANCH = "what moves is the branch, and a file keeps its name: so every conflict there looks"
_WORD_FOR_NONE = "an empty version is the family's word for no condition"
_ROWS = "a filter that no row fits is no error, whatever stands in it"
_PATCHES = "a patch names what it changes: sent again, or under the version just read, it may be meant so"
_NOT_THERE = "404 is how the family says that there is nothing to change"
_RESENT = dict.fromkeys(
    (
        "token out of the refusal, old content",
        "fresh token, old content, after a refusal",
        "fresh token, old content, no refusal at all",
        "the guard holds, the base is old: a fresh token, and the other's change is gone",
    ),
    _PATCHES,
)
_LEFT = "a put answered with what is there, which the service set back by its own rule, no redirect"
_STILL_OLD = "an answer that shows the older state is how the family says that a condition failed"
_NO_CHANGE = "Nothing to do: what was sent was there"
_NOTHING = "what a filter or a command leaves as it is looks like one that did not hold"
_OF_A_PART = "a part is read under one tag that stays, and the whole is written with it"
_NODES = "two nodes got one guarded write, and the one that stored it answered after the client had gone"
_ROWS_LEFT = "that no row is left to change is the answer of the second node as of any other conflict"
_UNDER_WAY = "a call under way is finished by the service, its status has a name of its own"
_MAKES = "commands do not say what they make"
_AT_ONE_PLACE = "calls go to one place: which of them came twice is told by the front alone"
_BY_FAMILY = {
    "kubernetes": {"an empty tag": _WORD_FOR_NONE},
    "postgrest": {
        **_COUNTERS,
        **_RESENT,
        **dict.fromkeys(
            ("an empty tag", "the word null in quotes", "a template that was not filled in"), _ROWS
        ),
        "a 404 of a route that does not take the method": _NOT_THERE,
        "a fresh number over a short text of before, which lacks a paragraph": _PATCHES,
        _NO_CHANGE: _NOTHING,
        _OF_A_PART: _OF_ONE,
        _NODES: _ROWS_LEFT,
        _LEFT: _STILL_OLD,
    },
    "confluence": {
        _OF_A_PART: _OF_ONE,
        **dict.fromkeys(
            (
                "stored all the same: the new state names the refused request",
                "an order with a log of its own",
                _UNDER_WAY,
            ),
            _UNNAMED,
        ),
    },
    "docker-engine": {_OF_A_PART: _OF_ONE},
    "json-rpc": {_NODES: _AT_ONE_PLACE},
    "graphql": {_NODES: _AT_ONE_PLACE},
    "mediawiki": {_NODES: _UNNAMED},
    "etcd-v2": {
        _LEFT: _STILL_OLD,
        **dict.fromkeys(
            (
                "the state names the request that was refused, under another name of the service's own",
                "the same, the lease kept as base64",
                "healthy: If-Match answered with ok false for another reason",
            ),
            _AS_TEXT,
        ),
    },
    "eve": {"What is only taken for later is there later": "an answer to a write shows what was taken"},
    "caldav-carddav": {
        "The count goes back and comes again, and nothing speaks of a cache": "a calendar's counts are text",
        "bus lines: a success denies what was wrong by itself, and passes mended on the same tag": _AS_TEXT,
        _UNDER_WAY: _AS_TEXT,
    },
    "google-iam": {"no mark of a cache, but the origin never saw the read": "a POST is kept by no cache"},
    "openstack-placement": _COUNTERS,
    "broadleaf": {"the tag of a catalogue guards its entries": "a cart's version stands beside the cart"},
    "firestore": {"a 404 of a route that does not take the method": _NOT_THERE},
    "sanity": _RESENT,
    "commercetools": {
        **_RESENT,
        _NO_CHANGE: _NOTHING,
        _OF_A_PART: _OF_ONE,
        **dict.fromkeys(
            (
                "unguarded write brings a deleted thing back",
                "unguarded deletion of what another had just saved, who looks for it",
                "several writes of one second, one of them taken, and its change is what is there",
                "two clerks close one case; the second sees that it is done, and goes on to the next",
                "a build that got ready after the client's own write",
                "a patch of a playlist is made from the list before another's song was added",
                "a patch of a long note lacks the paragraph that another had added",
                "the same with a tag and a table",
                _UNDER_WAY,
            ),
            _MAKES,
        ),
    },
    "github-contents": dict.fromkeys(
        (
            "the very tag refused and still served",
            "a comparison that fails although nothing moved",
            "the tag of a catalogue guards its entries",
        ),
        _BRANCH,
    ),
}
# Stories that several families cannot tell, why, and which.
_OF_SEVERAL = (
    (
        (
            "the tag of an invoice for an order, after a save of another order",
            "the tag of a bill for a room of the same folder, the room's own read after it",
            "the old tag of a thing is sent for the one beside it",
        ),
        "a count of few digits may be an older one of the thing itself",
        (
            "kubernetes confluence contentful consul-kv openstack-placement mediawiki square vault-kv2"
            " docker-engine json-rpc graphql postgrest broadleaf generic-json commercetools mongodb-data-api"
        ),
    ),
    (
        (
            "the tag of an invoice for an order, after a save of another order",
            "the tag of a bill for a room of the same folder, the room's own read after it",
            "the old tag of a thing is sent for the one beside it",
        ),
        "a version is of the whole library: that of an invoice is an older one of the order, too",
        "zotero firefox-sync",
    ),
    (
        (
            "a part is written on the tag of the whole, and the whole names another's request",
            "account tag for a profile, only reads",
            "device saved, twin guarded",
            "the draft's tag sent to what is live",
            "the tag of a draft in another language, sent to what is printed",
            "user and account in two collections, german",
            "what is made in the atelier goes on beside what hangs in the gallery",
        ),
        "a version is of the whole library: no other thing's is the wrong one",
        "zotero",
    ),
    (
        (
            "a new edition of the API leads to the same berths, and does not check",
            "the desk and the counter of a library have ways of their own to one loan",
        ),
        "a short count is that of many things: that two names show one after the other is chance",
        "kubernetes confluence contentful consul-kv mediawiki docker-engine commercetools solr aws-json",
    ),
    (
        (
            "a new edition of the API leads to the same berths, and does not check",
            "the desk and the counter of a library have ways of their own to one loan",
        ),
        "an answer to a write shows neither the state nor the version, or under names that reads do not have",
        "google-compute gitlab-files azure-table",
    ),
    (
        (
            "the path was for a moment not there: the thing is",
            "a list gave other versions, and the one that is sent is from nowhere",
        ),
        _NOT_THERE,
        "firestore etcd-v2",
    ),
    (
        (
            "another had put back the old state, and its tag is made of the content",
            "the first write came to nothing, and the second one is what is seen later",
        ),
        "a write says which version it makes: an older one behind its success is an older copy",
        "mongodb-data-api postgrest",
    ),
    (
        ("another took back what was stored, and the count went on",),
        "the answer to a write gives no version, and the name of a commit counts nothing",
        "gitlab-files",
    ),
    (
        ("scope: whole board counted, own write 204 only",),
        "the answer to a write gives no version: what moved it is not told from another's write",
        "consul-kv google-compute docker-engine gitlab-files",
    ),
    (
        (
            "two puts at once, nothing read before",
            "two puts at once on a tag that counts nothing, nothing read before",
            "two counts at once at a warehouse, json guard, nothing read",
        ),
        "it shows itself by its refusal alone",
        "generic-json",
    ),
    (
        ("an order sent with the revision before the own one is sent back, as the queue tells",),
        "the report names the tag without the brackets that the field has around it",
        "webdav",
    ),
    (
        ("a print job is taken for later on an older revision, and nobody looks what came of it",),
        "an answer that names the row is that of a change of it",
        "postgrest",
    ),
    (
        ("a print job is taken for later on an older revision, and carried out",),
        _MAKES,
        "commercetools",
    ),
)


def _with_several(tables):
    """Return the tables of families with what several of them cannot tell."""
    found = {family: dict(table) for family, table in tables.items()}
    for names, why, families in _OF_SEVERAL:
        for family in families.split():
            found.setdefault(family, {}).update(dict.fromkeys(names, why))
    return found


BY_FAMILY = _with_several(_BY_FAMILY)
OWN_TABLES = (OWN, IN_A_TEXT, DEEPER, IN_PROSE, *BY_FAMILY.values())
# Commands say what they change, not what they make: nobody knows the own change again by its content.
OWN_CHANGE = {"lost-response-replay", "intermediary-replay", "post-commit-412"}
_BY_PATH = {"a list is told by its path", "links between records are told by their paths"}
BY_PATH = {name: why for name, why in ONE_URL.items() if why in _BY_PATH}
# Words for no version are told in every family; other damage to a token shows in its form alone.
# Families without a precondition that a story could carry, or that show themselves too late for one.
WITHOUT = {
    "google-dns": "a change names the records that it deletes: there are no versions",
    "paddle": "there are no versions",
    "route53": "a change names the records that it deletes: there are no versions",
    "terraform-http": "there are locks, no versions",
    "rfc9110": "the language that the stories are told in",
    "soap": "`test_transposed.py` tells all stories in it",
    "etcd-v3": "a transaction compares what the key holds: its forms are those of etcd-v2",
    "aws-lambda": "its writes say what is done to a function, not what it is",
    "google-docs": "its writes say what is done to a document, not what it is",
    "kibana": "versions are base64 of a shard's sequence: `families-in-use.txt` has its stories",
    "nomad": "jobs and variables have forms of their own: `families-in-use.txt` has their stories",
    "appdynamics": "it shows itself by its refusal alone",
    "docker-sandboxes": "it shows itself by its refusal alone",
    "firebase-rtdb": "its tags are those of HTTP, with a word for none",
    "quickbooks": "its reads are queries and batches: `lists-and-batches-of-families.txt` has its stories",
    "xero": "dates alone condition its reads, and no write of it has a condition",
    "scim": "its tags are those of HTTP, told again in `meta.version`",
    "stripe": "there are no versions: a key makes a request count once",
}
_FORMS = FORMS_OF_TOKENS - {"null-token"}
_VERSIONS = {"version", "_version", "revision", "rev", "etag", "_etag", "lockVersion"}
_MOST = 50


def untold(story, captures, tongue):
    """Return why a story cannot be told in a family's language, "" where it can.

    Args:
        story: of ETag and If-Match.
        captures: of the view that is told.
        tongue: the family.
    """
    tables = [ANYWHERE, BY_PATH, OWN]
    if tongue.in_body:
        tables.append(SENT_BACK_WHOLE)
    if tongue.members() or not tongue.plain:
        tables.append(DEEPER)
    tables.append(BY_FAMILY.get(tongue.name, {}))
    if tongue.as_text:
        tables.append(IN_A_TEXT)
    if tongue.as_prose:
        tables.append(IN_PROSE)
    if tongue.commands and OWN_CHANGE & {one for view in story.views for one in story.wanted(view)}:
        return _MAKES
    if tongue.one_url:
        tables.append(ONE_URL)
    if tongue.status in {200, 207}:
        tables.append(UNDER_SUCCESS)
    if not tongue.plain:
        tables.append(RESPELT)
        if story.wanted("all")[0] in _FORMS:
            return "what a damaged token looks like is lost when it is spelt anew"
    reason = next((table[story.name] for table in tables if story.name in table), "")
    if reason:
        return reason
    exchanges = [exchange for one in captures for exchange in one.exchanges]
    if tongue.counts_by_itself and tongue.miscounts(captures):
        return "a write says that it makes the next version, and the story tells of another one"
    if not tongue.issues and _taken_from_writes(exchanges):
        return "the answer to a write gives no version"
    return next((why for one in exchanges if (why := _unsaid(one, tongue))), "")


def _unsaid(exchange, tongue):
    """Return what of an exchange the family has no words for, "" where it has them."""
    request, response = exchange.request, exchange.response
    if tongue.line(request.method) is None:
        return f"has no {request.method}"
    if urlsplit(request.url).query:
        return "the query belongs to the story"
    status = response.status if response is not None else 0
    if not tongue.plain and (request.fields.text("if-match") or "").strip('"') in {"0", "*"}:
        return _WORD
    if status == 428 and "missing" not in tongue.refuses:
        return "never asks for a version"
    if status == 412 and "if-match" not in request.fields:
        return "the status is the story"
    if 400 <= status < 500 and status not in {404, 410, 412, 428} and status == tongue.status:
        return "the family means a conflict by the status"
    if status == 412 and response is not None and "etag" in response.fields and not tongue.names_stored:
        return "a refusal does not tell the version that is there"
    if _tells_more(exchange) and not tongue.shows_written:
        return "the answer to a write does not show what is stored"
    contents = [request.content] + ([response.content] if response is not None else [])
    if UNKNOWN in contents and (tongue.in_body or tongue.shows_in_body):
        return "the version stands in a content that is not in the evidence"
    taken = tongue.members() | (set() if tongue.plain else _VERSIONS)
    if any(isinstance(one, Content) and taken & set(one.json()) for one in contents):
        return "its contents have a member of the form's name"
    return ""


def _tells_more(exchange):
    """Tell whether the answer to a write shows more than the write said."""
    request, response = exchange.request, exchange.response
    if request.method not in {"PUT", "PATCH"} or response is None or response.status >= 300:
        return False
    shown = response.content
    sent = request.content.json() if isinstance(request.content, Content) else None
    return isinstance(shown, Content) and shown.json() != sent


def _taken_from_writes(exchanges):
    """Tell whether a request carries a version that nothing but the answer to a write had given."""
    given = {"GET": set(), "": set()}
    for one in exchanges:
        tag = one.response.fields.text("etag") if one.response is not None else None
        given["GET" if one.request.method == "GET" else ""].add(tag)
    sent = {one.request.fields.text("if-match") for one in exchanges}
    return bool(sent & (given[""] - given["GET"] - {None}))
