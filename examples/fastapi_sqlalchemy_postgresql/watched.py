"""The service as it was, watched: no client, no answer and no table changes.

DATABASE_URL=postgresql+psycopg://user@host/database REPORT=report.json uvicorn watched:app
"""

import os

from before import app

from ifmatch.server import Policies, Policy, Settings, Shadow, Stage
from ifmatch.server.fastapi import install

__all__ = ["app"]

shadow = Shadow(save_to=os.environ.get("REPORT"))
install(app, settings=Settings(policies=Policies(default=Policy(stage=Stage.SHADOW)), shadow=shadow))
