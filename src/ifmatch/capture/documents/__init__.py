"""Documents that tools keep traffic in: cassettes, collections, sessions, journals, archives."""
