"""Words by which names of members say that they hold a version; pure."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["VERSION"]

VERSION: Final = re.compile(
    r"(?:^|[-_/. ]|(?<=[a-z]))(?:versions?|revisions?|rev|e-?tag|generation|lock|stamp|checksum|sequence"
    r"|seq|hash"
    r"|change_?number|sync_?token|versi[oó]n|versione|versie|wersja|fassung|revisi[oó]n[ae]?|révision"
    r"|mod_?count"
    r"|версия|ревизия)$|^(?:v|ver|vsn)$",
    re.IGNORECASE,
)
