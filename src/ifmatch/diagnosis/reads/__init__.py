"""Reads that went wrong, or were wasted, without a refusal."""
