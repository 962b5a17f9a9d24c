"""One request of one actor with what came back: what it asked for, and whether it was carried out."""
