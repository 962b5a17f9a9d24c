"""Frozen records that the other layers pass around; nothing here computes a diagnosis."""
