"""emulate: an Azure, a GitHub or an Azure DevOps on this machine."""

import click


@click.group()
def emulate() -> None:
    """Serve an emulated cloud on this machine, for trying things out and for tests."""


@emulate.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    short_help="Emulated Azure Resource Manager; --help lists its options.",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def azure(arguments: tuple[str, ...]) -> None:
    """Print one line of JSON (URLs, environment variables for clients), then serve."""
    from reconciler.local.azure.main import main

    main(arguments)


@emulate.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    short_help="Emulated GitHub: git, REST, webhooks, pages; --help lists its options.",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def github(arguments: tuple[str, ...]) -> None:
    """Print one line of JSON (URLs, environment variables for clients), then serve."""
    from reconciler.local.github.main import main

    main(arguments)


@emulate.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    short_help="Emulated Azure Repos: git, REST, service hooks; --help lists its options.",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def azuredevops(arguments: tuple[str, ...]) -> None:
    """Print one line of JSON (URLs, environment variables for clients), then serve."""
    from reconciler.local.azure_devops.main import main

    main(arguments)
