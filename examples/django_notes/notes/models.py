"""The model; `version` came with migration 0002."""

import uuid

from django.db import models


class Note(models.Model):
    """A note, with a version that no other state of it ever has."""

    text = models.TextField()
    version = models.UUIDField(default=uuid.uuid4, editable=False)

    def __str__(self) -> str:
        """Return the text."""
        return self.text
