"""What the reconciler needs to work, looked at one by one: ``reconciler doctor``.

check            a check, what it found, and running many side by side
settings, places, azure, forge, github   the checks
rights           who may do what, from Azure's own words
granted, hooks, required   the same of GitHub; its webhooks; the checks before a merge
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.core.errors import ReconcilerError
from reconciler.core.model import Mode
from reconciler.doctor.check import Check, Finding, State, examine

if TYPE_CHECKING:
    from reconciler.azure.client import Client
    from reconciler.core.desired import Desired
    from reconciler.doctor.forge import AnyForge
    from reconciler.ports import Clock, Queue, Specs, Store
    from reconciler.settings import Settings

log = logging.getLogger(__name__)

__all__ = ["Check", "Doctor", "Finding", "State", "look_at_start"]


@dataclass
class Doctor:
    """Looks at everything that a deployment needs. Each part is made by the check that needs it,
    so that one that cannot be made fails that check and no other; whoever made them closes them.
    """

    settings: Mapping[str, str]
    """The environment variables."""
    clock: "Clock"
    client: "Callable[[Mode], Client]"
    store: "Callable[[], Store]"
    queue: "Callable[[], Queue]"
    specs: "Callable[[], Specs] | None"
    """The repository; None: none is set, and the command line needs none."""
    files: Callable[[], Mapping[str, str]]
    """The specs where no repository is set."""
    chosen: "Callable[[], Settings]"
    """The settings, read. Raises Permanent."""
    forge: "Callable[[], AnyForge | None]"
    """Where pull requests are."""
    only: str = ""
    """One environment; "": all."""
    _head: str = ""
    _desired: "Sequence[Desired]" = field(default=())

    async def look(self) -> dict[str, Finding]:
        """What every check found, by name."""
        async with AsyncExitStack() as closing:
            return await examine(self._checks(closing))

    def _checks(self, closing: AsyncExitStack) -> list[Check]:
        from reconciler.doctor import places
        from reconciler.doctor.azure import Azure
        from reconciler.doctor.forge import forge_checks
        from reconciler.doctor.settings import look_at_settings

        azure = Azure(self.clock, self.client, lambda: self._desired)

        async def settings() -> Finding:
            return look_at_settings(self.settings)

        return [
            Check("settings", settings),
            Check("git", places.git),
            Check("state", lambda: places.state(self.store()), ("settings",)),
            Check("queue", lambda: places.queue(self.queue()), ("settings",)),
            Check("repository", self._repository, ("settings", "git")),
            Check("specs", self._specs, ("repository",) if self.specs else ()),
            Check("plan identity", lambda: azure.identity("plan"), ("settings",)),
            Check("apply identity", lambda: azure.identity("apply"), ("settings",)),
            Check("azure", azure.reachable, ("plan identity",)),
            Check("clock", azure.same_time, ("azure",)),
            Check("providers", azure.providers, ("azure", "specs")),
            Check("plan rights", lambda: azure.rights("plan"), ("azure", "specs")),
            Check(
                "apply rights", lambda: azure.rights("apply"), ("apply identity", "azure", "specs")
            ),
            *forge_checks(self.settings, self.chosen, self.forge, self.clock, closing),
        ]

    async def _repository(self) -> Finding:
        from reconciler.doctor import places

        if self.specs is None:
            words = "RECONCILER_REPO_URL is not set: the Function App needs it, this command not"
            return Finding("skipped", words)
        finding, self._head = await places.repository(self.specs())
        return finding

    async def _specs(self) -> Finding:
        """Whether the specs are valid, and what they declare."""
        from reconciler.core.desired import parse, parse_all
        from reconciler.core.render.words import plural

        files = await self.specs().read(self._head) if self.specs else self.files()
        self._desired = [parse(files, self.only)] if self.only else parse_all(files)
        total = sum(len(one.resources) for one in self._desired)
        names = ", ".join(one.environment.name for one in self._desired)
        return Finding("ok", f"{plural(total, 'resource')} in {names}")


def look_at_start(settings: Mapping[str, str]) -> None:
    """The checks that take no time and ask nobody, as log lines: what the first message would fail
    on anyway is then said before it, with what to do."""
    from reconciler.doctor.settings import look_at_settings
    from reconciler.git import git_version

    _log("settings", look_at_settings(settings))
    try:
        _log("git", Finding("ok", git_version()))
    except ReconcilerError as error:
        _log("git", Finding("failed", str(error)))


def _log(name: str, finding: Finding) -> None:
    level = {"ok": logging.INFO, "failed": logging.ERROR}.get(finding.state, logging.WARNING)
    log.log(level, "%s: %s %s", name, finding.words, " ".join(finding.todo))
