"""The practice server for whatever ASGI server you have, options from the environment.

    hypercorn ifmatch.reference.asgi:application          # HTTP/2 too

`IFMATCH_PATH`, `IFMATCH_STORE`, `IFMATCH_QUIRKS`, `IFMATCH_QUIRK_RATE` (0 to 1), `IFMATCH_COMPRESS=1` and
`IFMATCH_WEBDAV=1` stand for the options of `ifmatch serve`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ifmatch.errors import InputError
from ifmatch.reference.options import ServeOptions, open_store
from ifmatch.reference.workers import build

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ifmatch.reference.application import PracticeServer

__all__ = ["application", "from_environment"]


def from_environment(variables: Mapping[str, str]) -> PracticeServer:
    """Return the application for the options that variables hold.

    Args:
        variables: as `os.environ`.

    Raises:
        InputError: a value cannot be used.
        MissingExtraError: the client of the store is not installed.
        StoreUnavailableError: the store cannot be opened.
    """
    rate = variables.get("IFMATCH_QUIRK_RATE", "1")
    try:
        share = float(rate)
    except ValueError:
        raise InputError(f"{rate!r} is no number", source="IFMATCH_QUIRK_RATE", expected="0 to 1") from None
    quirks = variables.get("IFMATCH_QUIRKS", "")
    options = ServeOptions(
        path=variables.get("IFMATCH_PATH", "/resource"),
        store=variables.get("IFMATCH_STORE", "memory"),
        compress=variables.get("IFMATCH_COMPRESS") == "1",
        webdav=variables.get("IFMATCH_WEBDAV") == "1",
        quirks=tuple(name.strip() for name in quirks.split(",") if name.strip()),
        quirk_rate=share,
    )
    return build(options, open_store(options.store))


application = from_environment(os.environ)
