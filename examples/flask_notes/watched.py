"""The service as it was, watched: no client, no answer and no table changes.

DATABASE=notes.sqlite3 REPORT=report.json gunicorn watched:app
"""

import os

from before import app

from ifmatch.server import Policies, Policy, Settings, Shadow, Stage
from ifmatch.server.flask import Preconditions

__all__ = ["app"]

shadow = Shadow(save_to=os.environ.get("REPORT"), save_every=0)
Preconditions(app, settings=Settings(policies=Policies(default=Policy(stage=Stage.SHADOW)), shadow=shadow))
