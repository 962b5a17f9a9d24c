"""Programs for the people who work on ifmatch; nothing here ships."""
