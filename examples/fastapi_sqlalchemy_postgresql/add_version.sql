-- Gives each note a version that no other state of it ever has. The database makes it, so that writes past the
-- service (psql, other programs, bulk updates) change it too.
ALTER TABLE note ADD COLUMN version uuid NOT NULL DEFAULT gen_random_uuid();

CREATE FUNCTION note_new_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.version := gen_random_uuid();
  RETURN NEW;
END $$;

CREATE TRIGGER note_new_version BEFORE UPDATE ON note FOR EACH ROW EXECUTE FUNCTION note_new_version();
