"""Read the elements of an XML document as far as it is whole."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ifmatch.capture.base.drafts import Drafts


def whole_elements(data: bytes, drafts: Drafts) -> Iterator[ET.Element]:
    """Yield each element where it ends; of a document that is cut what is whole, with a warning.

    Args:
        data: octets of the document, which declares no entities.
        drafts: takes the warning.
    """
    parser: ET.XMLPullParser[ET.Element] = ET.XMLPullParser(("end",))
    try:
        parser.feed(data)
        parser.close()
    except ET.ParseError as error:
        drafts.warn(f"the file is damaged or cut ({error}); what was whole is read")
    events = cast("Iterator[tuple[str, ET.Element]]", iter(parser.read_events()))
    while True:
        try:
            _, element = next(events)
        except (StopIteration, ET.ParseError):
            return
        yield element
