"""Every format on every sample: golden files, and what must hold of all of them."""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
import unicodedata
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from ifmatch.model.diagnosis import Diagnosis
from ifmatch.report import FORMATS, SCHEMAS, render, schema
from ifmatch.report.layout import columns
from tests.report.samples import HAR, NASTY, SAMPLES, URL

OWN_FORMATS = FORMATS
ENDINGS = {"text": "txt", "markdown": "md", "json": "json", "html": "html"}


@pytest.mark.parametrize(("sample", "name"), list(itertools.product(SAMPLES, ENDINGS)))
def test_golden(sample, name, golden):
    golden(f"{sample}.{ENDINGS[name]}", render(SAMPLES[sample](), name))


@pytest.mark.parametrize(("sample", "name"), list(itertools.product(SAMPLES, OWN_FORMATS)))
def test_no_control_or_invisible_character_comes_through(sample, name):
    output = render(SAMPLES[sample](), name)
    harmful = {c for c in output if c != "\n" and unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}}
    assert harmful == set()
    assert output.endswith("\n")
    output.encode()


@pytest.mark.parametrize("name", OWN_FORMATS)
def test_an_empty_diagnosis_renders(name):
    assert render(Diagnosis(), name)


def test_unknown_names_say_what_there_is():
    with pytest.raises(ValueError, match="text, markdown, json, html, sarif, junit"):
        render(Diagnosis(), "pdf")
    with pytest.raises(ValueError, match="diagnosis"):
        schema("audit")


# --- text


@pytest.mark.parametrize(("sample", "width"), list(itertools.product(SAMPLES, (40, 60, 80, 120))))
def test_lines_keep_to_the_width_but_for_commands_and_urls(sample, width):
    for line in render(SAMPLES[sample](), "text", width=width).splitlines():
        is_command = re.match(r"\s*(run|verify): ", line) or line.startswith(" " * 9)
        assert columns(line) <= width or "://" in line or is_command, line


def test_commands_are_not_wrapped():
    command = SAMPLES["refused"]().incidents[0].findings[0].fixes[0].command
    assert f"run: {command}\n" in render(SAMPLES["refused"](), "text", width=40)


def test_colour_only_when_asked_for_and_only_our_own_sequences():
    plain = render(SAMPLES["hostile"](), "text")
    coloured = render(SAMPLES["hostile"](), "text", colour=True)
    assert "\x1b" not in plain
    assert "\x1b[1;33m" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == plain


def test_the_verdict_comes_first():
    first = render(SAMPLES["refused"](), "text").splitlines()[0]
    assert "refused" in first
    assert "Somebody else changed it first" in first


def test_incidents_of_the_same_cause_are_one_line_each():
    text = render(SAMPLES["several"](), "text", width=200)
    assert "Same cause, 2 further incidents" in text
    assert len([line for line in text.splitlines() if f"{URL}/ben" in line]) == 1
    assert text.count("The edge appended -gzip to every tag.") == 1


@pytest.mark.parametrize("link", ["1", "2", "none such"])
def test_a_broken_link_hides_no_incident(link):
    diagnosis = SAMPLES["several"]()
    import dataclasses

    one, two = diagnosis.incidents[:2]
    one = dataclasses.replace(one, same_cause_as="2")
    two = dataclasses.replace(two, same_cause_as=link)
    text = render(Diagnosis(incidents=(one, two)), "text")
    assert "1. PUT" in text or "\n1. " in f"\n{text}"
    assert "2. PUT" in text or "\n2. " in f"\n{text}"


def test_nothing_found_says_what_was_checked():
    text = render(SAMPLES["nothing"](), "text")
    assert text.startswith("No incident.\n")
    assert "Checked 15 exchanges in 2 sources" in text


def test_evidence_carries_its_place_and_sign():
    text = render(SAMPLES["refused"](), "text", width=200)
    assert re.search(r"\+ The read gave .* \[bug\.har entry 1, ETag\]", text)
    assert re.search(r"- The content that Ann sent .* \[bug\.har entry 3\]", text)
    assert "[client.log line 17, ETag]" in render(SAMPLES["undecided"](), "text", width=200)


def test_sources_tell_vantage_node_clock_and_warnings():
    text = render(SAMPLES["undecided"](), "text", width=200)
    assert "seen at upstream, node node-2, clock -1250 ms" in text
    assert "warning: line 88, octet 4096: the file ends early" in text


# --- markdown


def test_markdown_leaves_no_wire_markup_active():
    output = render(SAMPLES["hostile"](), "markdown")
    outside, fence = [], ""
    for line in output.splitlines():
        ticks = re.match(r"\s*(`{3,})(sh)?$", line)
        if ticks and not fence:
            fence = ticks.group(1)
        elif fence and line.strip() == fence:
            fence = ""
        elif not fence:
            outside.append(re.sub(r"(?<![\\`])(`+)(?!`).+?(?<!`)\1(?!`)", "", line))
    assert not fence
    text = "\n".join(outside)
    assert not re.search(r"(?<!\\)<", text)
    assert not re.search(r"(?<!\\)!\[|(?<!\\)\]\(", text)
    assert not re.search(r"(?<!\\)://", text)
    assert not re.search(r"(?<!\\)`", text)


