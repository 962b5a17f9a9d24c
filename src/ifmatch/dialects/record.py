"""Describe how one API family spells a precondition; the data files are read into these records.

The vocabulary: a *guard* is a precondition as the family's requests carry it, a *token place* is where its
answers issue a version, a *signal* is how an answer says what became of a precondition, and a *mark* is what
the family's traffic is recognised by.
"""

from __future__ import annotations

import enum
from typing import Annotated, Literal

import msgspec

__all__ = [
    "Batch",
    "BatchForm",
    "Carrier",
    "Demand",
    "Dialect",
    "Grammar",
    "GuardSpec",
    "Lifetime",
    "Mark",
    "MarkPlace",
    "Meaning",
    "Retry",
    "SameResource",
    "Scope",
    "SignalSpec",
    "StatePlace",
    "TokenPlace",
]


class Carrier(enum.StrEnum):
    """Where in a request the precondition stands."""

    HEADER = "header"
    QUERY = "query"
    BODY = "body"  # a member of a JSON request body
    FORM = "form"  # a member of a urlencoded request body
    TEXT = "text"  # the first group of a regular expression over the request body, such as a batch
    PATH = "path"  # the first group of a regular expression over path and query, such as /revisions/7
    WEBDAV_IF = "webdav-if"  # the list of RFC 4918 section 10.4


class Demand(enum.StrEnum):
    """What a precondition demands of the current state."""

    SAME = "same"
    SAME_DATE = "same-date"
    EXISTS = "exists"
    ABSENT = "absent"
    DIFFERENT = "different"
    DIFFERENT_DATE = "different-date"
    LOCK = "lock"


class Grammar(enum.StrEnum):
    """The form of a token."""

    ENTITY_TAG = "entity-tag"
    WEAK_TAG = "weak-tag"  # entity tags whose W/ the family accepts where RFC 9110 compares strongly
    LOOSE_TAG = "loose-tag"  # the tag with or without its quotes
    INTEGER = "integer"
    QUOTED_INTEGER = "quoted-integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    UUID = "uuid"
    SHA1 = "sha1"
    BASE64 = "base64"
    HTTP_DATE = "http-date"
    TIMESTAMP = "timestamp"  # RFC 3339
    OPAQUE = "opaque"


class Scope(enum.StrEnum):
    """How much a token guards."""

    ITEM = "item"
    PART = "part"  # a sub-resource with a token of its own
    COLLECTION = "collection"
    LIBRARY = "library"
    BRANCH = "branch"
    POLICY = "policy"
    STAGE = "stage"


class Meaning(enum.StrEnum):
    """What an answer says about the precondition."""

    MISMATCH = "mismatch"  # the state is another one
    EXISTS = "exists"  # a create-only guard met something
    ABSENT = "absent"  # what was to be changed is not there
    MISSING = "missing"  # a precondition is demanded and was not sent
    LOCK = "lock"  # a lock or lease stands in the way, or its token is missing
    EXPIRED = "expired"  # the token is past its lifetime
    MULTIPLE = "multiple"  # the criteria match several
    PAYLOAD = "payload"  # the condition stands in the payload, and a part of it does not fit
    MALFORMED = "malformed"  # the value breaks the grammar
    UNSUPPORTED = "unsupported"  # the service cannot do this condition
    BUSY = "busy"  # another operation is under way: wait, the state may not have moved
    OTHER = "other"  # the status has nothing to do with preconditions


class Retry(enum.StrEnum):
    """What a client may do after a refusal."""

    REFRESH = "refresh"  # read again, apply the edit to the current version, send
    WAIT = "wait"  # the same request later
    RESTART = "restart"  # the whole operation from its beginning
    NEVER = "never"


class MarkPlace(enum.StrEnum):
    """Where a family's mark is looked for."""

    REQUEST_HEADER = "request-header"
    RESPONSE_HEADER = "response-header"
    QUERY = "query"
    REQUEST_BODY = "request-body"
    RESPONSE_BODY = "response-body"
    PATH = "path"
    METHOD = "method"
    HOST = "host"


