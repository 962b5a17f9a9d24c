"""Count the sure wrong answers on recordings from which evidence was taken, or into which noise was put."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ifmatch.diagnosis import diagnose
from tools.simulation.degrade import OTHER_SERVICE, VARIANTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from ifmatch.model.exchange import Capture

HIGH = 0.75
GROUPS: dict[str, tuple[str, ...]] = {
    "recorded": ("lab", "driven", "apis"),
    "simulated": ("diagnosis/dev",),
    "**holdout** recorded": ("driven/holdout", "apis/holdout"),
    "**holdout** simulated": ("diagnosis/holdout",),
}


def first_of(captures: Sequence[Capture]) -> tuple[str, float]:
    """Return the first cause and its likelihood, the planted second incident left aside."""
    incidents = [one for one in diagnose(captures).incidents if OTHER_SERVICE not in one.resource]
    if not incidents or not incidents[0].findings:
        return "undecided" if incidents else "none", 0.0
    return incidents[0].findings[0].cause, incidents[0].findings[0].likelihood


def wrong(label_path: Path, load: Callable[[Path], Capture]) -> Iterator[tuple[str, bool]]:
    """Yield for each variant of each view of a case its name, and whether it is wrong at high.

    What the label accepts on any view, or calls true as well, is not wrong: what is left may show no more.
    """
    label = json.loads(label_path.read_text("utf-8"))
    name = label_path.name.removesuffix(".label.json")
    files = sorted(label_path.parent.glob(f"{name}.*.har"))
    own = [path for path in files if path.name.endswith(".client.har")] or files[:1]
    captures = tuple(load(path) for path in [*own, *(path for path in files if path not in own)])
    alone = label.get("acceptable_from_client_alone") or []
    fine = {label["cause"], *alone, *(label.get("also_true") or [])}
    for view in {captures[: len(own)], captures}:
        for variant, change in VARIANTS.items():
            if view:
                cause, likelihood = first_of(change(view))
                yield variant, likelihood >= HIGH and cause not in fine


def table(labels: Callable[[str], Iterable[Path]], load: Callable[[Path], Capture]) -> Iterator[str]:
    """Yield the rows of the table: wrong answers at high, of all views of all cases."""
    counts: dict[tuple[str, str], list[int]] = {}
    for group, folders in GROUPS.items():
        for folder in folders:
            for path in labels(folder):
                for variant, bad in wrong(path, load):
                    one = counts.setdefault((group, variant), [0, 0])
                    one[0] += bad
                    one[1] += 1
    yield f"| what was done | {' | '.join(GROUPS)} |"
    yield f"|---|{'---|' * len(GROUPS)}"
    for variant in VARIANTS:
        cells = [counts.get((group, variant), [0, 0]) for group in GROUPS]
        shown = [f"{bad} of {of} ({bad / of:.1%})" if of else "-" for bad, of in cells]
        yield f"| {variant} | {' | '.join(shown)} |"
