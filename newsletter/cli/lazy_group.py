"""Groups of commands whose modules are imported when a command is called: help and completion need the table alone."""

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any, cast

import typer
from typer._click import Command as ClickCommand
from typer._click import Context, HelpFormatter
from typer._click.exceptions import UsageError
from typer._click.shell_completion import CompletionItem
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from newsletter.cli.command_name import name_in_hints
from newsletter.cli.command_table import Command, Group
from newsletter.cli.django_setup import set_up


class Commands(Mapping[str, ClickCommand]):
    """The commands of a table by their names, in its order; each is imported when it is asked for."""

    def __init__(self, table: Mapping[str, Command | Group]) -> None:
        self._table = table

    def __getitem__(self, name: str) -> ClickCommand:
        row = self._table[name]
        if isinstance(row, Group):
            return LazyGroup(name=name, table=row.commands, tasks=row.tasks, help=row.help, no_args_is_help=True)
        return load(name, row.module)

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)


class _LightHelp(ClickCommand):
    """A command whose `--help`, where it is not given, is False: None would be converted, and pydantic imported for that."""

    def get_help_option(self, ctx: Context) -> TyperOption | None:
        option = super().get_help_option(ctx)
        if option is not None:
            option.default = False
        return option

    def get_help(self, ctx: Context) -> str:
        """The help page; commands that it names are as this person can type them."""
        return name_in_hints(super().get_help(ctx))


class _Leaf(_LightHelp, TyperCommand):
    """A command that does something."""

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Read the arguments of the command.

        Raises:
            UsageError: one of them is wrong, or there are more than the command takes.
        """
        ctx.allow_extra_args = True
        left = super().parse_args(ctx, args)
        if left and not ctx.resilient_parsing:
            raise UsageError(_too_many(ctx), ctx)
        return left


def _too_many(ctx: Context) -> str:
    """What a command takes. Does not repeat what was typed: it may be an address or a keyword."""
    parameters = ctx.command.get_params(ctx)
    taken = [each.metavar or (each.name or "").upper() for each in parameters if isinstance(each, TyperArgument)]
    options = [max(each.opts, key=len) for each in parameters if isinstance(each, TyperOption) and not each.is_flag]
    if not taken and not options:
        return f"'{ctx.command_path}' takes no arguments."
    only = f"only {' and '.join(name.strip('[]') for name in taken)}" if taken else "no arguments"
    after = f"; anything else goes after an option ({', '.join(options)})" if options else ""
    return f"'{ctx.command_path}' takes {only}{after}. Put quotes around words with spaces."


class LazyGroup(_LightHelp, TyperGroup):
    """The commands of `table` as one group."""

    def __init__(
        self, *, table: Mapping[str, Command | Group], tasks: Mapping[str, tuple[str, ...]], **attrs: Any
    ) -> None:
        super().__init__(**{**attrs, "commands": None, "rich_markup_mode": None})
        self.commands = cast("Any", Commands(table))
        self._tasks = tasks or {"Commands": tuple(table)}
        listed = {name: TyperCommand(name, help=row.help, rich_markup_mode=None) for name, row in table.items()}
        #: The same group with commands that know their help and nothing else.
        self._listed = TyperGroup(commands=cast("dict[str, ClickCommand]", listed), rich_markup_mode=None)

    def list_commands(self, ctx: Context) -> list[str]:
        """The names, in the order of the table."""
        return self._listed.list_commands(ctx)

    def format_commands(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write the commands of a help page by task, without importing them."""
        width = max(map(len, self._listed.commands))
        for task, names in self._tasks.items():
            with formatter.section(task):
                formatter.write_dl(
                    [(name.ljust(width), self._listed.commands[name].get_short_help_str(200)) for name in names]
                )

    def shell_complete(self, ctx: Context, incomplete: str) -> list[CompletionItem]:
        """The commands and options that begin with `incomplete`, without importing a command."""
        names = [
            CompletionItem(name, help=command.get_short_help_str())
            for name, command in self._listed.commands.items()
            if name.startswith(incomplete)
        ]
        return [*names, *ClickCommand.shell_complete(self, ctx, incomplete)]


def load(name: str, module: str) -> ClickCommand:
    """The command `name` of `newsletter.cli.MODULE`, with Django ready for it.

    Raises:
        ImproperlyConfigured: a setting is wrong.
    """
    with _uncollected():
        set_up()
        app: typer.Typer = import_module(f"newsletter.cli.{module}").app
    program = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)
    for command in app.registered_commands:
        command.cls = _Leaf
    program.add_typer(app)
    return typer.main.get_group(program).commands[name]


@contextmanager
def _uncollected() -> Iterator[None]:
    """Search for no cyclic garbage meanwhile: imports make many objects and little of it, and take a tenth longer with."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
