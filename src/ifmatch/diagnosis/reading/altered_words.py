"""Patterns of sentences that say that a thing was changed meanwhile, in many languages' orders of words.

They are matched against texts whose known words were put in English one by one: "seit dem Laden geändert"
is read as "since dem Laden changed".
"""

from __future__ import annotations

from typing import Final

__all__ = ["ALTERED", "NOT_CURRENT"]

_DONE: Final = r"(?:modified|changed|updated|edited|altered|saved|overwritten|deleted)"
# Words between, none of which turns the sentence round, or makes it a rule for what is to come.
_TURNS: Final = r"(?:not|no|never|none|nothing|is|are|be|must|may|can|cannot|will|shall|should|if|un\w+)\b"
_BETWEEN: Final = rf"(?:(?!{_TURNS})[\w.'-]+,?\s)"
_END: Final = r"(?=\s*(?:[.!?;\"'<]|$))"
_OTHER: Final = (
    r"(?:an ?other|a different|some other) (?:user|person|editor|author|client|session|process|writer"
    r"|program)"
    r"|some(?:one|body)(?: else)?"
)
# Who did it comes first, or the verb last, or what it came after before the word "after".
ALTERED: Final = (
    rf"\b(?:{_OTHER})\s{_BETWEEN}{{0,3}}?{_DONE}\b"
    rf"|\bsince\s{_BETWEEN}{{1,7}}?{_DONE}\b"
    rf"|\bafter\s{_BETWEEN}{{1,2}}?{_DONE}{_END}"
    rf"|\b{_DONE}\s{_BETWEEN}{{1,3}}?(?:since|after){_END}"
)
# That a version, called so, is not the one that is there.
NOT_CURRENT: Final = (
    r"\b(?:version|revision|e-?tag|edition)\b[^.\"<]{0,40}?(?:\bnot|n.t|no longer)\s(?:the\s)?"
    r"(?:that\sof\sthe\s)?(?:current|latest|newest|stored|most\srecent)\b"
)
