"""Read the frozen cases and their labels."""

from __future__ import annotations

import json
import pathlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from ifmatch.capture import read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.model.exchange import Capture

CASES: Final = pathlib.Path(__file__).parents[2] / "cases"
FOLDERS: Final = {"dev": "diagnosis/dev", "holdout": "diagnosis/holdout", "healthy": "healthy"}


@dataclass(frozen=True, slots=True)
class Labelled:
    """A frozen case.

    Attributes:
        id: as in its file names.
        family: its family.
        dialect: the skin it was told in.
        cause: the root cause, `none` for healthy traffic.
        outcome: what it led to.
        alone: causes that the client's file by itself supports, best first.
        also: what is true as well.
        description: what happened.
        files: its captures, the client's first.
    """

    id: str
    family: str
    dialect: str
    cause: str
    outcome: str
    alone: tuple[str, ...]
    also: tuple[str, ...]
    description: str
    files: tuple[pathlib.Path, ...]

    def view(self, name: str) -> tuple[pathlib.Path, ...]:
        """Return the files of a view, `client` or `all`."""
        return self.files[:1] if name == "client" else self.files

    def wanted(self, name: str) -> tuple[str, ...]:
        """Return which first findings are right on a view."""
        causes = self.alone if name == "client" else (self.cause,)
        return (*causes, "none") if "expected-control-flow" in causes else causes


def cases(split: str, root: pathlib.Path = CASES) -> Iterator[Labelled]:
    """Yield the frozen cases of a split, `dev`, `holdout` or `healthy`, in order.

    Args:
        split: which.
        root: the folder that holds `diagnosis` and `healthy`.
    """
    for path in sorted((root / FOLDERS[split]).glob("*/*.label.json")):
        label = json.loads(path.read_text())
        names = [str(entry["har"]) for entry in label["files"].values()]
        names.sort(key=lambda name: ".client." not in name)
        yield Labelled(
            id=label["id"],
            family=label["family"],
            dialect=label["dialect"],
            cause=label["cause"],
            outcome=label["outcome"],
            alone=tuple(label["acceptable_from_client_alone"]),
            also=tuple(label["also_true"]),
            description=label["description"],
            files=tuple(path.parent / name for name in names),
        )


@lru_cache(maxsize=4096)
def capture(path: pathlib.Path) -> Capture:
    """Return a capture as read."""
    with path.open("rb") as stream:
        return read(stream, path.name)
