"""Merge three states of a document, apply patches, keep JSON as it was written; pure.

`merge_json` and `merge_text` take a base and two descendants and either combine them or list the conflicts as
data. Neither loses anything of either side silently.
"""

from __future__ import annotations

from ifmatch.merge.conflict import MISSING, Conflict, MergeConflictError, Merged, Missing
from ifmatch.merge.json_patch import PatchError, apply_json_patch, apply_merge_patch, make_merge_patch
from ifmatch.merge.json_text import JsonValue, SpelledFloat, parse_json, write_json
from ifmatch.merge.pointer import format_pointer, parse_pointer, resolve_pointer
from ifmatch.merge.policy import VALUE, Policies
from ifmatch.merge.text import TextConflict, TextMerge, merge_text
from ifmatch.merge.three_way import merge_json

__all__ = [
    "MISSING",
    "VALUE",
    "Conflict",
    "JsonValue",
    "MergeConflictError",
    "Merged",
    "Missing",
    "PatchError",
    "Policies",
    "SpelledFloat",
    "TextConflict",
    "TextMerge",
    "apply_json_patch",
    "apply_merge_patch",
    "format_pointer",
    "make_merge_patch",
    "merge_json",
    "merge_text",
    "parse_json",
    "parse_pointer",
    "resolve_pointer",
    "write_json",
]
