"""Name what can go wrong, by who can act on it.

```
IfmatchError                     the base: `except IfmatchError` catches everything this package raises
├─ InputError                    who gave the input: a file, a command line or a field cannot be read
├─ MissingExtraError             who installed: a feature needs an extra that is not there
├─ TargetUnreachableError        who runs the service or the network: no answer came
│  └─ ConsentMissingError        who sits at the keyboard: something needs a yes that was not given
├─ BudgetSpentError              who set the limits: requests or time of a live run are spent
└─ StoreUnavailableError         who runs the database: a store of versions cannot be asked
```

Data of the wire raises nothing: it becomes `ifmatch.core.malformed.Malformed`. A wrong argument to a
function of the Python interface raises `ValueError` or `TypeError`, as usual.
"""

from __future__ import annotations

__all__ = [
    "BudgetSpentError",
    "ConsentMissingError",
    "IfmatchError",
    "InputError",
    "MissingExtraError",
    "StoreUnavailableError",
    "TargetUnreachableError",
]


class IfmatchError(Exception):
    """Stand at the root of all exceptions of this package."""

    def __reduce__(self) -> tuple[object, ...]:
        # The default would call `__init__` with what it gave to its base: an error that cannot be unpickled
        # breaks the pool of processes that it comes from.
        return (_rebuild, (type(self), self.args, dict(vars(self))))


class InputError(IfmatchError):
    """Say that input cannot be read: what, where, what was expected, what to do.

    Args:
        text: what is wrong, one sentence without a full stop.
        source: name of the file, "-" for standard input, or the name of the argument.
        offset: octet offset in the source, 0-based; None when it has none.
        line: line in the source, 1-based; None when it has none.
        expected: what would have been right there; "" when that says nothing more.
        advice: what the reader of the message can do; "" when that says nothing more.
    """

    def __init__(
        self,
        text: str,
        *,
        source: str,
        offset: int | None = None,
        line: int | None = None,
        expected: str = "",
        advice: str = "",
    ) -> None:
        super().__init__(text)
        self.text = text
        self.source = source
        self.offset = offset
        self.line = line
        self.expected = expected
        self.advice = advice

    def __str__(self) -> str:
        where = self.source
        if self.line is not None:
            where += f", line {self.line}"
        if self.offset is not None:
            where += f", octet {self.offset}"
        message = f"{where}: {self.text}."
        if self.expected:
            message += f" Expected: {self.expected}."
        if self.advice:
            message += f" {self.advice.rstrip('.')}."
        return message

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments do not survive the default pickling of exceptions.
        return (_rebuild, (type(self), (self.text,), dict(vars(self))))


class MissingExtraError(IfmatchError):
    """Say that a feature needs an optional dependency, with the line that installs it.

    Args:
        extra: name of the extra, as in `pip install 'ifmatch[extra]'`.
        feature: what needs it, in words or as a command.
    """

    def __init__(self, extra: str, feature: str) -> None:
        super().__init__(extra, feature)
        self.extra = extra
        self.feature = feature

    @property
    def install_command(self) -> str:
        """Return the command line that installs the extra."""
        return f"pip install 'ifmatch[{self.extra}]'"

    def __str__(self) -> str:
        return f"{self.feature} needs the extra {self.extra!r}. Install it: {self.install_command}"


class TargetUnreachableError(IfmatchError):
    """Say that no answer came from a server, and at which step it failed.

    Args:
        text: what was seen, one sentence without a full stop.
        target: the URL or `host:port` that was tried; "" when unknown.
        advice: what the reader of the message can do; "" when that says nothing more.
    """

    def __init__(self, text: str, *, target: str = "", advice: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.target = target
        self.advice = advice

    def __str__(self) -> str:
        message = f"{self.target}: {self.text}." if self.target else f"{self.text}."
        return f"{message} {self.advice.rstrip('.')}." if self.advice else message

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), (self.text,), dict(vars(self))))


class ConsentMissingError(TargetUnreachableError):
    """Say that something is not done without consent, and which option gives it; arguments as its base."""


class BudgetSpentError(IfmatchError):
    """Say that the requests or the time of a live run are spent."""


class StoreUnavailableError(IfmatchError):
    """Say that a store of versions cannot be asked.

    Args:
        text: what was seen, one sentence without a full stop.
        store: which store, without credentials; "" when unknown.
        outcome_unknown: True when a write may have happened all the same.
        advice: what the reader of the message can do; "" when that says nothing more.
    """

    def __init__(
        self, text: str, *, store: str = "", outcome_unknown: bool = False, advice: str = ""
    ) -> None:
        super().__init__(text)
        self.text = text
        self.store = store
        self.outcome_unknown = outcome_unknown
        self.advice = advice

    def __str__(self) -> str:
        # A library's own words may end in a full stop.
        said = self.text.rstrip(".")
        message = f"{self.store}: {said}." if self.store else f"{said}."
        return f"{message} {self.advice.rstrip('.')}." if self.advice else message

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), (self.text,), dict(vars(self))))


def _rebuild(
    kind: type[IfmatchError], arguments: tuple[object, ...], attributes: dict[str, object]
) -> IfmatchError:
    error = kind.__new__(kind, *arguments)
    error.args = arguments
    vars(error).update(attributes)
    return error
