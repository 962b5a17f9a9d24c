"""Print the JSON Schema of a report: `ifmatch schema`."""

from __future__ import annotations

import click

from ifmatch.report import SCHEMAS, schema

__all__ = ["command"]


@click.command("schema", short_help="Print the JSON Schema of a report.")
@click.argument("report", type=click.Choice(tuple(SCHEMAS)), metavar="REPORT")
def command(report: str) -> None:
    r"""Print the JSON Schema that a JSON report keeps to; REPORT is `diagnosis`.

    \b
    ifmatch schema diagnosis > diagnosis.schema.json

    Within version 1, members may be added, never removed or given another meaning.
    """
    click.echo(schema(report), nl=False)
