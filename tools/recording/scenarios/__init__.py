"""The stories, a module for each family of causes."""

from __future__ import annotations

import importlib
import pkgutil


def load() -> None:
    """Import every module of this package so that its cases register themselves."""
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        importlib.import_module(module.name)
