"""What people and programs say in words: error lines, causes, and words around traffic."""
