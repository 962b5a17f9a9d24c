"""Models of Django for tests, in whatever process: settings may have been made by somebody else."""

# ruff: noqa: E402 -- Django wants its settings before it is imported further

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

from django.conf import settings

if not settings.configured:
    settings.configure()

import django

django.setup()

from django.db import connections, models

from ifmatch.server.models.django_orm import Rows, Versioned, with_xmin
from ifmatch.server.models.tags import digest_of, strong_tag
from ifmatch.server.stores.protocol import Content


class Note(Versioned):
    text = models.TextField(default="")
    unique = models.TextField(null=True, unique=True)  # noqa: DJ001 -- two rows without one are fine

    class Meta:
        app_label = "models"
        db_table = "dj_note"

    def __str__(self) -> str:
        return self.text


class Line(models.Model):
    text = models.TextField()
    note = models.ForeignKey(Note, models.CASCADE)

    class Meta:
        app_label = "models"
        db_table = "dj_line"

    def __str__(self) -> str:
        return self.text


class Counter(Versioned):
    """A number, in the table that SQLAlchemy's model has too."""

    n = models.IntegerField()
    changed = models.FloatField(default=0.0)

    class Meta:
        app_label = "models"
        db_table = "counter"

    def __str__(self) -> str:
        return str(self.n)


class Plain(models.Model):
    n = models.IntegerField()
    changed = models.FloatField(default=0.0)

    class Meta:
        app_label = "models"
        db_table = "plain"

    def __str__(self) -> str:
        return str(self.n)


class Marked(models.Model):
    """A version of one's own: a UUID."""

    text = models.TextField(default="")
    version = models.UUIDField()

    class Meta:
        app_label = "models"
        db_table = "dj_marked"

    def __str__(self) -> str:
        return self.text


def moment(row) -> datetime:
    return datetime.fromtimestamp(row.changed, UTC)


def content(row) -> Content:
    return Content(row.text.encode(), "text/plain")


def notes() -> Rows[Note]:
    return Rows(Note.objects.using("place"), content=content)


def counters(kind: str):
    if kind == "version":
        return Rows(Counter.objects.using("place"), modified=moment)
    rows = Plain.objects.using("place")
    if kind == "digest":
        return Rows(rows, tag=digest_of("n", "changed"), modified=moment)
    return Rows(with_xmin(rows), tag=lambda row: strong_tag(row.xmin), modified=moment)


@contextlib.contextmanager
def connected(place, alias: str = "place"):
    """Let an alias of Django lead to a database."""
    known = connections.settings
    known[alias] = connections.configure_settings({"default": {}, alias: place.django()})[alias]
    try:
        yield connections[alias]
    finally:
        connections[alias].close()
        del connections[alias]
        del known[alias]
