"""``ports.Forge`` for one repository on Azure Repos."""

from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from reconciler.core.errors import Permanent
from reconciler.core.forge import Comment, Event, Mark, Pull, Reaction, Reviews
from reconciler.forge.azure_devops.client import Client
from reconciler.forge.azure_devops.people import People
from reconciler.forge.azure_devops.policies import Policies
from reconciler.forge.azure_devops.pulls import Pulls, site
from reconciler.forge.azure_devops.reviews import ReviewsOf
from reconciler.forge.azure_devops.settings import AzureDevOpsSettings
from reconciler.forge.azure_devops.statuses import Statuses
from reconciler.forge.azure_devops.threads import TEXT_LIMIT, Threads
from reconciler.forge.azure_devops.webhook import Webhook
from reconciler.forge.azure_devops.work_items import WorkItems
from reconciler.ports import Clock

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential


class AzureDevOps:
    """Reads and writes with a personal access token, or with the credential's Entra tokens."""

    name = "azuredevops"
    text_limit = TEXT_LIMIT
    alerts = False
    """Its Markdown shows ``> [!CAUTION]`` as it is written:
    https://learn.microsoft.com/azure/devops/project/wiki/markdown-guidance"""

    def __init__(
        self,
        settings: AzureDevOpsSettings,
        clock: Clock,
        credential: "AsyncTokenCredential | None" = None,
    ) -> None:
        """The credential stays with whoever made it, who closes it."""
        self._settings, self._credential = settings, credential
        self.source_link = (
            f"{site(settings)}?path=/{{path}}&version=GC{{commit}}&line={{line}}"
            "&lineStartColumn=1&lineEndColumn=999&lineStyle=plain&_a=contents"
        )
        self._webhook = Webhook(settings)
        self._client = Client(settings, clock, credential)
        self._people = People(self._client, settings)
        self._policies = policies = Policies(self._client, self._people, settings.ref)
        self._pulls = Pulls(self._client, settings, policies, clock)
        self._reviews = ReviewsOf(self._client, self._pulls, policies)
        self._threads = Threads(self._client, self._people, self._pulls, settings.comment_status)
        self._statuses = Statuses(self._client)
        self._work_items = WorkItems(self._client, settings)

    def hear(self, headers: Mapping[str, str], body: bytes) -> Event | None:
        return self._webhook.hear(headers, body)

    async def pull(self, number: int) -> Pull:
        return await self._pulls.one(number)

    async def open_pulls(self) -> list[Pull]:
        return await self._pulls.open()

    async def merged_between(self, old: str, new: str) -> list[Pull]:
        return await self._pulls.merged_between(old, new)

    async def changed_files(self, pull: int) -> frozenset[str] | None:
        return await self._pulls.files(pull)

    async def reviews(self, pull: Pull) -> Reviews:
        return await self._reviews.reviews(pull)

    async def comment(self, comment: int) -> Comment | None:
        return await self._threads.one(comment)

    async def comments_since(self, moment: datetime) -> list[Comment]:
        return await self._threads.since(moment)

    async def may_write(self, user: str) -> bool:
        return await self._people.may_write(user)

    async def say(self, pull: int, marker: str, text: str) -> None:
        await self._threads.say(pull, marker, text)

    async def mark(self, pull: int, commit: str, mark: Mark) -> None:
        await self._statuses.mark(pull, commit, mark)

    async def react(self, comment: int, reaction: Reaction) -> None:
        await self._threads.react(comment, reaction)

    async def keep_issue(
        self, marker: str, title: str, text: str | None, *, over: bool = False
    ) -> None:
        await self._work_items.keep(marker, title, text, over)

    async def requires(self, name: str) -> bool | None:
        """Whether the branch takes nothing without our mark of that name; None when that may not
        be read."""
        return await self._policies.require(name)

    async def subscriptions(self) -> list[Mapping[str, Any]] | None:
        """The service hooks of the project that are sent over HTTP; None when they may not be read.

        https://learn.microsoft.com/rest/api/azure/devops/hooks/subscriptions/list
        """
        project, _ = await self._people.ids()
        url = f"{self._client.organization}/_apis/hooks/subscriptions"
        try:
            found = await self._client.get(url, {"publisherId": "tfs", "consumerId": "webHooks"})
        except Permanent as error:
            if error.status not in (401, 403, 404):
                raise
            return None
        return [
            one
            for one in found["value"]
            if (one.get("publisherInputs") or {}).get("projectId", "").lower() == project.lower()
        ]

    async def login(self) -> str:
        """Who we are to Azure DevOps: the author of what we write."""
        return (await self._people.me()).name

    @property
    def git_credentials(self) -> Callable[[], Awaitable[str]] | None:
        """The personal access token, for ``reconciler.git``; None: Entra tokens, which it asks for
        by itself."""
        token = self._settings.token
        if not token:
            return None

        async def give() -> str:
            return f"Basic {b64encode(f':{token}'.encode()).decode()}"

        return give

    async def close(self) -> None:
        """Close connections; a later call opens new ones."""
        await self._client.close()