BatchForm = Literal[
    "json",
    "multipart",
    "documents",
    "bundle",
    "operations",
    "lines",
    "writes",
    "named",
    "rows",
    "statements",
    "records",
    "transactions",
]
Weight = Annotated[float, msgspec.Meta(gt=0.0, le=1.0)]
Name = Annotated[str, msgspec.Meta(min_length=1)]
Identifier = Annotated[str, msgspec.Meta(pattern="^[a-z0-9][a-z0-9-]*$")]
Status = Annotated[int, msgspec.Meta(ge=100, le=599)]


class _Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="kebab"):
    pass


class Mark(_Record, frozen=True, kw_only=True):
    """Something that the family's traffic shows.

    Attributes:
        at: where it is looked for.
        weight: share of certainty; a family is recognised from 1.0 on. A host alone never is: at most 0.4.
        name: of the field or parameter; for bodies a JSON Pointer pattern (`*` stands for any one step); ""
            to search the whole text.
        matches: regular expression that the value has to contain; "" when being there is enough.
        status: response statuses at which it counts; empty for any.
        methods: request methods at which it counts; empty for any.
    """

    at: MarkPlace
    weight: Weight
    name: str = ""
    matches: str = ""
    status: tuple[Status, ...] = ()
    methods: tuple[str, ...] = ()


