"""What an unknown API shows of its ways by its traffic: where versions are carried, how it refuses."""
