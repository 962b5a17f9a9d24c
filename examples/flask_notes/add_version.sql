-- Gives each note a version that no other state of it ever has, and changes it on writes past the service too.
ALTER TABLE note ADD COLUMN version TEXT NOT NULL DEFAULT '';
UPDATE note SET version = lower(hex(randomblob(16)));

CREATE TRIGGER note_new_version AFTER UPDATE OF text ON note WHEN NEW.version = OLD.version
BEGIN
  UPDATE note SET version = lower(hex(randomblob(16))) WHERE number = NEW.number;
END;
