"""Azure Repos: who we are there, and whether pull requests can be read."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from reconciler.core.render.words import plural
from reconciler.doctor.check import Finding
from reconciler.doctor.forge import look_at_secrets

if TYPE_CHECKING:
    from reconciler.forge.azure_devops import AzureDevOps

SECRETS: Final = ("AZURE_DEVOPS_WEBHOOK_PASSWORD", "AZURE_DEVOPS_WEBHOOK_SECRET")
BY_HAND: Final = "is not read here: docs/azure-devops.md says where to look"


class AzureDevOpsLooks:
    """``doctor.forge.Looks`` for one repository on Azure Repos."""

    def __init__(self, environment: Mapping[str, str], forge: "AzureDevOps") -> None:
        self._environment, self._forge = environment, forge
        self._who = ""

    async def reachable(self) -> Finding:
        """It answers nobody whom it does not know."""
        self._who = await self._forge.login()
        return Finding("ok", "Azure DevOps answers")

    async def same_time(self) -> Finding:
        return Finding("skipped", "nothing is signed here")

    async def identity(self) -> Finding:
        return Finding("ok", self._who)

    async def repository(self) -> Finding:
        found = await self._forge.open_pulls()
        return Finding("ok", f"{plural(len(found), 'pull request')} open")

    async def secrets(self) -> Finding:
        password, secret = SECRETS
        if self._environment.get(password) and not self._environment.get(
            "AZURE_DEVOPS_WEBHOOK_USER"
        ):
            todo = "Set AZURE_DEVOPS_WEBHOOK_USER too: a password alone opens nothing."
            return Finding("failed", "has a password and no user", (todo,))
        for old in (f"{password}_OLD", f"{secret}_OLD"):
            found = look_at_secrets(self._environment, SECRETS, old)
            if found.state != "ok":
                return found
        return found

    async def webhook(self) -> Finding:
        return Finding("skipped", BY_HAND)

    async def protection(self) -> Finding:
        return Finding("skipped", BY_HAND)
