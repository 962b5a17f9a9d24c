"""Tell by its first octets what a source is."""
