"""The command `motcua`: finds the module of a command and runs it."""

from __future__ import annotations

import importlib
import importlib.util
import sys

import typer
from typer.exceptions import TyperException

from deploy.cli.output import DONE, WRONG_USAGE, say
from deploy.errors import CommandError

INTERRUPTED = 130

# Module of deploy.cli: the commands it registers. Only the module of the command that was given is imported.
MODULES: dict[str, tuple[str, ...]] = {
    "stack": ("up", "down", "status", "logs", "doctor"),
    "tokens": ("token",),
    "topics": ("topics",),
    "contracts": ("contracts",),
    "procedures": ("procedures",),
    "calendar": ("calendar",),
    "clock": ("clock",),
    "replay": ("replay",),
    "file": ("file",),
    "imports": ("import",),
    "exports": ("export",),
    "hotline": ("hotline",),
    "figures": ("figures",),
    "bench": ("bench",),
    "dead_letters": ("dead-letters",),
    "reconcile": ("reconcile",),
    "keys": ("keys",),
    "erase": ("erase",),
}


def make_app(arguments: list[str]) -> typer.Typer:
    """The command line with the command of the arguments, or with all of them when that is not known."""
    app = typer.Typer(
        name="motcua", help="Một Cửa: the local stack and its tools.", no_args_is_help=True, add_completion=False,
        pretty_exceptions_enable=False,
    )  # fmt: skip

    @app.callback()
    def _root() -> None:
        """A callback keeps the name of a command when it is the only one."""

    given = next((word for word in arguments if not word.startswith("-")), "")
    fitting = [module for module, commands in MODULES.items() if given in commands]
    for module in fitting or MODULES:
        _register(module, app)
    return app


def _register(module: str, app: typer.Typer) -> None:
    name = f"deploy.cli.{module}"
    if importlib.util.find_spec(name):
        importlib.import_module(name).register(app)


def run(arguments: list[str]) -> int:
    """Run a command and give its exit status."""
    try:
        result = make_app(arguments)(args=arguments, standalone_mode=False)
    except CommandError as error:
        say(str(error))
        return error.status
    except TyperException as error:
        say(f"{error.format_message()} (`motcua --help` shows what there is)")
        return WRONG_USAGE
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        return DONE
    return result if isinstance(result, int) else DONE


def main() -> None:
    """Entry point of `motcua`."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