@pytest.mark.parametrize("sample", ["refused", "undecided", "several", "nothing"])
def test_markdown_is_about_a_screen(sample):
    assert len(render(SAMPLES[sample](), "markdown").splitlines()) <= 70


# --- json


@pytest.mark.parametrize("sample", SAMPLES)
def test_json_follows_its_schema(sample):
    rules = json.loads(schema("diagnosis"))
    jsonschema.Draft202012Validator.check_schema(rules)
    jsonschema.validate(json.loads(render(SAMPLES[sample](), "json")), rules, jsonschema.Draft202012Validator)


def test_the_schema_refuses_what_the_contract_does_not_allow():
    rules = json.loads(schema("diagnosis"))
    report = json.loads(render(SAMPLES["refused"](), "json"))
    for path, value in (
        (("outcome",), "fine"),
        (("at",), "yesterday"),
        (("findings", 0, "likelihood"), 1.5),
        (("findings", 0, "evidence", 0, "entry"), "1"),
        (("next_probe",), {}),
    ):
        broken = json.loads(json.dumps(report))
        target = broken["incidents"][0]
        for step in path[:-1]:
            target = target[step]
        target[path[-1]] = value
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(broken, rules, jsonschema.Draft202012Validator)
    report["added"] = report["incidents"][0]["added"] = True
    jsonschema.validate(report, rules, jsonschema.Draft202012Validator)


def test_json_members_of_the_contract():
    report = json.loads(render(SAMPLES["refused"](), "json"))
    incident = report["incidents"][0]
    assert report["schema"] == "ifmatch.diagnosis/1"
    assert incident["at"] == "2026-03-10T09:14:11.003Z"
    assert incident["exchange"] == {"source": HAR, "entry": 3, "line": None}
    assert incident["attempts"][1] == {"source": HAR, "entry": 5, "line": None, "status": None, "at": None}
    assert incident["findings"][0]["evidence"][0]["field"] == "ETag"
    assert incident["findings"][0]["evidence"][2]["field"] is None
    assert incident["findings"][0]["fixes"][1]["command"] is None
    assert incident["explained_away"][0]["by"] == "other-writer"
    assert incident["next_probe"] is None
    assert incident["timeline"]["events"][2]["token_from"]["entry"] == 1
    assert report["benign"][0]["entry"] == 9
    assert report["advice"][0]["cause"] == "unguarded-write"


def test_json_keeps_wire_data_exactly():
    report = json.loads(render(SAMPLES["hostile"](), "json"))
    assert report["incidents"][0]["resource"] == URL + NASTY


def test_json_keeps_half_of_a_surrogate_pair():
    nothing = SAMPLES["nothing"]()
    half = dataclasses.replace(nothing, sources=(dataclasses.replace(nothing.sources[0], name="a\ud800"),))
    text = render(half, "json")
    assert json.loads(text)["sources"][0]["name"] == "a\ud800"
    assert text == json.dumps(json.loads(text), indent=2) + "\n"


def test_the_named_schemas_exist():
    for name in SCHEMAS:
        assert json.loads(schema(name))["$schema"] == "https://json-schema.org/draft/2020-12/schema"


# --- sarif and junit


def test_sarif_names_rule_level_and_place():
    run = json.loads(render(SAMPLES["several"](), "sarif"))["runs"][0]
    results = run["results"]
    assert [result["level"] for result in results] == ["error", "error", "error", "error", "note"]
    for result in results:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    location = results[0]["locations"][0]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == HAR
    assert location["logicalLocations"][0]["name"] == "entry/4"
    undecided = json.loads(render(SAMPLES["undecided"](), "sarif"))["runs"][0]["results"][0]
    assert undecided["level"] == "warning"
    assert undecided["locations"][0]["physicalLocation"]["region"] == {"startLine": 52}


def test_sarif_uris_are_uri_references():
    run = json.loads(render(SAMPLES["hostile"](), "sarif"))["runs"][0]
    assert all(re.fullmatch(r"[A-Za-z0-9%/._~-]+", item["location"]["uri"]) for item in run["artifacts"])


@pytest.mark.parametrize("sample", SAMPLES)
def test_junit_counts_what_it_holds(sample):
    diagnosis = SAMPLES[sample]()
    root = ET.fromstring(render(diagnosis, "junit").encode())  # noqa: S314 - written by ourselves
    cases = root.findall("./testsuite/testcase")
    assert len(cases) == len(diagnosis.incidents) + len(diagnosis.benign) + len(diagnosis.sources)
    failures = root.findall("./testsuite/testcase/failure")
    assert len(failures) == sum(incident.outcome.value != "recovered" for incident in diagnosis.incidents)
    assert root.get("tests") == str(len(cases))
    assert root.get("failures") == str(len(failures))


def test_many_benign_answers_of_one_kind_take_one_line():
    from ifmatch.model.diagnosis import Benign
    from ifmatch.model.exchange import Provenance

    benign = tuple(Benign(Provenance(HAR, number), 412, "created before") for number in range(2000))
    for name in ("text", "markdown"):
        output = render(Diagnosis(benign=benign), name)
        assert output.count("created before") == 1
        assert "and 1995 more" in " ".join(output.split())
    assert len(json.loads(render(Diagnosis(benign=benign), "json"))["benign"]) == 2000
