"""Texts as people keep them: what mail, pages, collectors and recognition put around lines is undone."""
