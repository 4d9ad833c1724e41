"""The command line: the same calls as the Function App, for people and pipelines.

Results go to stdout, progress and errors to stderr. Only what every command needs is imported
here; Azure and the engine wait until a command asks for them.
"""

import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from reconciler import __version__
from reconciler.cli.doctor import doctor
from reconciler.cli.emulate import emulate
from reconciler.cli.history import runs, show
from reconciler.cli.host import host
from reconciler.cli.reconcile import apply, plan
from reconciler.cli.sandbox import sandbox
from reconciler.cli.specs import kinds, schema, validate
from reconciler.core.errors import ReconcilerError, SpecErrors

INTERRUPTED = 130


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 error, 2 changes (plan --detailed-exitcode), 3 refused by a "
    "safety rule, 4 invalid specs, 130 interrupted.",
)
@click.version_option(__version__, prog_name="reconciler")
def cli() -> None:
    """Keep an Azure AI estate as it is declared in Git.

    \b
    A first look, without any cloud:
      reconciler validate          are the specs right?
      reconciler plan -e dev       what would applying do?
      reconciler apply -e dev      do it, after asking
    """


for command in (validate, plan, apply, runs, show, doctor, kinds, schema, emulate, host, sandbox):
    cli.add_command(command)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and exit with its code. Unexpected exceptions are bugs: they show."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """The one place where expected errors become words and an exit code."""
    try:
        code = cli.main(arguments, prog_name="reconciler", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except ReconcilerError as error:
        _tell(error)
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return 1
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output had enough; there is nobody left to tell, not even at exit.
        sys.stdout = None
        return 1


def _tell(error: ReconcilerError) -> None:
    from reconciler.cli.console import say
    from reconciler.core.render.words import clean

    if isinstance(error, SpecErrors):
        for one in error.errors:
            place = f"{clean(one.source)}: " if one.source else ""
            say(((place, "quiet"), (clean(one.message), "")))
        for note in getattr(error, "__notes__", ()):
            say(((note, "error"),))
        return
    lines = str(error).splitlines() or [type(error).__name__]
    word = "Refused" if error.exit_code == 3 else "Error"
    say(((f"{word}: ", "error"), (clean(lines[0]), "")))
    for line in lines[1:]:
        say(((clean(line), ""),))
