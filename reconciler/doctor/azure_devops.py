"""Azure Repos: who we are there, and whether pull requests can be read."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from reconciler.core.preview import OWN_MARK
from reconciler.core.render.words import plural
from reconciler.doctor import service_hooks
from reconciler.doctor.check import Finding
from reconciler.doctor.forge import look_at_secrets
from reconciler.forge.azure_devops.statuses import GENRE

if TYPE_CHECKING:
    from reconciler.forge.azure_devops import AzureDevOps

SECRETS: Final = ("AZURE_DEVOPS_WEBHOOK_PASSWORD", "AZURE_DEVOPS_WEBHOOK_SECRET")
HOOKS_BY_HAND: Final = (
    "cannot be read by this identity: look under Project settings → Service hooks"
)


class AzureDevOpsLooks:
    """``doctor.forge.Looks`` for one repository on Azure Repos."""

    def __init__(
        self, environment: Mapping[str, str], forge: "AzureDevOps", public_url: str = ""
    ) -> None:
        self._environment, self._forge = environment, forge
        self._public_url = public_url
        branch = environment.get("RECONCILER_BRANCH") or "main"
        self._branch = branch.removeprefix("refs/heads/")
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
        """Service hooks of the project; their secrets are never told."""
        found = await self._forge.subscriptions()
        if found is None:
            return Finding("skipped", HOOKS_BY_HAND)
        mine = service_hooks.ours(found, self._public_url)
        if not mine:
            where = f"{self._public_url or 'https://…'}{service_hooks.PATH}"
            return Finding(
                "failed",
                "no service hook of the project leads here",
                (f"Subscribe {where} to its events (docs/azure-devops.md).",),
            )
        careless = service_hooks.careless(mine)
        if todo := service_hooks.broken(mine, self._branch):
            return Finding("failed", "do not tell what they should", (*todo, *careless))
        if careless:
            return Finding("warning", "work, with something to mend", tuple(careless))
        return Finding("ok", f"{plural(len(mine), 'service hook')} lead here")

    async def protection(self) -> Finding:
        branch, status = self._branch, f"{GENRE}/{OWN_MARK}"
        required = await self._forge.requires(OWN_MARK)
        if required is None:
            return Finding("skipped", f"the policies of {branch} cannot be read: look in Settings")
        if required:
            return Finding("ok", f"{branch} takes nothing without the status {status}")
        todo = f"Require the status {status} for {branch} (docs/azure-devops.md)."
        return Finding("warning", f"{branch} takes what was not planned, or cannot work", (todo,))
