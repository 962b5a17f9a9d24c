"""Read `ifmatch.toml` and baselines: which incidents a project expects, and from which level on it fails.

```toml
fail-on = "medium"
baseline = "ifmatch-baseline.json"

[[suppress]]
cause = "other-writer"
url = "https://api.example.test/locks/*"
until = 2027-01-31
reason = "two workers race for the lock; ticket 123"
```
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from ifmatch.cli.selection import url_matches
from ifmatch.errors import InputError
from ifmatch.model.catalogue import causes
from ifmatch.model.diagnosis import Suppression

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ifmatch.model.diagnosis import Diagnosis, Incident

__all__ = ["FAIL_ON", "NAME", "Configuration", "baseline_of", "find", "read_configuration", "read_project"]

NAME: Final = "ifmatch.toml"
FAIL_ON: Final = ("none", "low", "medium", "high", "undecided")
_SCHEMA: Final = "ifmatch.baseline/1"
_KEYS: Final = frozenset({"fail-on", "baseline", "suppress"})
_RULE_KEYS: Final = frozenset({"cause", "url", "until", "reason"})


@dataclass(frozen=True, slots=True)
class Rule:
    """One `[[suppress]]` table.

    Attributes:
        cause: id of the first finding's cause, "" for any.
        url: glob for the resource, "" for any.
        until: the last day on which it holds, None for no end.
        reason: for readers.
    """

    cause: str
    url: str
    until: date | None
    reason: str

    def fits(self, incident: Incident) -> bool:
        """Tell whether an incident is meant, whatever the day."""
        first = incident.findings[0].cause if incident.findings else "undecided"
        return self.cause in {"", first} and (not self.url or url_matches(incident.resource, self.url))


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a project declared.

    Attributes:
        name: of the file, "" when there is none.
        fail_on: level, "" when it is not set.
        rules: in the order of the file; the first that fits counts.
        baseline: path of the baseline, None when there is none.
        known: fingerprints of the baseline.
    """

    name: str = ""
    fail_on: str = ""
    rules: tuple[Rule, ...] = ()
    baseline: Path | None = None
    known: frozenset[str] = frozenset()

    def apply(self, diagnosis: Diagnosis, today: date) -> tuple[Diagnosis, list[str]]:
        """Mark the incidents that are expected.

        Args:
            diagnosis: redacted, so that fingerprints hold no secret.
            today: rules whose last day is over do not count.

        Returns:
            The diagnosis, and warnings: one for each rule that would have fitted but is over.
        """
        warnings: dict[str, None] = {}
        marked: list[Incident] = []
        for incident in diagnosis.incidents:
            suppression, over = self._of(incident, today)
            if over is not None and suppression is None:
                warnings[
                    f"{self.name}: the suppression of {over.cause or 'any cause'} at {over.url or 'any URL'} "
                    f"ended on {over.until} ({over.reason}); renew it or mend the cause"
                ] = None
            marked.append(replace(incident, suppressed=suppression))
        return replace(diagnosis, incidents=tuple(marked)), list(warnings)

    def _of(self, incident: Incident, today: date) -> tuple[Suppression | None, Rule | None]:
        over: Rule | None = None
        for rule in self.rules:
            if not rule.fits(incident):
                continue
            if rule.until is None or today <= rule.until:
                return Suppression(rule.reason, self.name, rule.until), None
            over = over or rule
        if incident.fingerprint in self.known and self.baseline is not None:
            return Suppression("known since the baseline was written", self.baseline.name), None
        return None, over


def find(folder: Path) -> Path | None:
    """Return the `ifmatch.toml` of a folder or the nearest one above, None when there is none."""
    for candidate in (folder, *folder.parents):
        if (candidate / NAME).is_file():
            return candidate / NAME
        if (candidate / ".git").exists():  # what lies above belongs to another project
            return None
    return None


def read_configuration(path: Path) -> Configuration:
    """Read a configuration and the baseline that it names.

    Args:
        path: of the file; the baseline's path counts from its folder.

    Raises:
        InputError: names the key and what was expected.
    """
    import tomllib

    source = str(path)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", source=source) from None
    except UnicodeDecodeError as error:
        raise InputError("is not UTF-8", source=source, offset=error.start) from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"is no TOML: {error}", source=source) from None
    _refuse_unknown(table, _KEYS, "", source)
    fail_on = _text(table, "fail-on", source)
    if fail_on and fail_on not in FAIL_ON:
        raise InputError(f"key fail-on: {fail_on!r} is no level", source=source, expected=", ".join(FAIL_ON))
    rules = _tables(table, source)
    found = Configuration(path.name, fail_on, tuple(_rule(*one, source) for one in enumerate(rules)))
    name = _text(table, "baseline", source)
    if not name:
        return found
    baseline = path.parent / name
    return replace(found, baseline=baseline, known=read_baseline(baseline))


