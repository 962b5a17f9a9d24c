"""Settings of Django for the contract suite."""

from __future__ import annotations

import os

from tests.server.apps.service import SETTINGS

ALLOWED_HOSTS = ["*"]
DEBUG = False
SECRET_KEY = "for tests only"
ROOT_URLCONF = os.environ["URLS"]
MIDDLEWARE = ["ifmatch.server.django.PreconditionMiddleware"]
INSTALLED_APPS = ["rest_framework"] if "rest" in ROOT_URLCONF else []
REST_FRAMEWORK = {"UNAUTHENTICATED_USER": None, "DEFAULT_AUTHENTICATION_CLASSES": []}
LOGGING_CONFIG = None
IFMATCH = SETTINGS
USE_TZ = True
