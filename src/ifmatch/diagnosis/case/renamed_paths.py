"""Call resources by the paths that clients use, where a gateway gives their front another name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ifmatch.diagnosis.steps.resources import host_of, path_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifmatch.diagnosis.steps.step import Step

# So many steps at the end of two paths must be the same.
_SAME: Final = 2


def rename_paths(steps: Sequence[Step]) -> None:
    """Give resources that some clients reach behind a gateway the paths that those before it use.

    Args:
        steps: of a case, their hops set.
    """
    fronts: dict[str, set[str]] = {}
    renamed: set[int] = set()
    for step in steps:
        for hop in step.hops:
            pair = _fronts(_bare(hop.request.url), _bare(step.exchange.request.url))
            if pair is not None:
                fronts.setdefault(pair[0], set()).add(pair[1])
                renamed.add(id(step))
    # A front that stands for several is no name of one thing.
    known = {behind: next(iter(before)) for behind, before in fronts.items() if len(before) == 1}
    for step in steps if known else ():
        if id(step) in renamed or "://" not in step.resource:
            continue
        host = host_of(step.resource)
        path = step.resource[len(host) :]
        front = max((one for one in known if path.startswith(f"{one}/")), key=len, default=None)
        if front is not None and not path.startswith(f"{known[front]}/"):
            step.resource = host + known[front] + path[len(front) :]


def _bare(url: str) -> str:
    return path_of(url).partition("?")[0]


def _fronts(behind: str, before: str) -> tuple[str, str] | None:
    """Return what two paths that end alike begin with, None where they are the same or have too little."""
    if behind == before:
        return None
    one, two = behind.split("/"), before.split("/")
    same = 0
    while same < min(len(one), len(two)) and one[-1 - same] == two[-1 - same]:
        same += 1
    same = min(same, len(one) - 1, len(two) - 1)
    if same < _SAME:
        return None
    return "/".join(one[: len(one) - same]), "/".join(two[: len(two) - same])
