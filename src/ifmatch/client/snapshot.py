"""Hold a state as it was read, for somebody who edits it by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ifmatch.errors import InputError
from ifmatch.merge import parse_json

if TYPE_CHECKING:
    from ifmatch.merge import JsonValue
    from ifmatch.update import State

__all__ = ["Snapshot"]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A state as it was read, to be edited by hand and brought in with `MergeDocument` or `MergeText`.

    Attributes:
        url: of the resource.
        state: content, token and media type.
    """

    url: str
    state: State

    @property
    def value(self) -> JsonValue:
        """Return the JSON document, a new one each time.

        Raises:
            InputError: the content is no JSON.
        """
        return parse_json(self.state.octets, source=self.url)

    @property
    def document(self) -> dict[str, JsonValue]:
        """Return the JSON object, a new one each time.

        Raises:
            InputError: the content is no JSON object.
        """
        value = self.value
        if not isinstance(value, dict):
            raise InputError("the content is no JSON object", source=self.url, advice="Use value instead")
        return value

    @property
    def text(self) -> str:
        """Return the content as text.

        Raises:
            InputError: it is no UTF-8.
        """
        try:
            return self.state.octets.decode()
        except UnicodeDecodeError as error:
            raise InputError("the content is no UTF-8", source=self.url, offset=error.start) from error
