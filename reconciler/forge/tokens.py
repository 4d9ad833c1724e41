"""Who the reconciler is to GitHub: a token, or an App's installation tokens (which live an hour).

https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/authenticating-as-a-github-app-installation
"""

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from reconciler.core.errors import Permanent
from reconciler.forge.client import Client, Tokens
from reconciler.forge.settings import GitHubSettings
from reconciler.ports import Clock

MARGIN: Final = timedelta(minutes=5)
"""A token is not used for its last minutes: a fetch may take some."""
ACTIONS: Final = "github-actions[bot]"


class StaticToken:
    """A personal access token, or that of a job."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def token(self) -> str:
        if not self._token:
            raise Permanent(
                "who is the reconciler on GitHub? Set GITHUB_APP_ID and GITHUB_PRIVATE_KEY, or "
                "GITHUB_TOKEN"
            )
        return self._token

    def renew(self, token: str) -> bool:
        return False

    async def login(self, client: Client) -> str:
        """Whose token it is. That of a job on GitHub Actions may not ask."""
        try:
            return str((await client.get("/user"))["login"])
        except Permanent as error:
            if error.status == 403:
                return ACTIONS
            raise

    async def close(self) -> None:
        """Nothing is open."""


class _SignedByKey:
    """What an App asks about itself is signed by the connection, with the App's key."""

    async def token(self) -> str:
        return ""

    def renew(self, token: str) -> bool:
        return False


class InstallationTokens:
    """Tokens for one repository, each kept until shortly before it runs out."""

    def __init__(self, settings: GitHubSettings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._app = app_client(settings, clock)
        self._turn = asyncio.Lock()
        self._installation = settings.installation_id
        self._token, self._until = "", clock.now()

    async def token(self) -> str:
        async with self._turn:
            if not self._token or self._clock.now() >= self._until - MARGIN:
                await self._ask()
            return self._token

    def renew(self, token: str) -> bool:
        """Forget it, unless another one has taken its place already."""
        if token == self._token:
            self._token = ""
        return True

    async def _ask(self) -> None:
        if not self._installation:
            found = await self._app.get(f"{self._app.repository}/installation")
            self._installation = str(found["id"])
        given = await self._app.send(
            "POST",
            f"/app/installations/{self._installation}/access_tokens",
            {"repositories": [self._settings.name]},
            repeatable=True,
        )
        self._token, self._until = given["token"], datetime.fromisoformat(given["expires_at"])

    async def login(self, client: Client) -> str:
        """The App's own account, which writes what its tokens write."""
        return f"{(await self._app.get('/app'))['slug']}[bot]"

    async def close(self) -> None:
        await self._app.close()


def app_client(settings: GitHubSettings, clock: Clock) -> Client:
    """For what an App asks about itself, signed with its key."""
    return Client(settings, _SignedByKey(), clock, as_app=True)


type Identity = StaticToken | InstallationTokens


def identity(settings: GitHubSettings, clock: Clock) -> Identity:
    """An App where one is set, else the token."""
    if settings.app_id:
        return InstallationTokens(settings, clock)
    return StaticToken(settings.token)


def git_credentials(tokens: Tokens) -> Callable[[], Awaitable[str]]:
    """The value of git's ``Authorization`` header, for ``reconciler.git``."""

    async def give() -> str:
        pair = f"x-access-token:{await tokens.token()}"
        return f"Basic {b64encode(pair.encode()).decode()}"

    return give
