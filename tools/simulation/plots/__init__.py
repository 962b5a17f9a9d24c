"""What happens in a case, one function a story; each returns what it did as a label."""
