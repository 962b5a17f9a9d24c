"""Find secrets in free text by their shape: tokens of known makers, credentials behind a scheme, PEM blocks.

Every pass is linear in the length of the text.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from ifmatch.capture.redaction.credentials import redact_cookie, redact_credentials, redact_set_cookie
from ifmatch.capture.redaction.masks import MASKED, is_masked
from ifmatch.capture.redaction.shapes import JWT, looks_random
from ifmatch.capture.redaction.urls import redact_url
from ifmatch.capture.redaction.vocabulary import SCHEMES, is_secret_key, normal
from ifmatch.model.late import late_pattern

if TYPE_CHECKING:
    from collections.abc import Callable

    from ifmatch.capture.redaction.masks import Hiding, Mask

MAKERS: Final = late_pattern(
    r"(?<![A-Za-z0-9])(?:"
    r"(?:AKIA|ASIA|AROA|AIDA|ABIA|ACCA)[A-Z0-9]{12,}"
    r"|gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{16,}|glpat-[\w-]{12,}|gl(?:dt|rt|soat|ptt)-[\w-]{12,}"
    r"|xox[abeoprs]-[\w-]{8,}|xapp-[\w-]{8,}|hooks\.slack\.com/services/[\w/]+"
    r"|[srp]k_(?:live|test)_\w{8,}|whsec_[\w+/=]{8,}|sk-[\w-]{16,}"
    r"|AIza[\w-]{30,}|ya29\.[\w.-]{8,}|1//0[\w-]{20,}|GOCSPX-[\w-]{16,}"
    r"|npm_\w{20,}|pypi-[\w-]{20,}|hf_\w{20,}|dop_v1_\w{20,}|shp(?:at|ca|pa|ss)_\w{16,}|ATATT3[\w=-]{20,}"
    r"|SG\.[\w-]{16,}\.[\w-]{16,}|hvs\.[\w-]{16,}|key-[0-9a-f]{32}|AGE-SECRET-KEY-1\w{20,}"
    r")",
    re.ASCII,
)
_SCHEME: Final = late_pattern(
    r"(?<![A-Za-z0-9])(Bearer|Basic|Digest|Negotiate|NTLM|SharedKey(?:Lite)?|AWS4-HMAC-SHA256|DPoP|Token|ApiKey)"
    r"((?:[ ,+]|%20){1,3})([^\s\"'\\<>,;&]{6,})",
    re.IGNORECASE,
)
_PARAMETER: Final = late_pattern(
    r"(?<![A-Za-z0-9])(?P<name>[A-Za-z][\w.-]{1,63})"
    r"(?P<sep>(?:\\{0,3}(?:[\"']|&quot;|&\#34;|&\#39;|&\#x27;)|%22|\])?\s{0,2}(?::|=>?|%3[AaDd])\s{0,2})"
    r"(?P<value>\\{1,3}\"[^\"\\\r\n]*|\\{1,3}'[^'\\\r\n]*|\"[^\"\r\n]*\"?|'[^'\r\n]*'?|&quot;[^&\"\r\n]*"
    r"|[^\s\"'\\&,;<>(){}\[\]]+)"
)
_QUOTE: Final = late_pattern(r"\\{0,3}[\"']|&quot;")
_AUTHORIZATION: Final = late_pattern(
    r"(?<![A-Za-z0-9])((?:[A-Za-z-]{0,32}-)?authorization\\{0,3}[\"']?\s{0,2}[:=]\s{0,2}\\{0,3}[\"']?)([^\r\n\"'\\<>]+)",
    re.IGNORECASE,
)
_COOKIE: Final = late_pattern(
    r"(?<![A-Za-z0-9])((?:set-)?cookie\\{0,3}[\"']?\s{0,2}:\s{0,2}\\{0,3}[\"']?)"
    r"((?:[\w.$%!*+-]+=[^\s;\"'\\<>,]*)(?:;[ ]?[\w.$%!*+-]+(?:=[^\s;\"'\\<>,]*)?)*)",
    re.IGNORECASE,
)
_URL: Final = late_pattern(
    r"(?<![A-Za-z0-9])[a-z][a-z0-9+.-]{1,15}://[^\s\"'<>`\\{}|^\u2026]+", re.IGNORECASE
)
_TARGET: Final = late_pattern(r"(?<![\w/.:%-])/[^\s\"'<>`\\{}|^?#]*\?[^\s\"'<>`\\{}|^]+")
_BASE64: Final = late_pattern(r"(?<![A-Za-z0-9+/_=-])[A-Za-z0-9+/_-]{20,}={0,2}")
_EMAIL: Final = late_pattern(r"(?<![\w.+-])[\w.+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{2,63}){1,4}")
_PERCENT: Final = late_pattern(r"[^\s\"'<>&=]*%[0-9A-Fa-f]{2}[^\s\"'<>&=]*")
_TRAILING: Final = ".,;:!?)]*"
# With one of these a colon is ordinary prose as often as not, or what follows is a version.
_AMBIGUOUS: Final = frozenset(
    [
        "token",
        "tokens",
        "session",
        "auth",
        "card",
        "pin",
        "pass",
        "nonce",
        "signature",
        "cookie",
        "cookies",
        "credential",
        "credentials",
        "pan",
        "seed",
        "bearer",
        "authorization",
        "sid",
        "secret",
        "password",
        "seedphrase",
    ]
)
_PLACEHOLDER: Final = late_pattern(
    r"\$.*|%[A-Z_]+%|<.*|true|false|null|none|undefined|nil|\*+|\.{3}|…|\d{1,2}", re.IGNORECASE | re.DOTALL
)
_CONTROL: Final = late_pattern(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_TELLING_PART: Final = 16
_LARGEST_DECODED: Final = 4 * 1024 * 1024
_PEM_BEGIN: Final = "-----BEGIN "
_PEM_END: Final = "-----END "


def scan_tokens(text: str, mask: Mask) -> str:
    """Mask PEM blocks, JWTs, tokens of known makers and credentials behind a scheme.

    Args:
        text: free text.
        mask: makes the masks.
    """
    if len(text) < 6:
        return text
    if _PEM_BEGIN in text:
        text = _pem(text, mask)
    if "eyJ" in text:
        text = JWT.sub(lambda found: mask(found.group()), text)
    text = MAKERS.sub(lambda found: mask(found.group()), text)
    return _SCHEME.sub(lambda found: _behind_scheme(found, mask), text)


def _pem(text: str, mask: Mask) -> str:
    parts: list[str] = []
    done = 0
    while True:
        start = text.find(_PEM_BEGIN, done)
        if start < 0:
            return "".join([*parts, text[done:]])
        end = text.find(_PEM_END, start)
        close = text.find("-----", end + len(_PEM_END)) if end >= 0 else -1
        stop = close + 5 if close >= 0 else len(text)
        parts += [text[done:start], mask(text[start:stop])]
        done = stop


def telling_parts(value: str) -> tuple[str, ...]:
    """Return the parts that are secret by themselves: those of a JWT, the lines of a PEM block."""
    if value.startswith(_PEM_BEGIN):
        return tuple(
            line for line in re.split(r"\s+|\\n", value) if len(line) >= _TELLING_PART and "-----" not in line
        )
    if "eyJ" in value and JWT.search(value) is not None:
        return tuple(part for token in JWT.findall(value) for part in token.split(".")[1:] if len(part) >= 8)
    return ()


def _behind_scheme(found: re.Match[str], mask: Mask) -> str:
    scheme, space, value = found.groups()
    if is_masked(value.rstrip(".")) or MASKED.match(value):
        return found.group()
    # "Basic authentication" and "Digest mismatch" are prose; a version is no credential.
    telling = (
        any(c.isdigit() for c in value)
        or value.endswith("=")
        or (value != value.lower() and len(value) >= 12)
    )
    if (
        not telling
        or _PLACEHOLDER.fullmatch(value)
        or (scheme.lower() == "token" and not looks_random(value))
    ):
        return found.group()
    name, equals, rest = value.partition("=")
    if equals and rest.strip("=") and name.isalpha():
        return found.group()  # parameters: the scan of parameters takes them
    return scheme + space + mask(value)


def scan_text(text: str, hiding: Hiding, is_protected: Callable[[str], bool], *, emails: bool = False) -> str:
    """Hide what is secret in free text: URLs, header lines, parameters with telling names, encoded runs.

    Args:
        text: free text.
        hiding: how to hide; its `tokens` is applied to the whole.
        is_protected: tells which values are entity tags, that a word such as "token" may stand before.
        emails: whether e-mail addresses are hidden too.
    """
    if len(text) < 4 or (len(text) < 12 and text.isalpha()):
        return hiding.tokens(text)
    if "://" in text:
        text = _URL.sub(lambda found: _url(found.group(), hiding), text)
    if "?" in text and "/" in text:
        text = _TARGET.sub(lambda found: _url(found.group(), hiding), text)
    if ":" in text or "=" in text or "%" in text:
        text = _AUTHORIZATION.sub(lambda found: found.group(1) + _authorization(found.group(2), hiding), text)
        text = _COOKIE.sub(lambda found: found.group(1) + _cookie(found, hiding), text)
        text = _PARAMETER.sub(lambda found: _parameter(found, hiding, is_protected), text)
    text = hiding.tokens(text)
    text = _BASE64.sub(lambda found: _encoded(found.group(), hiding), text)
    if "%" in text:
        text = _PERCENT.sub(lambda found: _percent(found.group(), hiding), text)
    return _EMAIL.sub(lambda found: hiding.mask(found.group()), text) if emails and "@" in text else text


def _url(url: str, hiding: Hiding) -> str:
    end = len(url.rstrip(_TRAILING))
    return redact_url(url[:end], hiding) + url[end:]


def _authorization(value: str, hiding: Hiding) -> str:
    scheme, space, rest = value.partition(" ")
    if scheme.lower() not in SCHEMES:
        word = scheme.rstrip(_TRAILING)
        if (
            (word.isalpha() and (word.islower() or word.istitle()))
            or _PLACEHOLDER.fullmatch(word)
            or not word
        ):
            return value
        return value.replace(word, hiding.mask(word), 1) if not MASKED.match(word) else value
    if not rest:
        return value
    if "=" in rest.rstrip("=") and "," in rest:
        return redact_credentials(value, hiding)
    credential, blank, after = rest.partition(" ")
    if credential.isalpha() and credential.islower():
        return value
    end = len(credential.rstrip(".,;:!?)]"))
    if end == 0 or MASKED.match(credential):
        return value
    return (
        scheme
        + space
        + redact_credentials(f"{scheme} {credential[:end]}", hiding)[len(scheme) + 1 :]
        + (credential[end:] + blank + after)
    )


def _cookie(found: re.Match[str], hiding: Hiding) -> str:
    sets = found.group(1)[:4].lower() == "set-"
    return (redact_set_cookie if sets else redact_cookie)(found.group(2), hiding)


def _parameter(found: re.Match[str], hiding: Hiding, is_protected: Callable[[str], bool]) -> str:
    name, separator, value = found.group("name"), found.group("sep"), found.group("value")
    if not is_secret_key(name):
        # `x-note: token=abc`: the next name may stand in the value.
        rest = (
            _PARAMETER.sub(lambda one: _parameter(one, hiding, is_protected), value)
            if "=" in value
            else value
        )
        return name + separator + rest
    lead = _QUOTE.match(value)
    opening = lead.group() if lead is not None else ""
    inner = value[len(opening) :]
    closing = opening if opening and opening in {'"', "'"} and inner.endswith(opening) else ""
    inner = inner[: len(inner) - len(closing)]
    if not opening:
        end = len(inner.rstrip(".,;:!?)"))
        inner, closing = inner[:end], inner[end:]
    hidden_before = inner.partition(" ")[0].lower() in SCHEMES or normal(name).endswith(("cookie", "cookies"))
    if hidden_before and MASKED.search(inner) is not None:
        return found.group()
    if not inner or is_masked(inner) or _PLACEHOLDER.fullmatch(inner) or inner.lower() in SCHEMES:
        return found.group()
    prose = ":" in separator and not opening and separator != ":" and not any(c.isdigit() for c in inner)
    if normal(name) in _AMBIGUOUS and (prose or is_protected(inner.strip('"\\'))):
        return found.group()
    return name + separator + opening + hiding.mask(inner) + closing


def _encoded(run: str, hiding: Hiding) -> str:
    """Mask a base64 run when what it encodes holds a secret."""
    if MASKED.search(run):
        return run
    decoded = decode_run(run)
    if decoded is None:
        return run
    return hiding.mask(run) if hiding.text(decoded) != decoded else run


def _percent(run: str, hiding: Hiding) -> str:
    decoded = unquote(run)
    if decoded == run or hiding.text(decoded) == decoded:
        return run
    return hiding.mask(decoded)


def decode_run(run: str) -> str | None:
    """Return the text that a base64 run encodes, gzip and zlib undone; None when it encodes no text.

    Args:
        run: base64 or base64url, padded or not.
    """
    standard = run.rstrip("=").replace("-", "+").replace("_", "/")
    if len(standard) % 4 == 1:
        return None
    try:
        octets = base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    return text_of(octets)


def text_of(octets: bytes) -> str | None:
    """Return octets as text, gzip and zlib undone within limits; None when they are binary."""
    if octets[:2] == b"\x1f\x8b" or octets[:2] in {b"\x78\x9c", b"\x78\x01", b"\x78\xda"}:
        machine = zlib.decompressobj(31 if octets[:1] == b"\x1f" else 15)
        try:
            octets = machine.decompress(octets, _LARGEST_DECODED)
        except zlib.error:
            return None
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if _CONTROL.search(text, 0, 4096) is None else None
