"""Starlette's StaticFiles: what Starlette itself knows of conditions, reads only."""

from __future__ import annotations

import os
from importlib.metadata import version

from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

VERSION = f"Starlette {version('starlette')} `StaticFiles`"
app = Starlette(routes=[Mount("/", StaticFiles(directory=os.environ["FOLDER"]))])
