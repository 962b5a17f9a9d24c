"""Ask a live server, repair a refused write, hand it on.

Names are loaded when they are asked for: advice, configuration and the bundle need none of the sockets.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ifmatch.doctor.failing import Failing, from_exchange, from_operation
    from ifmatch.doctor.hops import Hop, HopTable, compare_hops
    from ifmatch.doctor.journal import Journal
    from ifmatch.doctor.live import Asked, LiveDiagnosis
    from ifmatch.doctor.mending import Mended, Mending
    from ifmatch.doctor.probes import PROBES, Probe
    from ifmatch.doctor.repair import Kind, Plan

__all__ = [
    "PROBES",
    "Asked",
    "Failing",
    "Hop",
    "HopTable",
    "Journal",
    "Kind",
    "LiveDiagnosis",
    "Mended",
    "Mending",
    "Plan",
    "Probe",
    "compare_hops",
    "from_exchange",
    "from_operation",
]

_MODULE_OF = {
    "PROBES": "probes",
    "Asked": "live",
    "Failing": "failing",
    "Hop": "hops",
    "HopTable": "hops",
    "Journal": "journal",
    "Kind": "repair",
    "LiveDiagnosis": "live",
    "Mended": "mending",
    "Mending": "mending",
    "Plan": "repair",
    "Probe": "probes",
    "compare_hops": "hops",
    "from_exchange": "failing",
    "from_operation": "failing",
}


def __getattr__(name: str) -> object:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"ifmatch.doctor.{module}"), name)
    globals()[name] = value
    return value
