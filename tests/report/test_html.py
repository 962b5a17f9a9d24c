"""The page: sound markup whatever the capture holds, links that lead somewhere, nothing that acts."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from html.parser import HTMLParser

import pytest

from ifmatch.model.exchange import Provenance
from ifmatch.model.timeline import EventKind, Timeline, TimelineEvent, Version
from ifmatch.report import render
from ifmatch.report.picture import MOST, picture_of
from tests.report.samples import SAMPLES

VOID = {"meta", "link", "path", "rect", "circle", "line"}
ELEMENTS = {
    "a", "article", "body", "circle", "code", "defs", "details", "div", "footer", "g", "h1", "h2", "h3",
    "head", "header", "html", "li", "line", "link", "main", "marker", "meta", "nav", "ol", "p", "path", "pre",
    "rect", "section", "span", "strong", "style", "summary", "svg", "table", "tbody", "td", "text", "th",
    "thead", "title", "tr", "tspan", "ul",
}  # fmt: skip


class Reader(HTMLParser):
    """Collect what a browser would build."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


@pytest.mark.parametrize("sample", SAMPLES)
def test_markup_is_balanced_and_of_known_elements_only(sample):
    reader = read(render(SAMPLES[sample](), "html"))
    assert set(reader.elements) <= ELEMENTS
    assert reader.elements["h1"] >= 1


@pytest.mark.parametrize("sample", SAMPLES)
def test_nothing_acts_and_nothing_is_loaded(sample):
    reader = read(render(SAMPLES[sample](), "html"))
    for tag, name, value in reader.attributes:
        assert not name.startswith("on"), (tag, name)
        assert name not in {"src", "srcset", "action", "formaction", "style", "background"}, (tag, name)
        if name == "href":
            assert value.startswith("#") or (tag, value) == ("link", "data:,")
    policy = next(v for t, n, v in reader.attributes if t == "meta" and v.startswith("default-src"))
    assert policy.startswith("default-src 'none'")
    assert "script" not in policy


@pytest.mark.parametrize("sample", SAMPLES)
def test_ids_are_unique_and_every_link_leads_somewhere(sample):
    reader = read(render(SAMPLES[sample](), "html"))
    ids = Counter(value for _, name, value in reader.attributes if name == "id")
    assert {value for value, count in ids.items() if count > 1} == set()
    targets = {v[1:] for t, n, v in reader.attributes if n == "href" and v.startswith("#")}
    assert targets <= set(ids)


def test_hostile_text_stands_there_as_text():
    """The same elements as the same diagnosis without the hostile text, word for word as text."""
    page = render(SAMPLES["hostile"](), "html")
    assert "<script" not in page.lower()
    assert "<img" not in page.lower()
    assert "script" in "".join(read(page).text).lower()


def test_evidence_leads_to_its_row():
    page = render(SAMPLES["refused"](), "html")
    row = re.search(r'<tr id="([^"]+)" class="this">', page)
    assert row is not None
    assert f'href="#{row.group(1)}"' in page


def test_the_verdict_comes_before_the_picture_and_the_picture_before_the_fixes():
    page = render(SAMPLES["refused"](), "html")
    assert page.index("<h1>") < page.index("<svg") < page.index("<h3>Fixes")


# --- the picture


def event(number: int, kind: EventKind = EventKind.READ, version: str = "v1", **more: str) -> TimelineEvent:
    at = Provenance("a.har", number)
    method, status = ("GET", 200) if kind is EventKind.READ else ("PUT", 412)
    return TimelineEvent(float(number), "Ann", kind, method, status, at, version=version, **more)


def test_no_version_known_gives_no_span():
    picture = picture_of(Timeline("u", ("Ann",), (Version("v1"),), (event(0, version=""),)))
    assert picture.spans == ()
    assert len(picture.marks) == 1


def test_spans_follow_each_other_without_overlap():
    events = tuple(event(number, version=f"v{number // 2 + 1}") for number in range(8))
    versions = tuple(Version(f"v{number}") for number in range(1, 5))
    spans = picture_of(Timeline("u", ("Ann",), versions, events)).spans
    assert [span.label for span in spans] == ["v1", "v2", "v3", "v4"]
    for before, after in itertools.pairwise(spans):
        assert before.x + before.width < after.x


def test_a_token_of_an_older_version_is_stale_and_a_current_one_is_not():
    events = (
        event(0),
        event(1, version="v2"),
        event(2, EventKind.REFUSED, "", token_version="v1"),
        event(3, EventKind.REFUSED, "", token_version="v2"),
    )
    marks = picture_of(Timeline("u", ("Ann",), (Version("v1"), Version("v2")), events)).marks
    assert [mark.stale for mark in marks] == [False, False, True, False]


def test_a_long_history_keeps_what_tells_and_says_how_much_was_left_out():
    events = (*(event(number) for number in range(500)), event(500, EventKind.REFUSED))
    picture = picture_of(Timeline("u", ("Ann",), (Version("v1"),), events))
    assert picture.marks[-1].kind == "refused"
    assert len(picture.marks) <= MOST
    assert picture.left_out == 501 - len(picture.marks)
