"""`import ifmatch` is light, and its other names come when they are asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

import ifmatch
from tests.pace import ratio_to


def run(program: str) -> str:
    return subprocess.run(
        [sys.executable, "-I", "-c", program], check=True, capture_output=True, text=True
    ).stdout


def test_import_loads_the_standard_library_and_the_core_only() -> None:
    """No third-party module, and of this package only core and version."""
    before = "import sys; import importlib; before = set(sys.modules); import ifmatch; "
    loaded = run(before + "print(*sorted(set(sys.modules) - before))").split()
    tops = {name.partition(".")[0] for name in loaded}
    assert tops - set(sys.stdlib_module_names) == {"ifmatch"}
    own = {name.split(".")[1] for name in loaded if name.startswith("ifmatch.")}
    assert own == {"core", "version"}
    assert not tops & {"logging", "socket", "asyncio", "email", "json"}


def test_import_costs_less_than_that_of_asyncio() -> None:
    """About 0.6 of it, interpreter included; benchmarks/bench_startup.py has the figure in milliseconds."""
    assert ratio_to(("-I", "-c", "import asyncio"), "-I", "-c", "import ifmatch") < 1.0


def test_a_name_that_does_not_exist_is_said_so() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = ifmatch.nonsense  # type: ignore[attr-defined]


def test_all_names_are_listed_before_they_are_loaded() -> None:
    assert set(ifmatch.__all__) <= set(dir(ifmatch))
    assert sorted(ifmatch.__all__) == sorted(set(ifmatch.__all__))
