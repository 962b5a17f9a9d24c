from __future__ import annotations

import pytest

from ifmatch.capture.redact import Redactor
from ifmatch.capture.redaction.masks import MASKED
from ifmatch.model.diagnosis import Diagnosis, Incident, NextProbe, Outcome, Verdict
from ifmatch.model.exchange import Provenance
from ifmatch.model.finding import Difficulty, Finding, Fix, Repair, Role

COMMANDS = [
    ("curl -H 'Authorization: Bearer abcd' https://h/", 'curl -H "Authorization: $TOKEN" https://h/'),
    ('curl -H "authorization: Basic YTpi" h', 'curl -H "authorization: $TOKEN" h'),
    (
        "curl -H'X-Api-Key: 12' --header='Cookie: a=b' h",
        'curl -H"X-Api-Key: $API_KEY" --header="Cookie: $COOKIE" h',
    ),
    ("curl -u me:pw -b 'a=b; c=d' h", 'curl -u "$CREDENTIALS" -b "$COOKIE" h'),
    ("curl -b cookies.txt h", "curl -b cookies.txt h"),
    ("curl --oauth2-bearer abc h", 'curl --oauth2-bearer "$TOKEN" h'),
    ("curl -H 'X-Tenant-Key: abc' h", 'curl -H "X-Tenant-Key: $X_TENANT_KEY" h'),
    ('curl -H "Authorization: $TOKEN" h', 'curl -H "Authorization: $TOKEN" h'),
    ('curl -H "Authorization: Bearer $TOKEN" h', 'curl -H "Authorization: Bearer $TOKEN" h'),
    ('curl -H "Idempotency-Key: $(uuidgen)" h', 'curl -H "Idempotency-Key: $(uuidgen)" h'),
    (
        "curl -X PUT -H 'If-Match: \"v1\"' --data-binary @mine.json h",
        "curl -X PUT -H 'If-Match: \"v1\"' --data-binary @mine.json h",
    ),
    ("curl 'https://u:p@h/x?token=abc&page=2'", "curl 'https://M:M@h/x?token=M&page=2'"),
    ('curl -d \'{"password": "x y", "n": 1}\' h', 'curl -d \'{"password": "M", "n": 1}\' h'),
    ("curl -d 'password=x&n=1' h", "curl -d 'password=M&n=1' h"),
    (
        "curl -H 'Authorization: Bearer abcd' \\\n  -H 'Accept: */*' h",
        "curl -H \"Authorization: $TOKEN\" \\\n  -H 'Accept: */*' h",
    ),
    (
        "LC_ALL=C date -u '+%a, %d' && diff -u a.json b.json",
        "LC_ALL=C date -u '+%a, %d' && diff -u a.json b.json",
    ),
    (
        "tag=$(curl -sI -u a:b h | sed -n 's/x//p'); echo $tag",
        "tag=$(curl -sI -u \"$CREDENTIALS\" h | sed -n 's/x//p'); echo $tag",
    ),
    (
        "http -a me:pw PUT h Authorization:'Bearer abc12345'",
        "http -a \"$CREDENTIALS\" PUT h 'Authorization:Bearer M'",
    ),
    ("curl -H 'Authorization: Bearer abcd1234 h", "curl -H 'Authorization: Bearer M h"),
]


def masked(text):
    return MASKED.sub("M", text)


def diagnosis_with(command):
    fix = Fix("do", Difficulty.EASY, Role.CLIENT, Repair.ASK, command=command, verify=command)
    incident = Incident(
        "1",
        Outcome.REFUSED,
        Verdict.CAUSE,
        "https://h/",
        "PUT",
        412,
        Provenance("a", 0),
        findings=(Finding("other-writer", 0.9, "s", fixes=(fix,)),),
        next_probe=NextProbe("ask", command),
    )
    return Diagnosis(incidents=(incident,))


@pytest.mark.parametrize(("command", "shown"), COMMANDS)
def test_credentials_in_commands_become_variables(command, shown):
    one = Redactor(b"k")
    got = one.diagnosis(diagnosis_with(command)).incidents[0]
    fix = got.findings[0].fixes[0]
    assert masked(fix.command) == shown
    assert fix.verify == got.next_probe.command == fix.command
    again = one.diagnosis(diagnosis_with(fix.command)).incidents[0]
    assert again.findings[0].fixes[0].command == fix.command


def test_the_commands_of_the_catalogue_stay():
    from ifmatch.model import catalogue

    one = Redactor(b"k")
    commands = [
        text
        for cause in catalogue.causes()
        for fix in catalogue.cause(cause).fixes
        for text in (fix.command, fix.verify)
    ]
    assert sum(map(bool, commands)) > 50
    for command in filter(None, commands):
        filled = (
            command.replace("{url}", "https://h.example/things/1")
            .replace("{token}", '"v1"')
            .replace("{method}", "PUT")
        )
        got = one.diagnosis(diagnosis_with(filled)).incidents[0].findings[0].fixes[0].command
        assert got == filled
