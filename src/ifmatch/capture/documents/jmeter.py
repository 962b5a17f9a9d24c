"""Read samples of HTTP in the results that JMeter saves as XML (`.jtl`).

Source of the format: SampleResultConverter and HTTPResultConverter of Apache JMeter 5.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ifmatch.capture.base.drafts import Draft
from ifmatch.capture.base.json_values import moment
from ifmatch.model.message import Content

if TYPE_CHECKING:
    from xml.etree import ElementTree as ET

__all__ = ["SAMPLE", "jmeter_draft"]

SAMPLE: Final = "httpSample"
_FIELD = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}): ?(.*?)\s*\Z")
_STATUS = re.compile(r"(HTTP/\d(?:\.\d)?) (\d{3})(?: (.*?))?\s*\Z")
_WITH_CONTENT: Final = frozenset({"PUT", "POST", "PATCH", "DELETE"})


def jmeter_draft(sample: ET.Element) -> Draft | None:
    """Return the exchange of a sample, None for one that only sums up those within it.

    Args:
        sample: an element `httpSample`.
    """
    url, method = (sample.findtext("java.net.URL") or "").strip(), (sample.findtext("method") or "").strip()
    if sample.find(SAMPLE) is not None or not url or not method:
        return None
    draft = Draft(method.upper(), url, framed=False)
    draft.sent = _pairs(sample.findtext("requestHeader")) or None
    draft.sent_complete = draft.sent is not None
    content = sample.findtext("queryString")
    if content and draft.method in _WITH_CONTENT:
        draft.content = Content.from_text(content)
    code = sample.get("rc", "")
    draft.status = int(code) if code.isascii() and code.isdigit() and len(code) == 3 else 0
    draft.reason = sample.get("rm", "") if draft.status else ""
    if not draft.status:
        draft.error = f"JMeter: {code}"
    shown = sample.findtext("responseHeader")
    draft.received = _pairs(shown) or None
    first = _STATUS.match((shown or "").strip().split("\n")[0])
    draft.response_version = first[1] if first is not None else ""
    data = sample.findtext("responseData")
    if data:
        draft.received_content = Content.from_text(data)
    draft.started, draft.duration = moment(sample.get("ts"), 1000), moment(sample.get("t"), 1000)
    # It gives out content without its coding.
    draft.decodes = True
    return draft


def _pairs(shown: str | None) -> list[tuple[str, str]]:
    fields = (_FIELD.match(line.strip()) for line in (shown or "").split("\n"))
    return [(found[1], found[2]) for found in fields if found is not None]
