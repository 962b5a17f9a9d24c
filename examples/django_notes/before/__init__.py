"""The application as it was, without versions; it has the same table."""