class GuardSpec(_Record, frozen=True, kw_only=True):
    """A precondition as requests carry it.

    Attributes:
        carrier: where it stands.
        name: of the field, the parameter or, as a JSON Pointer, the member; a regular expression for `text`
            and `path`.
        demands: what it demands when its value is no sentinel.
        grammar: of the value.
        sentinels: values that speak of existence and name no version, with what they demand.
        id: short name for `feeds` and for `signal.guard`, where several guards have one name; else the name.
        matches: regular expression that the value has to contain, else it is no guard; "" for any value.
        methods: request methods for which it is a guard; empty for all but GET, HEAD, OPTIONS.
        path: regular expression that the path has to contain; "" for any.
        beside: JSON Pointer that the same body must hold as well, and not as `false`.
        unless: JSON Pointer whose `true` in the same body says that the guard does not count.
        pair: name of a parameter that completes the token (Elasticsearch's primary term).
        next: whether the value is the next version, not the current one (Confluence).
        of: what names the resource that is guarded where it is not the request's own, such as the source of a
            copy: `header:NAME`, or `path:PATTERN` whose first group is its path; "" for the request's own.
        placeholders: JSON Pointers of objects of the same body whose members stand in the value by their
            names (DynamoDB's ExpressionAttributeValues): the value is read with them filled in.
    """

    carrier: Carrier
    name: Name
    demands: Demand = Demand.SAME
    grammar: Grammar = Grammar.OPAQUE
    sentinels: dict[str, Demand] = {}
    id: str = ""
    matches: str = ""
    methods: tuple[str, ...] = ()
    path: str = ""
    beside: str = ""
    unless: str = ""
    pair: str = ""
    next: bool = False
    of: Annotated[str, msgspec.Meta(pattern="^(|header:.+|path:.+)$")] = ""
    placeholders: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Return what `feeds` and `signal.guard` call it."""
        return self.id or self.name


class TokenPlace(_Record, frozen=True, kw_only=True):
    """Where answers issue a version.

    Attributes:
        at: `header`, or `body` for a member of a JSON content, or `text` for a pattern in any content.
        name: of the field; the JSON Pointer; the regular expression whose first group is the token.
        feeds: ids or names of the guards that take it; empty for all of the family.
        path: regular expression that the request's path has to contain; "" for any.
        status: statuses at which it is one; empty for 200 to 206 and 304.
        pair: JSON Pointer of the member that completes the token.
    """

    at: Annotated[str, msgspec.Meta(pattern="^(header|body|text)$")]
    name: Name
    feeds: tuple[str, ...] = ()
    path: str = ""
    status: tuple[Status, ...] = ()
    pair: str = ""


class SignalSpec(_Record, frozen=True, kw_only=True):
    """How an answer says what became of a precondition.

    Attributes:
        status: statuses at which it is looked for.
        means: what it says.
        field: response field whose value is searched; "" for the content.
        pointer: JSON Pointer pattern of the member that is searched; "" for the whole content.
        matches: regular expression; "" when the status is enough.
        retry: what a client may do; the family's own class when left out.
        current: regular expression whose first group is the current token, in the content; the groups of a
            pair are joined by a comma.
        sent: regular expression whose first group is the token of the request, where the content repeats it.
        guarded: whether it counts only when the request carries a guard.
        unguarded: whether it counts only when the request carries none.
        unseen: whether it counts only when the answer's content is not in the evidence.
        guard: id or name of the guard that the request has to carry; "" for any or none.
        methods: request methods at which it counts; empty for any.
        path: regular expression that the request's path has to contain; "" for any.
    """

    status: Annotated[tuple[Status, ...], msgspec.Meta(min_length=1)]
    means: Meaning
    field: str = ""
    pointer: str = ""
    matches: str = ""
    retry: Retry | None = None
    current: str = ""
    sent: str = ""
    guarded: bool = False
    unguarded: bool = False
    unseen: bool = False
    guard: str = ""
    methods: tuple[str, ...] = ()
    path: str = ""


class Lifetime(_Record, frozen=True, kw_only=True):
    """Where a lock, lease or key is told how long it holds.

    Attributes:
        at: where the number stands; `response-text` for any place in the content, which `matches` finds.
        name: of the field, the parameter or, as a JSON Pointer, the member.
        matches: regular expression whose first group is the number of seconds; "" when the value is it.
        methods: request methods that begin or renew the lifetime; empty for any but GET and HEAD.
        path: regular expression that the request's path has to contain; "" for any.
    """

    at: Annotated[
        str, msgspec.Meta(pattern="^(request|response)-(header|body)$|^(query|form|response-text)$")
    ]
    name: Name
    matches: str = ""
    methods: tuple[str, ...] = ()
    path: str = ""


class StatePlace(_Record, frozen=True, kw_only=True):
    """Where a family wraps the state of a resource in members of its own, so that contents compare.

    Attributes:
        sent: JSON Pointer into the request's content, `form:NAME`, `part:last` for the last part of a
            multipart content, or `set:POINTER` for an expression that assigns values; "" when the whole
            content is it.
        shown: JSON Pointer into the content of answers; "" when the whole content is it.
        base64: which of the two are base64 text: any of `sent`, `shown`.
    """

    sent: Annotated[str, msgspec.Meta(pattern="^(|/.*|form:.+|part:last|set:/.+)$")] = ""
    shown: Annotated[str, msgspec.Meta(pattern="^(|/.*)$")] = ""
    base64: tuple[Literal["sent", "shown"], ...] = ()


class Batch(_Record, frozen=True, kw_only=True):
    """How one request holds several, and one answer theirs.

    Attributes:
        path: regular expression that the path of such a request has to contain.
        form: `json` for a list of objects with method, path or url, headers and body, answered by a list with
            status, headers and body; `multipart` for parts of application/http; `documents` for a list of
            records that are stored by their `_id`, answered by a list with an `error` where one was refused;
            `bundle` for the entries of a FHIR bundle; `operations` for those of JSON:API's atomic extension;
            `lines` for an action and its document in turn, a line each; `writes` for those of Firestore,
            `named` for the items of QuickBooks, `rows` for the operations of Cosmos DB, `statements` for
            PartiQL of DynamoDB, `records` for the collections of Salesforce,
            `transactions` for those of DynamoDB.
        requests: JSON Pointer of the list in the request.
        responses: JSON Pointer of the list in the answer.
        prefix: what goes before the paths of the parts; "." for the folder of the batch's own path.
        named: member of a record of `documents` that names it; its path is this name behind `prefix` in the
            folder of the batch's own path.
        whole: whether `documents` are all stored, or the answer is an error; one alone is no batch then.
    """

    path: Name
    form: BatchForm = "json"
    requests: str = "/requests"
    responses: str = "/responses"
    prefix: str = ""
    named: Name = "_id"
    whole: bool = False


class SameResource(_Record, frozen=True, kw_only=True):
    r"""A URL that names a resource by another way: an action, an upload, a view.

    Attributes:
        path: regular expression over path and query.
        becomes: what the matched part is replaced by; `\\1` for groups.
        methods: request methods at which it counts; empty for any.
    """

    path: Name
    becomes: str
    methods: tuple[str, ...] = ()


class Dialect(_Record, frozen=True, kw_only=True):
    """One API family.

    Attributes:
        id: short name, lower case with hyphens.
        name: for readers.
        source: where the facts are documented or were seen.
        scope: how much a token guards.
        scope_path: regular expression whose first group is the path of a scope larger than an item.
        retry: what a client may do after a mismatch.
        fresh_token: where a client gets a fresh token, in words.
        holds: how long tokens hold, in words; "" when they hold until the next change.
        missing: what happens without a precondition, in words.
        error_carries_token: whether the refusal names the current token.
        success_carries_token: whether an accepted write's answer issues the new one.
        weak_tags_match: whether If-Match accepts weak tags.
        suffixes: endings such as -gzip that are part of the family's own tags, or that it strips itself.
        extends: id of the family whose guards, tokens, signals, lifetimes and URLs hold here too.
        more_special_than: ids of families whose marks this one shows as well; `extends` is one of them.
        general: whether it gives way to every other family that shows itself.
        notes: what else one has to know, in words.
        marks: what it is recognised by.
        guards: preconditions of requests.
        tokens: where versions are issued.
        signals: what answers say; the first that fits counts.
        same_resource: other URLs of a resource; each rule is applied, in order.
        identity: JSON Pointers into request bodies that name the resource where the URL does not; the first
            one that is there counts. `text:PATTERN` is a regular expression over the body, its groups joined
            by "/".
        identity_sign: what goes between the URL and the name.
        identity_path: regular expression over path and query of the requests whose bodies name it: the name
            becomes the end of the path, before the rules of `same-resource`. Left out: all, after the rules.
        states: where the state of a resource is wrapped; the first place that is there counts.
        operation: request field that names the operation where one URL takes all (X-Amz-Target), or JSON
            Pointer to it in the content.
        reads: regular expression over "METHOD path operation" of requests that read although their method is
            POST.
        replaces: the same of requests that replace a whole state, with or without a guard, although their
            method is not PUT.
        replaces_content: regular expression over the content of such requests.
        changes: the same of requests that change some members of a state, although their method is POST.
        changes_content: regular expression over the content of such requests.
        reads_content: regular expression over the content of such requests.
        acts: regular expression over "METHOD path operation" of requests that do something with the thing
            above their path (merge, publish): their method may be PUT, their content is no state of it.
        compares_inside: regular expression over the path of requests whose state the service itself reads,
            compares and writes, so that they are refused although they carry no precondition.
        lifetimes: where it is said how long a lock, lease or key holds.
        batches: how one request holds several.
    """

    id: Identifier
    name: Name
    source: Name
    scope: Scope = Scope.ITEM
    scope_path: str = ""
    retry: Retry = Retry.REFRESH
    fresh_token: str = ""
    holds: str = ""
    missing: str = ""
    error_carries_token: bool = False
    success_carries_token: bool = True
    weak_tags_match: bool = False
    suffixes: tuple[str, ...] = ()
    extends: str = ""
    more_special_than: tuple[Identifier, ...] = ()
    general: bool = False
    notes: tuple[str, ...] = ()
    marks: tuple[Mark, ...] = msgspec.field(default=(), name="mark")
    guards: tuple[GuardSpec, ...] = msgspec.field(default=(), name="guard")
    tokens: tuple[TokenPlace, ...] = msgspec.field(default=(), name="token")
    signals: tuple[SignalSpec, ...] = msgspec.field(default=(), name="signal")
    same_resource: tuple[SameResource, ...] = ()
    identity: tuple[str, ...] = ()
    identity_sign: str = "#"
    identity_path: str = ""
    states: tuple[StatePlace, ...] = msgspec.field(default=(), name="state")
    operation: str = ""
    reads: str = ""
    replaces: str = ""
    replaces_content: str = ""
    changes: str = ""
    changes_content: str = ""
    reads_content: str = ""
    acts: str = ""
    compares_inside: str = ""
    lifetimes: tuple[Lifetime, ...] = msgspec.field(default=(), name="lifetime")
    batches: tuple[Batch, ...] = msgspec.field(default=(), name="batch")
