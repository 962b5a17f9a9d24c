"""The stories, one module a family of servers."""

from __future__ import annotations

import importlib
import pkgutil


def load() -> None:
    """Import every module of this folder, which registers its cases."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
