"""Vary how versions and refusals are told, one thing at a time: envelopes, names, types, words, statuses."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import uuid
from dataclasses import dataclass, replace

from transposing import JSON, Carrier, dated, hashed, in_milliseconds, in_sequence, refusal, without

from ifmatch.model.exchange import Capture
from ifmatch.model.message import Content, Request, Response

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


# -- how names are spelt --------------------------------------------------------------


def snake(words):
    """Return `lock_version`."""
    return "_".join(words)


def kebab(words):
    """Return `lock-version`."""
    return "-".join(words)


def camel(words):
    """Return `lockVersion`."""
    return words[0] + "".join(word.title() for word in words[1:])


def pascal(words):
    """Return `LockVersion`."""
    return "".join(word.title() for word in words)


def _renamed(value, style):
    if isinstance(value, dict):
        return {_styled(name, style): _renamed(one, style) for name, one in value.items()}
    if isinstance(value, list):
        return [_renamed(one, style) for one in value]
    return value


def _styled(name, style):
    words = [word.lower() for word in _WORDS.findall(name)]
    # A name of one small word is one in all styles but for `LockVersion`.
    return style(words) if words and "".join(_WORDS.findall(name)) == re.sub(r"[-_]", "", name) else name


# -- how versions are spelt -----------------------------------------------------------


def as_text(_captures):
    """Spell numbers as texts."""
    return lambda token: token


def marked(_captures):
    """Spell versions with a letter before them."""
    return lambda token: f"v{token}" if token else token


def as_uuid(_captures):
    """Spell versions as UUIDs."""
    return lambda token: (
        str(uuid.UUID(hex=hashlib.sha256(token.encode()).hexdigest()[:32])) if token else token
    )


def as_base64(_captures):
    """Spell versions as eight octets in base64, as databases have them."""
    return lambda token: (
        base64.b64encode(hashlib.sha256(token.encode()).digest()[:8]).decode() if token else token
    )


def as_short_hash(_captures):
    """Spell versions as eight hexadecimal digits."""
    return lambda token: hashlib.sha256(token.encode()).hexdigest()[:8] if token else token


# -- how a refusal is told ------------------------------------------------------------

SENTENCES = {
    "German": {
        "fehler": {
            "code": "KONFLIKT",
            "meldung": "Der Datensatz wurde inzwischen von jemand anderem geändert.",
        }
    },
    "German, a version": {"fehler": "Die Versionsnummer stimmt nicht mit der gespeicherten überein."},
    "German, since": {"message": "Der Eintrag wurde seit dem Laden geändert. Bitte neu laden."},
    "French": {
        "erreur": {
            "code": "CONFLIT",
            "message": "La ressource a été modifiée entre-temps par un autre utilisateur.",
        }
    },
    "French, a version": {"erreur": "La version fournie ne correspond pas à la version actuelle."},
    "French, since": {"message": "La fiche a changé depuis votre lecture, veuillez la recharger."},
    "Spanish": {"error": {"codigo": "CONFLICTO", "mensaje": "El registro fue modificado por otro usuario."}},
    "Spanish, a version": {"error": "La versión enviada no coincide con la versión actual."},
    "Spanish, since": {"mensaje": "El registro ha cambiado desde que lo abrió; vuelva a cargarlo."},
    "Italian": {"errore": "Il record è stato modificato da un altro utente."},
    "Portuguese": {"erro": "O registro foi alterado por outro usuário."},
    "Dutch": {"fout": "Het record is intussen door iemand anders gewijzigd."},
    "Polish": {"błąd": "Rekord został w międzyczasie zmieniony przez innego użytkownika."},
    "Japanese": {"エラー": "他のユーザーによって更新されました。再読み込みしてください。"},
    # What was done, or after what, stands last.
    "Finnish": {"virhe": "Tietue on muuttunut latauksen jälkeen."},
    "Estonian": {"viga": "Kirjet on pärast laadimist muudetud."},
    "Korean": {"오류": "다른 사용자가 레코드를 변경했습니다."},
    # Words that no list has: only what became of the requests tells.
    "Georgian": {"შეცდომა": "ჩანაწერი შეიცვალა წაკითხვის შემდეგ."},
    "Armenian": {"սխալ": "Գրառումը փոխվել է բացելուց հետո"},
    "Amharic": {"ስህተት": "መዝገቡ ከተነበበ በኋላ ተቀይሯል።"},
    "a code alone": {"code": "STALE_OBJECT"},
    "a problem": {"type": "https://errors.test/conflict", "title": "Edit conflict", "status": 409},
}


def in_words(name):
    """Return what makes a refusal of one of these sentences."""
    return lambda current: SENTENCES[name] if current is None else {**SENTENCES[name], "current": current}


# -- all of it together ---------------------------------------------------------------


@dataclass(frozen=True)
class Varied:
    """A carrier of versions in a form of its own.

    Attributes:
        carrier: where the version stands, and how a refusal looks.
        envelope: name of the member around each record that is answered, "" for none.
        asked: whether records that are sent stand in it too.
        style: how names of members are spelt, None as the story has them.
    """

    carrier: Carrier
    envelope: str = ""
    asked: bool = False
    style: object = None

    @property
    def status(self):
        """Return the status of a refusal."""
        return self.carrier.status

    def captures(self, captures):
        """Return captures in this form."""
        told = self.carrier.captures(captures)
        return [
            Capture(one.name, one.format, tuple(self._exchange(exchange) for exchange in one.exchanges))
            for one in told
        ]

    def _exchange(self, exchange):
        asked, answer = exchange.request, exchange.response
        content = self._told(asked.content, wrapped=self.asked)
        request = Request(asked.method, asked.url, asked.fields, content)
        if answer is None:
            return replace(exchange, request=request)
        shown = self._told(answer.content, wrapped=answer.status < 300)
        fields = answer.fields
        if isinstance(shown, Content) and "content-type" not in fields:
            fields = without(fields, set(), JSON)
        return replace(exchange, request=request, response=Response(answer.status, "", fields, shown))

    def _told(self, content, *, wrapped):
        if not isinstance(content, Content):
            return content
        value = content.json()
        if not isinstance(value, dict):
            return content
        if self.style is not None:
            value = _renamed(value, self.style)
        if wrapped and self.envelope and "error" not in value:
            value = {self.envelope: value}
        return Content.from_text(json.dumps(value))


_BODY, _QUERY = ("body:version", "body:version"), ("query:expectedVersion", "body:version")
_SPELT = {
    "texts": as_text,
    "a letter and a number": marked,
    "UUIDs": as_uuid,
    "base64": as_base64,
    "short hashes": as_short_hash,
    "hashes": hashed,
    "times": dated,
    "milliseconds": in_milliseconds,
    "a sequence": in_sequence,
}


def _places(name):
    """Return the pointer of a version that is called by two words, as a style has it."""
    return f"body:{name}", f"body:{name}"


VARIED = {
    "as it is": Varied(Carrier(*_BODY)),
    "answers in `data`": Varied(Carrier(*_BODY), "data"),
    "all in `data`": Varied(Carrier(*_BODY), "data", asked=True),
    "all in `item`": Varied(Carrier(*_BODY), "item", asked=True),
    "answers in `result`, a parameter": Varied(Carrier(*_QUERY), "result"),
    "all in `attributes`, a parameter": Varied(Carrier(*_QUERY), "attributes", asked=True),
    **{
        f"{style.__name__} case": Varied(Carrier(*_places("lockVersion")), style=style)
        for style in (snake, kebab, camel, pascal)
    },
    **{
        f"{style.__name__} case in `data`": Varied(Carrier(*_places("meta/rowVersion")), "data", style=style)
        for style in (snake, kebab, camel, pascal)
    },
    **{f"{name} in a member": Varied(Carrier(*_BODY, spelling=spelt)) for name, spelt in _SPELT.items()},
    **{f"{name} in a parameter": Varied(Carrier(*_QUERY, spelling=spelt)) for name, spelt in _SPELT.items()},
    **{f"status {status}": Varied(Carrier(*_BODY, status, refusal)) for status in (400, 412, 422, 428)},
    **{
        f"{name}, {status}": Varied(Carrier(*_BODY, status, in_words(name)))
        for name in SENTENCES
        for status in (409, 412, 400, 422, 428)
    },
}
