"""What texts, contents, tokens and conditions say by themselves; knows no step."""
