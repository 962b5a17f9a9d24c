"""Writes that did damage without a refusal: lost updates, conditions that nobody heeded."""
