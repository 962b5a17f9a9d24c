"""Check an application for what would refuse honest clients: `ifmatch check`."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ifmatch.cli.exit_status import ExitStatus
from ifmatch.cli.paths import is_file
from ifmatch.errors import InputError

if TYPE_CHECKING:
    from ifmatch.server.concerns import Concern

__all__ = ["command"]


@click.command("check", short_help="Check an application for what would refuse honest clients.")
@click.argument("application", metavar="[MODULE:APP]", required=False)
@click.option("--path", "paths", multiple=True, help="Path of a resource whose tags to look at.")
@click.option("--header", "headers", multiple=True, metavar="NAME:VALUE", help="Sent with each read.")
@click.option("--behind", multiple=True, metavar="NAME", help="What stands in front; `list` lists.")
@click.option(
    "--proxy-config",
    "configurations",
    multiple=True,
    metavar="FILE",
    help="Of what stands in front.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Form of the answer.",
)
def command(
    *,
    application: str | None,
    paths: tuple[str, ...],
    headers: tuple[str, ...],
    behind: tuple[str, ...],
    configurations: tuple[str, ...],
    form: str,
) -> int:
    """Check an application for what would refuse honest clients; it is only read from, in this process.

    \b
    ifmatch check myservice.main:app --path /notes/1
    ifmatch check myservice.main:app --path /notes/1 --behind nginx-gzip
    ifmatch check --proxy-config /etc/nginx/nginx.conf

    APP speaks ASGI or WSGI (FastAPI, Starlette, Flask, Django's application); `make()` calls a function that
    makes one. Settings of Django are checked by `manage.py check`. Exit status 1 when something refuses
    honest clients for certain.
    """  # noqa: D301 -- click wants the control character itself
    from ifmatch.server.proxies import PROXIES, concerns_behind, concerns_of_configuration

    if "list" in behind:
        click.echo("\n".join(f"{name}: {proxy.text}" for name, proxy in PROXIES.items()))
        return ExitStatus.DONE
    unknown = [name for name in behind if name not in PROXIES]
    if unknown:
        raise click.UsageError(f"--behind {unknown[0]} is not known. Known: {', '.join(PROXIES)}")
    if application is None and not behind and not configurations:
        raise click.UsageError("Name an application as module:app, --behind or --proxy-config")
    found = [] if application is None else _of_application(application, paths, headers)
    found += concerns_behind(behind)
    for name in configurations:
        found += concerns_of_configuration(_text(name), name)
    click.echo(_rendered(found, form))
    return ExitStatus.INCIDENT if any(concern.is_certain for concern in found) else ExitStatus.DONE


def _of_application(name: str, paths: tuple[str, ...], headers: tuple[str, ...]) -> list[Concern]:
    from ifmatch.server.checks import concerns_of_application

    fields = _fields(headers)
    app = _loaded(name)
    try:
        return concerns_of_application(app, paths=paths, fields=fields)
    except Exception as error:  # whatever the code of the service raises
        raise InputError(
            f"the application failed when it was asked: {type(error).__name__}: {error}",
            source=name,
            expected="an application that speaks ASGI or WSGI",
            advice="A function that makes one is called with brackets: module:make()",
        ) from error


def _loaded(name: str) -> Any:
    module, _, attribute = name.partition(":")
    if not module or not attribute:
        hint = f" For a recording: ifmatch diagnose {name}" if is_file(name) else ""
        raise click.UsageError(f"{name} is not of the form module:app, such as myservice.main:app.{hint}")
    sys.path.insert(0, str(Path.cwd()))
    try:
        loaded = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and not module.startswith(error.name):
            raise InputError(
                f"importing {module} needs {error.name}, which is not installed here",
                source=name,
                advice="Run ifmatch in the environment of the service",
            ) from None
        raise InputError(
            f"there is no module {module}", source=name, advice="Run it where the service is started from"
        ) from None
    try:
        found = getattr(loaded, attribute.removesuffix("()"))
    except AttributeError:
        raise InputError(f"module {module} has no {attribute}", source=name) from None
    return found() if attribute.endswith("()") else found


def _fields(headers: tuple[str, ...]) -> dict[str, str]:
    pairs = [header.partition(":") for header in headers]
    for name, colon, _ in pairs:
        if not colon:
            raise click.UsageError(f"--header {name} is not of the form NAME:VALUE")
    return {name.strip(): value.strip() for name, _, value in pairs}


def _text(name: str) -> str:
    try:
        return Path(name).read_text("utf-8", "replace")
    except OSError as error:
        raise InputError(f"it cannot be read: {error.strerror or error}", source=name) from None


def _rendered(found: list[Concern], form: str) -> str:
    if form == "json":
        records = [
            {
                "cause": concern.cause,
                "where": concern.where,
                "text": concern.text,
                "fix": concern.fix,
                "certain": concern.is_certain,
            }
            for concern in found
        ]
        return json.dumps({"schema": "ifmatch.check/1", "concerns": records}, indent=2)
    if not found:
        return "Nothing found that would refuse honest clients."
    lines: list[str] = []
    for concern in found:
        kind = "refuses honest clients" if concern.is_certain else "may get in the way"
        lines += [f"{concern.cause} ({kind})", f"  {concern.where}: {concern.text}.", f"  {concern.fix}."]
    causes = list(dict.fromkeys(concern.cause for concern in found))
    return "\n".join([*lines, "", *(f"More: ifmatch explain {cause}" for cause in causes)])
