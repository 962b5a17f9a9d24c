"""Settings of the example; STAGE says how far the roll-out has come."""

import os
from pathlib import Path

from ifmatch.server import Policies, Policy, Settings, Shadow, Stage

STAGE = os.environ.get("STAGE", "enforce")
AS_IT_WAS = STAGE in {"before", "shadow"}  # a shadow needs no versions
SECRET_KEY = "only for this example"  # noqa: S105 -- nothing is signed with it
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "before.urls" if AS_IT_WAS else "notes.urls"
NOTES = "before.apps.Before" if AS_IT_WAS else "notes"
INSTALLED_APPS = [NOTES, "ifmatch.server.django_checks.PreconditionChecks"]
MIDDLEWARE = ["ifmatch.server.django.PreconditionMiddleware"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("DATABASE", Path(__file__).parent / "notes.sqlite3"),
        "OPTIONS": {"timeout": 30, "transaction_mode": "IMMEDIATE"},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
SHADOW = Shadow(save_to=os.environ.get("REPORT"), save_every=0)
IFMATCH = Settings(
    policies=Policies(default=Policy(stage=Stage("off" if STAGE == "before" else STAGE))), shadow=SHADOW
)
