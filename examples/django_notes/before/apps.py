"""Take the place of `notes`."""

from django.apps import AppConfig


class Before(AppConfig):
    """The application as it was."""

    name = "before"
    label = "notes"
