"""Make evidence records that name their place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ifmatch.diagnosis.steps.step import Step
from ifmatch.model.finding import Evidence

if TYPE_CHECKING:
    from ifmatch.model.exchange import Exchange


def note(text: str, weight: float, step: Step | Exchange | None = None, field: str = "") -> Evidence:
    """Return one piece of evidence.

    Args:
        text: the observation in one sentence.
        weight: natural logarithm of the likelihood ratio.
        step: where it was seen, None when it concerns the whole case.
        field: name of the field that shows it.
    """
    if step is None:
        return Evidence(text, weight, None, field)
    if not isinstance(step, Step):
        return Evidence(text, weight, step.provenance, field)
    return Evidence(text, weight, step.at, step.view.places.get(field, field))
