"""Print the completion script of a shell: `ifmatch completion`."""

from __future__ import annotations

import click

__all__ = ["command"]

_SHELLS = ("bash", "zsh", "fish")


@click.command("completion", short_help="Print the completion script of a shell.")
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    r"""Print the script that completes verbs, options and files.

    \b
    bash: echo 'eval "$(ifmatch completion bash)"' >> ~/.bashrc
    zsh:  echo 'eval "$(ifmatch completion zsh)"' >> ~/.zshrc
    fish: ifmatch completion fish > ~/.config/fish/completions/ifmatch.fish
    """
    from click.shell_completion import get_completion_class

    completion = get_completion_class(shell)
    if completion is None:
        raise click.UsageError(f"click has no completion for {shell}.")
    program = context.find_root().command
    if shell == "bash":
        # `source()` would start bash to look at its version, which fails where bash is not installed.
        script = (
            completion.source_template % completion(program, {}, "ifmatch", "_IFMATCH_COMPLETE").source_vars()
        )
    else:
        script = completion(program, {}, "ifmatch", "_IFMATCH_COMPLETE").source()
    click.echo(script)
