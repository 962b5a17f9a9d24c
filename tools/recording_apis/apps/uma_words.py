"""What refusals say, in eight languages and several forms."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Reply", "refusals"]
Reply = tuple[int, dict[str, str], object]

_WORDS = {
    "en": {
        "stale": "The version in the precondition is not the current one.",
        "gone": "No such document.",
        "exists": "A document exists under this address already.",
        "date": "The document was modified after the given date.",
        "missing": "A precondition is required for this request.",
    },
    "de": {
        "stale": "Die Vorbedingung trifft nicht zu: Die Fassung ist eine andere.",
        "gone": "Das Dokument ist nicht vorhanden.",
        "exists": "Unter dieser Adresse gibt es bereits ein Dokument.",
        "date": "Das Dokument wurde nach dem angegebenen Zeitpunkt geändert.",
        "missing": "Diese Anfrage verlangt eine Vorbedingung.",
    },
    "fr": {
        "stale": "La précondition n'est pas remplie : la version diffère.",
        "gone": "Ce document n'existe pas.",
        "exists": "Un document existe déjà à cette adresse.",
        "date": "Le document a été modifié après la date indiquée.",
        "missing": "Une précondition est exigée pour cette requête.",
    },
    "es": {
        "stale": "La condición previa no se cumple: la versión es otra.",
        "gone": "El documento no existe.",
        "exists": "Ya existe un documento en esta dirección.",
        "date": "El documento se modificó después de la fecha indicada.",
        "missing": "Esta solicitud exige una condición previa.",
    },
    "it": {
        "stale": "La precondizione non è soddisfatta: la versione è diversa.",
        "gone": "Il documento non esiste.",
        "exists": "A questo indirizzo esiste già un documento.",
        "date": "Il documento è stato modificato dopo la data indicata.",
        "missing": "Questa richiesta esige una precondizione.",
    },
    "nl": {
        "stale": "Aan de voorwaarde is niet voldaan: de versie is anders.",
        "gone": "Dit document bestaat niet.",
        "exists": "Op dit adres staat al een document.",
        "date": "Het document is na de opgegeven datum gewijzigd.",
        "missing": "Dit verzoek vereist een voorwaarde.",
    },
    "pl": {
        "stale": "Warunek wstępny nie jest spełniony: wersja jest inna.",
        "gone": "Dokument nie istnieje.",
        "exists": "Pod tym adresem istnieje już dokument.",
        "date": "Dokument zmieniono po podanej dacie.",
        "missing": "To żądanie wymaga warunku wstępnego.",
    },
    "ja": {
        "stale": "前提条件が一致しません。",
        "gone": "文書が存在しません。",
        "exists": "この場所には既に文書があります。",
        "date": "指定日時以降に更新されています。",
        "missing": "前提条件が必要です。",
    },
}


def refusals(language: str = "en", form: str = "problem") -> Callable[[int, str, str], Reply]:
    """Return a function that words refusals.

    Args:
        language: One of eight.
        form: ``problem``, ``code``, ``flat``, ``xml``, ``html``, ``text`` or ``empty``.
    """

    def refuse(status: int, why: str, path: str) -> Reply:
        words = _WORDS[language][why]
        match form:
            case "code":
                return status, {}, {"error": {"code": f"E{status}.{len(why)}", "message": words}}
            case "flat":
                return status, {}, {"ok": False, "path": path, "message": words}
            case "xml":
                text = f'<?xml version="1.0" encoding="utf-8"?>\n<fault status="{status}">{words}</fault>\n'
                return status, {"Content-Type": "application/xml"}, text
            case "html":
                page = f"<!doctype html>\n<title>{status}</title>\n<h1>{status}</h1>\n<p>{words}</p>\n"
                return status, {"Content-Type": "text/html; charset=utf-8"}, page
            case "text":
                return status, {}, f"{words}\n"
            case "empty":
                return status, {}, b""
        told = {"title": HTTPStatus(status).phrase, "status": status, "detail": words, "instance": path}
        return status, {"Content-Type": "application/problem+json"}, told

    return refuse
