"""``ports.Forge`` for one repository on GitHub."""

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Final
from urllib.parse import quote

from reconciler.core.errors import Permanent
from reconciler.core.forge import Comment, Event, Mark, Pull, Reaction, Reviews
from reconciler.forge.checks import CheckRuns, Statuses
from reconciler.forge.client import Client
from reconciler.forge.comments import Comments
from reconciler.forge.issues import Issues
from reconciler.forge.keep import TEXT_LIMIT
from reconciler.forge.pulls import Pulls
from reconciler.forge.settings import GitHubSettings
from reconciler.forge.tokens import git_credentials, identity
from reconciler.forge.webhook import Webhook
from reconciler.ports import Clock

SIGNS: Final[Mapping[Reaction, str]] = {
    "seen": "eyes",
    "done": "+1",
    "refused": "-1",
    "confused": "confused",
}
USER: Final = re.compile(r"[A-Za-z0-9_-]{1,100}(\[bot\])?")
WRITERS: Final = frozenset({"admin", "write"})
"""GitHub reports ``maintain`` as write and ``triage`` as read here:
https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user"""


class GitHub:
    """Reads and writes as a GitHub App (check runs) or with a token (commit statuses)."""

    name = "github"
    text_limit = TEXT_LIMIT
    alerts = True

    def __init__(self, settings: GitHubSettings, clock: Clock) -> None:
        place = f"{settings.site}/{settings.repository}"
        self.source_link = place + "/blob/{commit}/{path}#L{line}"
        self._identity = identity(settings, clock)
        self._client = Client(settings, self._identity, clock)
        self._login = ""
        self._webhook = Webhook(settings)
        self._pulls = Pulls(self._client, settings.branch, clock)
        self._comments = Comments(self._client, self.login)
        self._issues = Issues(self._client, self.login)
        app_id = settings.app_id
        self._marks = CheckRuns(self._client, app_id) if app_id else Statuses(self._client)

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
        return await self._pulls.reviews(pull.number, pull.head)

    async def comment(self, comment: int) -> Comment | None:
        return await self._comments.one(comment)

    async def comments_since(self, moment: datetime) -> list[Comment]:
        return await self._comments.since(moment)

    async def may_write(self, user: str) -> bool:
        if not USER.fullmatch(user):
            return False
        path = f"{self._client.repository}/collaborators/{quote(user, safe='')}/permission"
        try:
            found = await self._client.get(path)
        except Permanent as error:
            if error.status != 404:
                raise
            return False
        return found.get("permission") in WRITERS

    async def say(self, pull: int, marker: str, text: str) -> None:
        await self._comments.say(pull, marker, text)

    async def mark(self, pull: int, commit: str, mark: Mark) -> None:
        # Here a commit is marked, and with it every pull request that it is the head of.
        await self._marks.mark(commit, mark)

    async def react(self, comment: int, reaction: Reaction) -> None:
        await self._comments.react(comment, SIGNS[reaction])

    async def keep_issue(
        self, marker: str, title: str, text: str | None, *, over: bool = False
    ) -> None:
        await self._issues.keep(marker, title, text, over)

    async def login(self) -> str:
        """Who we are to GitHub: the author of what we write."""
        if not self._login:
            self._login = await self._identity.login(self._client)
        return self._login

    @property
    def git_credentials(self) -> Callable[[], Awaitable[str]]:
        """The same identity, for ``reconciler.git``."""
        return git_credentials(self._identity)

    async def close(self) -> None:
        """Close connections; a later call opens new ones."""
        await self._client.close()
        await self._identity.close()
