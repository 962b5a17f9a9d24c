"""Messages as people paste them, whatever notation they were copied in."""
