"""The model as it was."""

from django.db import models


class Note(models.Model):
    """A note."""

    id = models.BigAutoField(primary_key=True)
    text = models.TextField()

    class Meta:
        """Where it is."""

        db_table = "notes_note"

    def __str__(self) -> str:
        """Return the text."""
        return self.text
