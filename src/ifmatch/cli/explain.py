"""Explain a status, a header, a cause, or answer a question, offline: `ifmatch explain`."""

from __future__ import annotations

import difflib
import json
import sys
import textwrap
from typing import TYPE_CHECKING, Final

import click

from ifmatch.cli.terminal import is_terminal, text_width
from ifmatch.cli.topics import all_topics, answer, find, names

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ifmatch.model.catalogue.topics import Topic

__all__ = ["command"]

_KINDS: Final = {
    "status": "Statuses",
    "field": "Header fields",
    "question": "Questions",
    "capture": "What makes a library or a program log its traffic",
    "code": "Code and configuration to copy",
    "cause": "Causes",
    "dialect": "Dialects",
}


@click.command("explain", short_help="Explain a status, a header, a cause, or answer a question.")
@click.argument("topics", metavar="[TOPIC]...", nargs=-1)
@click.option("--brief", is_flag=True, help="One line a topic.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
    help="Form of the answer.",
)
def command(*, topics: tuple[str, ...], brief: bool, form: str) -> None:
    r"""Explain a status, a header, a cause, or answer a question; nothing is sent anywhere.

    \b
    ifmatch explain 412
    ifmatch explain If-Match --brief
    ifmatch explain etag-weakened
    ifmatch explain dialect kubernetes
    ifmatch explain "is it safe to retry?"

    Without a TOPIC, the list of topics.
    """
    found: Sequence[Topic] = find(topics) if topics else tuple(all_topics().values())
    if not found:
        raise click.UsageError(_nothing_found(" ".join(topics)))
    width = text_width(terminal=is_terminal(sys.stdout))
    if form == "json":
        text = _as_json(found, brief=brief or not topics)
    elif not topics or topics in {("dialect",), ("dialects",)}:
        text = _listing(found, width, markdown=form == "markdown")
    elif brief:
        text = "\n".join(f"{topic.id}: {topic.brief}" for topic in found)
    elif form == "markdown":
        text = "\n".join(_as_markdown(topic) for topic in found)
    else:
        text = "\n\n".join(_as_text(topic, width) for topic in found)
    click.echo(text.encode() + b"\n", nl=False)


def _nothing_found(asked: str) -> str:
    near = [topic.id for topic in answer(asked)]
    near += difflib.get_close_matches(asked.lower(), [name.lower() for name in names()], n=5, cutoff=0.5)
    for word in asked.lower().split():
        near += [name for name in names() if len(word) > 3 and word in name.lower()][:3]
    unique = list(dict.fromkeys(near))[:6]
    nearest = f" Near: {', '.join(unique)}." if unique else ""
    return f"There is no topic {asked!r}.{nearest} All topics: ifmatch explain"


def _as_json(found: Iterable[Topic], *, brief: bool) -> str:
    records = [
        {"id": topic.id, "kind": topic.kind, "title": topic.title, "brief": topic.brief, "rfc": topic.rfc}
        | ({} if brief else {"text": _body(topic), "see": list(topic.see)})
        for topic in found
    ]
    return json.dumps({"schema": "ifmatch.topics/1", "topics": records}, ensure_ascii=False, indent=2)


def _body(topic: Topic) -> str:
    return "\n\n".join(block.strip() if not _is_command(block) else block for block in topic.blocks)


def _listing(found: Iterable[Topic], width: int, *, markdown: bool) -> str:
    lines: list[str] = []
    listed = list(found)
    for kind, heading in _KINDS.items():
        ids = [topic for topic in listed if topic.kind == kind]
        if not ids:
            continue
        if markdown:
            lines += [f"## {heading}", "", *(f"- `{topic.id}`: {topic.title}" for topic in ids), ""]
        else:
            column = max(len(topic.id) for topic in ids) + 4
            lines += [heading, *(_row(topic, column, width) for topic in ids), ""]
    lines.append("One of them: ifmatch explain TOPIC")
    lines.append("A question does too: ifmatch explain is it safe to retry")
    return "\n".join(lines)


def _row(topic: Topic, column: int, width: int) -> str:
    start = f"  {topic.id}".ljust(column)
    said = topic.title if topic.title != topic.id or topic.kind == "dialect" else topic.brief
    return _fill(said, width, initial_indent=start, subsequent_indent=" " * column)


def _fill(text: str, width: int, *, initial_indent: str = "", subsequent_indent: str = "") -> str:
    # Field names and ids stay whole: nobody finds "If-" at the end of a line.
    return textwrap.fill(
        text,
        width,
        initial_indent=initial_indent,
        subsequent_indent=subsequent_indent,
        break_on_hyphens=False,
        break_long_words=False,
    )


def _is_command(block: str) -> bool:
    return block.startswith("    ")


def _as_text(topic: Topic, width: int) -> str:
    heading = topic.title if topic.kind != "cause" else f"{topic.title} ({topic.id})"
    lines = [_fill(heading, width), "=" * min(len(heading), width), "", _fill(topic.brief, width), ""]
    for block in topic.blocks:
        if block.startswith("## "):
            lines += [block[3:], "-" * len(block[3:])]
        elif _is_command(block):
            lines += [block, ""]  # a command stays on one line, so that it can be copied
        elif block.startswith("- "):
            lines += [_fill(block, width, subsequent_indent="  "), ""]
        else:
            lines += [_fill(block.strip(), width), ""]
    if topic.rfc:
        lines += [f"Source: {topic.rfc}"]
    if topic.see:
        lines += [_fill(f"See also: {', '.join(topic.see)}", width, subsequent_indent="  ")]
    return "\n".join(_tight_bullets(lines)).rstrip()


def _tight_bullets(lines: list[str]) -> list[str]:
    # Bullets of a list stand together.
    kept: list[str] = []
    for number, line in enumerate(lines):
        after = lines[number + 1] if number + 1 < len(lines) else ""
        listed = bool(kept) and kept[-1].lstrip().startswith("-") and not kept[-1].startswith("---")
        if line == "" and listed and after.startswith(("- ", "    ")):
            continue
        kept.append(line)
    return kept


def _as_markdown(topic: Topic) -> str:
    lines = [f"# {topic.title}", "", topic.brief, ""]
    for block in topic.blocks:
        if _is_command(block):
            lines += ["```", textwrap.dedent(block), "```", ""]
        else:
            lines += [block.strip(), ""]
    if topic.rfc:
        lines += [f"Source: {topic.rfc}", ""]
    if topic.see:
        lines += [f"See also: {', '.join(f'`{name}`' for name in topic.see)}", ""]
    return "\n".join(lines).rstrip() + "\n"
