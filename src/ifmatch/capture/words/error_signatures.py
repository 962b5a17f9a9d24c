"""Know error lines by the library that writes them, and the products that people name in a sentence.

The records are in `error_signatures.toml` beside this file. Source of the notations: the libraries' own
sources, named in each record by the name of their exception.
"""

from __future__ import annotations

import functools
import re
import tomllib
from importlib import resources
from typing import TYPE_CHECKING, Final, cast

from ifmatch.model.slotted import Frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Product", "Signature", "Signatures", "signatures"]

_GROUPS: Final = (
    ("%URL%", r"(?P<url>https?://[^\s'\"<>)\]]+)"),
    ("%STATUS%", r"(?P<status>[45]\d\d)"),
    ("%METHOD%", r"(?P<method>GET|HEAD|PUT|POST|PATCH|DELETE|[A-Z]{4,10})"),
)


class Signature(Frozen, frozen=True):
    """How a library words a refusal.

    Attributes:
        library: name as `ifmatch explain capture` takes it.
        title: what people call it.
        pattern: groups status, code, method, url, operation, message, reason where the wording has them.
        status: when the wording has none, 0 when unknown.
        dialect: id of the API family that the wording belongs to, "" when it says nothing of that.
    """

    library: str
    title: str
    pattern: re.Pattern[str]
    status: int = 0
    dialect: str = ""


class Product(Frozen, frozen=True):
    """What a word of a sentence says.

    Attributes:
        title: what people call it.
        words: finds it.
        library: what records its traffic, a name of `ifmatch explain capture`.
        dialect: id of the API family, "" when it says nothing of that.
    """

    title: str
    words: re.Pattern[str]
    library: str
    dialect: str = ""


class Signatures(Frozen, frozen=True):
    """All records.

    Attributes:
        signatures: the most telling first.
        products: the most telling first.
        refusals: wordings of a refusal in any text with the status that they mean, 0 when a group holds it.
        status: by error code.
        method: by operation.
    """

    signatures: tuple[Signature, ...]
    products: tuple[Product, ...]
    refusals: tuple[tuple[re.Pattern[str], int], ...]
    status: Mapping[str, int]
    method: Mapping[str, str]


def _pattern(text: str) -> re.Pattern[str]:
    for name, group in _GROUPS:
        text = text.replace(name, group)
    return re.compile(text)


@functools.cache
def signatures() -> Signatures:
    """Return the records of the data file."""
    text = resources.files("ifmatch.capture.words").joinpath("error_signatures.toml").read_text("utf-8")
    data = tomllib.loads(text)
    known = [
        Signature(
            str(one["library"]),
            str(one["title"]),
            _pattern(str(one["pattern"])),
            int(str(one.get("status", 0))),
            str(one.get("dialect", "")),
        )
        for one in cast("list[dict[str, object]]", data["signature"])
    ]
    products = [
        Product(
            str(one["title"]),
            re.compile(str(one["words"]), re.IGNORECASE),
            str(one["library"]),
            str(one.get("dialect", "")),
        )
        for one in cast("list[dict[str, object]]", data["product"])
    ]
    return Signatures(
        tuple(known),
        tuple(products),
        tuple(
            (re.compile(str(one["words"]), re.IGNORECASE), int(str(one.get("status", 0))))
            for one in cast("list[dict[str, object]]", data["refusal"])
        ),
        cast("dict[str, int]", data["status"]),
        cast("dict[str, str]", data["method"]),
    )
