"""Give each note a version; a trigger changes it on writes that do not set it (admin, bulk, SQL)."""

import uuid

from django.apps.registry import Apps as StateApps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

TRIGGER = """
CREATE TRIGGER notes_note_new_version AFTER UPDATE ON notes_note WHEN NEW.version = OLD.version
BEGIN
  UPDATE notes_note SET version = lower(hex(randomblob(16))) WHERE id = NEW.id;
END
"""


def fill(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Give each note that is there a version of its own: a default is worked out only once."""
    note_model = apps.get_model("notes", "Note")
    for note in note_model.objects.using(schema_editor.connection.alias).all():
        note.version = uuid.uuid4()
        note.save(update_fields=["version"])


class Migration(migrations.Migration):
    """Add the column, fill it, guard it."""

    dependencies = (("notes", "0001_initial"),)
    operations = (
        migrations.AddField("Note", "version", models.UUIDField(default=uuid.uuid4, editable=False)),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.RunSQL(TRIGGER, "DROP TRIGGER notes_note_new_version"),
    )
