"""List the names that decide: which fields are harmless, which keys carry secrets.

Deny by default: a header field or query parameter that is not listed here is masked.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from ifmatch.model.late import late_pattern


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Entity tags: readable unless asked otherwise.
TAG_FIELDS: Final = _names(
    "etag if-match if-none-match if-range x-etag x-amz-etag seaweed-x-amz-etag schedule-tag"
    " if-schedule-tag-match x-goog-stored-etag oc-etag x-oc-etag x-if-match"
)
# Values that carry no secret by their definition.
SAFE_FIELDS: Final = _names(
    "if-modified-since if-unmodified-since last-modified date expires age cache-control pragma vary"
    " warning clear-site-data accept accept-charset accept-encoding accept-language accept-ranges"
    " accept-patch accept-post accept-version allow dav depth overwrite timeout expect te trailer"
    " upgrade connection keep-alive proxy-connection host server via user-agent x-powered-by"
    " mime-version upgrade-insecure-requests dnt priority save-data content-type content-length"
    " content-encoding content-language content-range content-disposition content-md5 content-digest"
    " repr-digest want-content-digest want-repr-digest digest range transfer-encoding retry-after"
    " preference-applied prefer allow-patch content-security-policy strict-transport-security"
    " x-content-type-options x-frame-options x-xss-protection referrer-policy permissions-policy"
    " timing-allow-origin server-timing alt-svc alt-used nel x-cache x-cache-hits x-cache-lookup"
    " x-cache-status x-served-by x-timer x-varnish x-runtime x-proxy-cache cf-cache-status"
    " cdn-cache-control surrogate-capability surrogate-control surrogate-key cache-tag cache-status"
    " x-forwarded-proto x-forwarded-host x-forwarded-port x-forwarded-server x-http-method-override"
    " lock-token if x-node x-index x-consul-index x-consul-knownleader x-consul-lastcontact"
    " odata-version odata-maxversion api-version x-api-version x-github-api-version"
    " x-github-media-type x-goog-generation x-goog-metageneration x-goog-if-generation-match"
    " x-goog-if-metageneration-match x-goog-hash x-goog-storage-class x-goog-stored-content-encoding"
    " x-goog-stored-content-length x-amz-content-sha256 x-amz-date x-amz-version-id"
    " x-amz-storage-class x-amz-server-side-encryption x-amz-delete-marker x-amz-copy-source-if-match"
    " x-amz-copy-source-if-none-match x-amzn-errortype amz-sdk-request amz-sdk-retry x-ms-version"
    " x-ms-date x-ms-blob-type x-ms-error-code x-ms-continuation x-ms-creation-time x-ms-lease-state"
    " x-ms-lease-status x-ms-lease-duration x-ms-lease-action x-ms-access-tier"
    " x-ms-access-tier-inferred x-ms-access-tier-change-time x-ms-blob-content-md5"
    " x-ms-server-encrypted x-ms-request-server-encrypted x-ms-return-client-request-id"
    " x-ms-if-sequence-number-eq x-ms-blob-sequence-number x-ms-documentdb-partitionkey"
    " idempotency-replayed x-content-duration x-squid-error x-waf allow-origin x-robots-tag"
    " docker-distribution-api-version docker-content-digest docker-upload-uuid dataserviceversion"
    " x-ms-range x-ms-proposed-lease-id x-ms-lease-break-period x-ms-lease-time"
    " x-goog-gcs-idempotency-token x-host x-edit-token-lifetime :method :scheme :status :authority"
    " :protocol"
)
SAFE_PREFIXES: Final = (
    "if-",
    "x-if-",
    "access-control-",
    "sec-fetch-",
    "sec-ch-",
    "x-cache-",
    "ratelimit",
    "x-ratelimit-",
    "x-envoy-",
    "x-raft-",
    "x-etcd-",
)
SAFE_SUFFIXES: Final = ("-version", "-generation", "-revision")
# These tie a client's view to a server's log; they name a request, not a person.
ID_FIELDS: Final = _names(
    "x-request-id request-id x-correlation-id correlation-id x-trace-id traceparent x-amzn-trace-id"
    " x-amz-request-id x-amz-id-2 x-amzn-requestid x-ms-request-id x-ms-client-request-id"
    " client-request-id x-github-request-id x-amz-cf-id cf-ray x-b3-traceid x-b3-spanid"
    " x-b3-parentspanid x-b3-sampled x-cloud-trace-context x-guploader-uploadid amz-sdk-invocation-id"
    " idempotency-key x-run x-run-id x-goog-request-id uber-trace-id x-ms-activity-id x-ms-lease-id"
    " fastly-request-id x-request-start x-vercel-id x-fastly-request-id"
)
URL_FIELDS: Final = _names(
    "location content-location referer referrer origin destination :path sourcemap x-original-url"
    " x-rewrite-url x-forwarded-uri x-forwarded-prefix x-original-uri x-ms-copy-source"
    " x-amz-copy-source x-goog-copy-source operation-location azure-asyncoperation"
)
# Each member of the list is masked by itself, so that the same address stays recognisable.
LIST_FIELDS: Final = _names("x-forwarded-for x-real-ip true-client-ip cf-connecting-ip x-client-ip forwarded")
CREDENTIAL_FIELDS: Final = _names(
    "authorization proxy-authorization x-forwarded-authorization www-authenticate proxy-authenticate"
    " authentication-info proxy-authentication-info x-original-authorization"
)

SCHEMES: Final = _names(
    "basic bearer digest negotiate ntlm kerberos token apikey api-key sharedkey sharedkeylite"
    " aws4-hmac-sha256 aws4-ecdsa-p256-sha256 aws goog4-rsa-sha256 goog4-hmac-sha256 goog1 hawk"
    " signature oauth dpop gnap hoba mutual scram-sha-1 scram-sha-256 vapid privatetoken jwt key genie"
    " glb snowflake ssws sso sessionkey zoho-oauthtoken"
)
HARMLESS_PARAMETERS: Final = _names(
    "realm qop algorithm nc signedheaders charset stale error scope headers created expires"
    " keyid_type token_type"
)

_HARMLESS_QUERY: Final = _names(
    "ifgenerationmatch ifgenerationnotmatch ifmetagenerationmatch ifmetagenerationnotmatch generation"
    " metageneration ifseqno ifprimaryterm version versiontype versionid etag rev revision cas"
    " generationid resourceversion ifmatch ifnonematch ifmodifiedsince ifunmodifiedsince index"
    " waitindex wait prevexist previndex prevvalue recursive consistent stale sorted quorum"
    " modifyindex modifiedindex flags seq since ifversion expectedversion lastrev updateseq conflicts"
    " attachments batch newedits page pagesize perpage limit offset size start count top skip sort"
    " order orderby direction fields select expand format view alt uploadtype stage prettyprint pretty"
    " restype comp uploads partnumber listtype encodingtype delimiter maxkeys apiversion preview"
    " dryrun force fresh nocache refresh timeout locale lang language tz method type xamzalgorithm"
    " xamzdate xamzexpires xamzsignedheaders xgoogalgorithm xgoogdate xgoogexpires xgoogsignedheaders"
    " sv sr sp st se spr ss srt include exclude depth level tab step"
)

_SEPARATORS: Final = late_pattern(r"[\W_]+")
_SECRET_KEYS: Final = _names(
    "pass pwd pin pincode otp totp mfacode twofactorcode verificationcode cvv cvc cvv2 csc ssn"
    " socialsecuritynumber iban card cardnumber creditcard creditcardnumber ccnumber pan accountnumber"
    " bankaccount routingnumber sortcode sid session sessid sessionkey sessionstate phpsessid"
    " jsessionid aspsessionid connectsid auth bearer cookie cookies setcookie sig hmac hash_hmac"
    " assertion samlresponse samlrequest samlart codeverifier seed mnemonic seedphrase recoverycode"
    " recoverycodes backupcodes privatekey pem connectionstring taxid nationalid passport"
    " passportnumber driverslicense securityanswer login_hint subscriptionkey ocpapimsubscriptionkey"
    " functionskey xfunctionskey devicecode usercode idtokenhint requesttoken jwt masterkey"
    " encryptionkey signingkey accountkey storagekey sharedkey instrumentationkey xauth xamzcredential"
    " keypassword xvaulttoken"
)
_SECRET_PARTS: Final = (
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "secret",
    "apikey",
    "accesskey",
    "privatekey",
    "authorization",
    "credential",
    "sessionid",
    "csrf",
    "xsrf",
    "webhookurl",
)
_SECRET_ENDINGS: Final = ("token", "tokens", "signature", "jwt", "sessiontoken", "authkey", "authtoken")
# Named token, but they are versions, positions or locks: what a diagnosis speaks about.
_NO_SECRET: Final = _names(
    "locktoken changetoken versiontoken synctoken nexttoken pagetoken nextpagetoken continuationtoken"
    " revisiontoken concurrencytoken nextsynctoken startpagetoken newstartpagetoken edittoken"
    " xedittoken csrfenabled secretary secretaries statetoken fencingtoken leasetoken previoustoken"
    " currenttoken expectedtoken"
)
_NO_SECRET_ENDINGS: Final = ("locktoken", "pagetoken", "synctoken", "continuationtoken", "idempotencytoken")
_AFTERWARDS: Final = late_pattern(
    r"(?:type|count|lifetime|expires(?:in|at)?|expiry|length|name|id|enabled|required|policy"
    r"|version|status|date|time"
    r"|at|hint|changed|updated|source|url)$"
)


def normal(name: str) -> str:
    """Return a key without separators, in lower case."""
    return _SEPARATORS.sub("", name).lower()


@lru_cache(maxsize=4096)
def is_secret_key(name: str) -> bool:
    """Tell whether a key of a body, form, cookie or parameter names a secret.

    Case and separators do not count.

    Args:
        name: the key as written.
    """
    key = normal(name[:120])
    if key in _NO_SECRET or not key or key.endswith(_NO_SECRET_ENDINGS):
        return False
    if key in _SECRET_KEYS or key.endswith(_SECRET_ENDINGS):
        return True
    for part in _SECRET_PARTS:
        place = key.find(part)
        if place >= 0:
            rest = key[place + len(part) :]
            return part in {"sessionid", "accesskey", "apikey"} or not _AFTERWARDS.fullmatch(rest)
    return False


@lru_cache(maxsize=4096)
def is_harmless_parameter(name: str) -> bool:
    """Tell whether a query parameter carries a precondition, a page or a format, never a secret.

    Args:
        name: the name, percent-decoded.
    """
    return name == "_" or normal(name[:120]) in _HARMLESS_QUERY


# Words that stand for themselves in free text, even when somebody took them for a user name or a password.
ORDINARY: Final = _names(
    "true false null none undefined nil yes no on off test tests demo user users admin guest public"
    " private anonymous client server service origin proxy cache token tokens write writer read reader"
    " update create delete default basic bearer digest etag match date http https json html text name"
    " value local localhost root system api apis dark light auto english deflate gzip chrome firefox"
    " safari curl python node ruby java item items order orders accepted essential necessary granted"
    " denied allow deny session password secret request response header headers cookie cookies version"
    " resource store change changes status error refused source entry field line between the this that"
    " with from into have been were will what when other same after before"
)
