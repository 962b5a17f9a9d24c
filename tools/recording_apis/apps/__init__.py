"""Applications that the stories serve."""
