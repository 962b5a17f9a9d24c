"""HTTP Archive 1.2, of any size."""