def read_project(config: str | None, baseline: str | None) -> Configuration:
    """Return what the project declares.

    Args:
        config: path of the configuration; None to look for it here and upwards, `none` for none.
        baseline: path of a baseline that replaces the one of the configuration; None when not given.

    Raises:
        InputError: when a file cannot be read.
    """
    path = find(Path.cwd()) if config is None else None if config == "none" else Path(config)
    found = Configuration() if path is None else read_configuration(path)
    if baseline is None:
        return found
    return replace(found, baseline=Path(baseline), known=read_baseline(Path(baseline)))


def _tables(table: Mapping[str, object], source: str) -> list[Mapping[str, object]]:
    rules = table.get("suppress", [])
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in cast("list[object]", rules)):
        raise InputError("key suppress: is no list of tables", source=source, expected="[[suppress]]")
    return cast("list[Mapping[str, object]]", rules)


def _rule(number: int, table: Mapping[str, object], source: str) -> Rule:
    where = f"suppress[{number}]."
    _refuse_unknown(table, _RULE_KEYS, where, source)
    cause, url = (_text(table, key, source, where) for key in ("cause", "url"))
    for key in ("cause", "url"):
        if key in table and not table[key]:
            # A template that was not filled in must not suppress everything.
            raise InputError(f"key {where}{key}: is empty", source=source, expected="left out, or a value")
    if not cause and not url:
        raise InputError(
            f"key {where}cause: is missing, and url too", source=source, expected="at least one of them"
        )
    if cause and cause != "undecided" and cause not in causes():
        raise InputError(
            f"key {where}cause: {cause!r} is no cause", source=source, advice="The list: ifmatch explain"
        )
    reason = _text(table, "reason", source, where)
    if not reason:
        raise InputError(f"key {where}reason: is missing", source=source, expected="why it is expected")
    until = table.get("until")
    if isinstance(until, datetime):
        until = until.date()
    if until is not None and not isinstance(until, date):
        raise InputError(
            f"key {where}until: {until!r} is no date",
            source=source,
            expected="a day such as 2027-01-31, without quotes",
        )
    return Rule(cause, url, until, reason)


def _refuse_unknown(table: Mapping[str, object], known: frozenset[str], where: str, source: str) -> None:
    for key in table:
        if key not in known:
            raise InputError(
                f"key {where}{key}: is unknown", source=source, expected=", ".join(sorted(known))
            )


def _text(table: Mapping[str, object], key: str, source: str, where: str = "") -> str:
    value = table.get(key, "")
    if not isinstance(value, str):
        raise InputError(f"key {where}{key}: {value!r} is no text", source=source, expected='"..."')
    return value


def read_baseline(path: Path) -> frozenset[str]:
    """Return the fingerprints of a baseline.

    Args:
        path: of a file that `baseline_of` wrote.

    Raises:
        InputError: when it is none.
    """
    advice = "Write it anew: ifmatch diagnose SOURCE... --write-baseline FILE"
    try:
        record: object = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"cannot be read: {error.strerror or error}", source=str(path), advice=advice
        ) from None
    except ValueError as error:
        raise InputError(f"is no baseline: {error}", source=str(path), advice=advice) from None
    members = cast("dict[str, object]", record) if isinstance(record, dict) else {}
    rows = members.get("incidents")
    if members.get("schema") != _SCHEMA or not isinstance(rows, list):
        raise InputError("is no baseline", source=str(path), expected=_SCHEMA, advice=advice)
    known = (cast("dict[str, object]", row).get("fingerprint") for row in cast("list[object]", rows))
    return frozenset(mark for mark in known if isinstance(mark, str))


def baseline_of(diagnosis: Diagnosis) -> str:
    """Return a baseline as text: what is there now fails nothing later.

    Args:
        diagnosis: redacted, so that the file can be committed.
    """
    rows = {
        incident.fingerprint: {
            "fingerprint": incident.fingerprint,
            "cause": incident.findings[0].cause if incident.findings else "undecided",
            "method": incident.method,
            "resource": incident.resource,
            "outcome": incident.outcome.value,
        }
        for incident in diagnosis.incidents
    }
    ordered = sorted(rows.values(), key=lambda row: (row["resource"], row["method"], row["cause"]))
    return json.dumps({"schema": _SCHEMA, "incidents": ordered}, indent=2, ensure_ascii=True) + "\n"
