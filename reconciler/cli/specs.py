"""Commands about the specs alone: nothing here talks to Azure."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from reconciler.core.errors import SpecErrors

SPECS = click.argument("specs", default="specs", type=click.Path(path_type=Path))
ENVIRONMENT = click.option(
    "-e", "--environment", required=True, metavar="ENV", help="A name from specs/environments."
)


@contextmanager
def counted(files: Mapping[str, str]) -> Iterator[None]:
    """Close a list of errors with how many there are, in how many files."""
    try:
        yield
    except SpecErrors as error:
        from reconciler.core.render.words import plural

        bad = len({one.source.partition(":")[0] for one in error.errors if one.source})
        of = f" in {bad} of {plural(len(files), 'file')}" if bad else ""
        error.add_note(f"{plural(len(error.errors), 'error')}{of}.")
        raise


@click.command()
@SPECS
@click.option("-e", "--environment", metavar="ENV", help="Only what this environment uses.")
def validate(specs: Path, environment: str | None) -> None:
    """Check the specs, and name every error with file, line and column.

    \b
    Examples:
      reconciler validate
      reconciler validate estate/specs -e prod
    """
    from reconciler.core.desired import parse, parse_all
    from reconciler.core.render.words import plural
    from reconciler.local.folder import read_folder

    files = read_folder(specs)
    with counted(files):
        found = [parse(files, environment)] if environment else parse_all(files)
    resources = ", ".join(
        f"{one.environment.name} {plural(len(one.resources), 'resource')}" for one in found
    )
    click.echo(f"{plural(len(files), 'file')} valid: {resources}.")


@click.command()
def kinds() -> None:
    """List the kinds a spec may declare, with their ARM types."""
    from reconciler.core.kinds import KINDS

    rows = [
        (kind.name, f"{place.arm_type}@{place.api_version}", kind.title)
        for kind in KINDS.values()
        for place in kind.places
    ]
    name, arm_type = (max(len(row[column]) for row in rows) for column in (0, 1))
    for row in rows:
        click.echo(f"{row[0].ljust(name)}  {row[1].ljust(arm_type)}  {row[2]}")


@click.command()
@click.argument("kind", required=False)
def schema(kind: str | None) -> None:
    """Print the JSON Schema of one kind, or of every document.

    \b
    Examples:
      reconciler schema ModelDeployment
      reconciler schema > specs.schema.json
    """
    click.echo(json.dumps(_schema(kind), indent=2))


def _schema(name: str | None) -> dict[str, Any]:
    from reconciler.core.desired.nearest import did_you_mean
    from reconciler.core.json_schema import json_schema, json_schema_all
    from reconciler.core.kinds import KINDS

    if name is None:
        return json_schema_all()
    if name not in KINDS:
        raise click.BadParameter(f'there is no kind "{name}"{did_you_mean(name, KINDS)}')
    return json_schema(KINDS[name])
