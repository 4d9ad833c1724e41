"""The forge: the checks of pull requests, whichever forge there is."""

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Final, Protocol

from reconciler.core.errors import Permanent
from reconciler.doctor.check import Check, Finding
from reconciler.ports import Clock
from reconciler.settings import Settings

if TYPE_CHECKING:
    from reconciler.forge import GitHub
    from reconciler.forge.azure_devops import AzureDevOps

type AnyForge = "GitHub | AzureDevOps"

PATIENCE_S: Final = 5.0
"""A person waits for the answer."""
NONE: Final = (
    "none is set: pull requests are not looked at, what is merged is found by the timer",
    "RECONCILER_FORGE is none: pull requests are not looked at",
)


class Looks(Protocol):
    """What each forge is looked at for. Every method may raise any ReconcilerError."""

    async def reachable(self) -> Finding:
        """Whether the settings name a repository and who we are, and the forge answers."""

    async def same_time(self) -> Finding:
        """Whether our clock and the forge's agree."""

    async def identity(self) -> Finding:
        """Whether the forge knows us, and what we may do."""

    async def repository(self) -> Finding:
        """Whether the repository is the one that the specs are read from, and can be written."""

    async def secrets(self) -> Finding:
        """Whether its webhooks can be told from anybody else's."""

    async def webhook(self) -> Finding:
        """Whether a webhook is sent to this app, about everything that matters."""

    async def protection(self) -> Finding:
        """Whether nothing is merged before the reconciler has looked at it."""


def forge_checks(
    environment: Mapping[str, str],
    chosen: Callable[[], Settings],
    forge: "Callable[[], AnyForge | None]",
    clock: Clock,
    closing: AsyncExitStack,
) -> list[Check]:
    """One check where there is no forge, or none can be told, and otherwise all of them."""
    looks = cache(lambda: _looks(environment, chosen(), forge, clock, closing))
    kind = _kind(chosen)
    if kind == "none":

        async def none() -> Finding:
            return Finding("skipped", NONE[bool(environment.get("RECONCILER_FORGE"))])

        return [Check("forge", none)]
    first = Check("forge", lambda: looks().reachable(), ("settings",))
    if not kind:
        return [first]
    return [
        first,
        Check("forge clock", lambda: looks().same_time(), ("forge",)),
        Check("forge identity", lambda: looks().identity(), ("forge",)),
        Check("forge repository", lambda: looks().repository(), ("forge identity",)),
        Check("webhook secret", lambda: looks().secrets(), ("settings",)),
        Check("webhook", lambda: looks().webhook(), ("forge identity",)),
        Check("branch protection", lambda: looks().protection(), ("forge repository",)),
    ]


def _kind(chosen: Callable[[], Settings]) -> str:
    try:
        return chosen().forge
    except Permanent:
        return ""  # the check of the settings says what is wrong


def _looks(
    environment: Mapping[str, str],
    settings: Settings,
    forge: "Callable[[], AnyForge | None]",
    clock: Clock,
    closing: AsyncExitStack,
) -> Looks:
    if settings.forge == "github":
        from reconciler.doctor.github import GitHubLooks
        from reconciler.forge import GitHubSettings

        given = replace(GitHubSettings.from_env(environment), patience_s=PATIENCE_S)
        made = GitHubLooks(environment, given, settings.public_url, clock)
        closing.push_async_callback(made.close)
        return made
    from reconciler.doctor.azure_devops import AzureDevOpsLooks
    from reconciler.forge.azure_devops import AzureDevOps

    found = forge()
    if not isinstance(found, AzureDevOps):
        raise Permanent("RECONCILER_FORGE names no forge")
    return AzureDevOpsLooks(environment, found, settings.public_url)


def look_at_secrets(environment: Mapping[str, str], news: tuple[str, ...], old: str) -> Finding:
    """Whether one of the new secrets is set; one that was to be changed and still opens is a
    warning."""
    if not any(environment.get(name, "").strip() for name in news):
        words = f"{' or '.join(news)} is not set: every webhook is refused"
        return Finding("failed", words, (f"Set {news[0]} to the secret that the webhook has.",))
    if environment.get(old, "").strip():
        todo = f"Remove {old} once the forge signs with the new one: until then both open."
        return Finding("warning", "the new and the old one are taken", (todo,))
    return Finding("ok", "is set")
