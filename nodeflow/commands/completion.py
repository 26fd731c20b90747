"""`nodeflow completion`: what makes a shell complete a line."""

from __future__ import annotations

import click

from nodeflow.commands.completing import VARIABLE
from nodeflow.commands.options import json_option
from nodeflow.commands.output import print_json

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@json_option
def completion(shell: str, *, as_json: bool) -> None:
    """Print the lines that make SHELL complete what is typed after nodeflow.

    For bash: `nodeflow completion bash >> ~/.bashrc`; for zsh the same with ~/.zshrc; for fish
    into ~/.config/fish/completions/nodeflow.fish.
    """
    from click.shell_completion import get_completion_class

    app = click.get_current_context().find_root().command
    kind = get_completion_class(shell)
    if kind is None:
        raise AssertionError(f"click knows no completion for {shell}")
    source = kind(app, {}, "nodeflow", VARIABLE).source()
    if as_json:
        print_json({"shell": shell, "script": source})
    else:
        click.echo(source)
