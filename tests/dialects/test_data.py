"""The data as a whole: well formed, quick to load, quick to search, never in the way of `import ifmatch`."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import time

import pytest
from dialect_cases import cases, exchange_of
from hypothesis import given, settings
from hypothesis import strategies as st

from ifmatch.dialects import (
    View,
    all_dialects,
    built_in,
    check,
    dialect,
    guards_in,
    parse_checked,
    recognise_all,
    recognise_views,
    refusal_in,
    registry,
    resource_in,
    tokens_in,
)
from ifmatch.dialects.grammar import EXAMPLES, fits
from ifmatch.dialects.recognition import pattern
from ifmatch.dialects.record import Grammar, MarkPlace
from ifmatch.dialects.registry import text_of
from ifmatch.errors import InputError

FAMILIES = {one.id: one for one in built_in()}


@pytest.mark.parametrize("name", FAMILIES)
def test_file_is_well_formed(name) -> None:
    assert list(check(FAMILIES[name])) == []
    assert parse_checked(text_of(FAMILIES[name]), name) == FAMILIES[name]


@pytest.mark.parametrize("name", FAMILIES)
def test_says_what_a_reader_needs(name) -> None:
    one = FAMILIES[name]
    assert one.source
    assert one.fresh_token or one.extends
    assert one.missing
    assert (
        one.error_carries_token == any(signal.current for signal in one.signals)
        or not one.error_carries_token
    )


def test_ids_that_others_name_are_there() -> None:
    named = {
        other
        for one in FAMILIES.values()
        for other in (*one.more_special_than, *([one.extends] if one.extends else []))
    }
    assert named <= set(FAMILIES)


@pytest.mark.parametrize("grammar", [one for one in Grammar if one is not Grammar.LOOSE_TAG])
def test_examples_fit_their_grammar(grammar) -> None:
    assert fits(EXAMPLES[grammar], grammar)
    assert not fits("undefined", grammar)
    assert not fits("", grammar)


def test_a_host_alone_is_never_enough() -> None:
    for one in FAMILIES.values():
        assert sum(mark.weight for mark in one.marks if mark.at is MarkPlace.HOST) < 1.0


def test_loading_is_quick_and_not_part_of_the_package() -> None:
    program = (
        "import sys, time; import ifmatch; assert not [m for m in sys.modules if 'dialects' in m];"
        "import ifmatch.dialects.registry as r; t = time.process_time(); r.all_dialects();"
        "print(time.process_time() - t)"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert float(done.stdout) < 0.2  # 0.03 on a quiet machine


def test_no_pattern_runs_away() -> None:
    """Each pattern of the data is searched in long texts made to mislead: a whole second is far too long."""
    texts = (
        "a" * 20_000,
        "version " * 2_500,
        '"etag": "' * 2_200,
        "<ETag>" * 3_000,
        "( " * 9_000,
        "/x" * 9_000,
    )
    patterns = {
        text
        for one in all_dialects()
        for text in (
            *(mark.matches for mark in one.marks),
            *(signal.matches for signal in one.signals),
            *(signal.current for signal in one.signals),
            *(place.name for place in one.tokens if place.at == "text"),
            *(rule.path for rule in one.same_resource),
        )
        if text
    }
    slow = []
    for expression in patterns:
        begun = time.process_time()
        for text in texts:
            pattern(expression).search(text)
        if time.process_time() - begun > 1.0:
            slow.append(expression)
    assert slow == []


_REQUESTS = st.builds(
    "{} http://h.example.test/{}\n{}: {}\n\n{}".format,
    st.sampled_from(["GET", "PUT", "POST", "MOVE", "LOCK"]),
    st.text("abc/?=&%:1$", max_size=30),
    st.sampled_from(["If-Match", "If", "X-Contentful-Version", "Content-Type", "x-ms-lease-id"]),
    st.text('a1"W/*,()<>[]=:{}\\ ', max_size=30),
    st.sampled_from(
        ["", "{", '{"version": {}}', '{"metadata": []}', "[[[]]]", "false", '{"compare": [1, {"x": null}]}']
    ),
)


@settings(max_examples=60, deadline=None)
@given(
    _REQUESTS,
    st.integers(100, 599),
    st.sampled_from(["", "{}", "[]", '{"items": [{}]}', "false", "<Error>", "\x00"]),
)
def test_nothing_on_the_wire_raises(request, status, body) -> None:
    exchange = exchange_of(request, f"{status}\nETag: x\n\n{body}")
    view = View(exchange.request, exchange.response)
    for one in all_dialects():
        guards_in(view, one)
        tokens_in(view, one)
        refusal_in(view, one)
        resource_in(view, one)
    recognise_all([view])


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(4)))
def test_the_order_of_exchanges_and_the_spelling_of_names_change_nothing(order) -> None:
    known = [one for one in cases() if one.recognised == one.family][:200:50]
    views = [View(one.exchange.request, one.exchange.response) for one in known]
    shuffled = [views[number] for number in order]
    assert {one.dialect.id for one in recognise_all(views)} == {
        one.dialect.id for one in recognise_all(shuffled)
    }


def test_several_exchanges_of_one_service_add_up() -> None:
    """Marks that no exchange shows together are enough together."""
    first = exchange_of('PUT http://shop.example.test/carts/1\n\n{"actions": [{"action": "x"}]}', "200")
    second = exchange_of('PUT http://shop.example.test/carts/1\n\n{"version": 3}', "200")
    assert recognise_views([View(first.request, first.response)]) is None
    both = [View(one.request, one.response) for one in (first, second)]
    found = recognise_views(both)
    assert found is not None
    assert found.dialect.id == "commercetools"
    assert [seen.text for seen in found.evidence] == [
        "request body /actions/*/action",
        "request body /version",
    ]


def test_extended_families_hold_what_they_take_over() -> None:
    caldav = dialect("caldav-carddav")
    assert caldav is not None
    assert {"If-Match", "If", "If-Schedule-Tag-Match"} <= {guard.name for guard in caldav.guards}
    assert "webdav" in caldav.more_special_than


@pytest.fixture
def package(monkeypatch, tmp_path):
    """A distribution with entry points, and the registry as it sees it."""

    def install(entries: str, module: str) -> None:
        folder = tmp_path / "mine-1.0.dist-info"
        folder.mkdir(exist_ok=True)
        (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text(f"[ifmatch.dialects]\n{entries}\n")
        (tmp_path / "my_dialects.py").write_text(module)
        sys.modules.pop("my_dialects", None)
        importlib.invalidate_caches()
        registry.installed.cache_clear()
        registry.all_dialects.cache_clear()

    monkeypatch.syspath_prepend(tmp_path)
    yield install
    monkeypatch.undo()
    sys.modules.pop("my_dialects", None)
    registry.installed.cache_clear()
    registry.all_dialects.cache_clear()


def test_packages_offer_dialects_by_an_entry_point(package, tmp_path) -> None:
    """An entry point names a path, a dialect, or a function that returns several."""
    path = tmp_path / "mine.toml"
    path.write_text(text_of(FAMILIES["box"]).replace('id = "box"', 'id = "mine"'))
    package(
        "one = my_dialects:PATH\ntwo = my_dialects:ours",
        "from ifmatch.dialects import dialect\nfrom msgspec.structs import replace\n"
        "from ifmatch.dialects.registry import built_in\n"
        f"PATH = {str(path)!r}\n"
        "def ours():\n"
        "    return [replace(one, name='Our Kinto') for one in built_in() if one.id == 'kinto']\n",
    )
    names = {one.id: one.name for one in registry.all_dialects()}
    assert names["mine"] == "Box"
    assert names["kinto"] == "Our Kinto"
    assert json.loads(text_of(dialect("kinto")))["name"] == "Our Kinto"


@pytest.mark.parametrize(
    ("module", "told"),
    [
        ("ours = 7", "gives int"),
        ("raise RuntimeError('no')", "cannot be loaded: RuntimeError"),
        ("", "cannot be loaded"),
    ],
)
def test_a_broken_entry_point_is_said_with_its_name(package, module, told) -> None:
    package("one = my_dialects:ours", module)
    with pytest.raises(InputError, match=told) as caught:
        registry.installed()
    assert "entry point one of ifmatch.dialects" in str(caught.value)


def test_a_family_that_extends_itself_is_refused() -> None:
    text = text_of(FAMILIES["box"]).replace('id = "box"', 'id = "box"\nextends = "box"')
    with pytest.raises(InputError, match="is no other dialect"):
        registry.extended([parse_checked(text, "box.toml")])
