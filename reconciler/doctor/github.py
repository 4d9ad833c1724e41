"""GitHub: who we are there, what we may do, and whether it tells us what happens."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import quote

from reconciler.core.errors import Permanent, Transient
from reconciler.core.preview import OWN_MARK
from reconciler.core.render.words import plural
from reconciler.doctor import granted, hooks, required
from reconciler.doctor.check import Finding, State
from reconciler.doctor.forge import look_at_secrets
from reconciler.forge import GitHubSettings
from reconciler.forge.client import Client
from reconciler.forge.tokens import app_client, identity
from reconciler.ports import Clock

SKEW_S: Final = 30.0
WORST_SKEW_S: Final = 60.0
"""An App signs for ten minutes from a minute ago on: a clock that is a minute ahead is refused.
https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app"""
SECRET: Final = "GITHUB_WEBHOOK_SECRET"  # noqa: S105 - its name
UNREADABLE: Final = (403, 404)


class GitHubLooks:
    """``doctor.forge.Looks`` for one repository on GitHub."""

    def __init__(
        self,
        environment: Mapping[str, str],
        settings: GitHubSettings,
        public_url: str,
        clock: Clock,
    ) -> None:
        self._environment, self._settings = environment, settings
        self._public_url, self._clock = public_url, clock
        self._tokens = identity(settings, clock)
        self._client = Client(settings, self._tokens, clock)
        self._app = app_client(settings, clock)
        self._skew_s: float | None = None

    async def close(self) -> None:
        for one in (self._client, self._app, self._tokens):
            await one.close()

    async def reachable(self) -> Finding:
        """Asked without a name, so that a wrong clock or key does not hide that it answers."""
        given = self._settings
        status, date = await self._asked_openly()
        if status >= 500:
            return Finding("failed", f"{given.api_url} is in trouble (it answers {status})")
        if date:
            self._skew_s = (self._clock.now() - parsedate_to_datetime(date)).total_seconds()
        if not given.app_id and not given.token:
            todo = "Set GITHUB_APP_ID and GITHUB_PRIVATE_KEY (docs/github.md), or GITHUB_TOKEN."
            return Finding("failed", "nobody: neither an App nor a token is set", (todo,))
        who = f"as the App {given.app_id}" if given.app_id else "with a token"
        return Finding("ok", f"{given.repository} on {given.site}, {who}")

    async def _asked_openly(self) -> tuple[int, str]:
        """https://docs.github.com/en/rest/rate-limit/rate-limit: counts against no limit."""
        from reconciler.forge.connection import Connection, Unanswered

        asked = Connection(self._settings.api_url)
        try:
            answer = await asked.exchange("GET", "/rate_limit", "")
        except Unanswered as error:
            raise Transient(
                f"{self._settings.api_url} does not answer ({error})\n"
                "Check GITHUB_API_URL, the network, the proxy (HTTPS_PROXY) and the firewall."
            ) from None
        finally:
            await asked.close()
        return answer.status, answer.headers.get("Date", "")

    async def same_time(self) -> Finding:
        if self._skew_s is None:
            return Finding("skipped", "GitHub does not tell the time")
        off = abs(self._skew_s)
        if off < SKEW_S:
            return Finding("ok", "agrees with GitHub's")
        ahead = "ahead of" if self._skew_s > 0 else "behind"
        todo = "Set the clock of this machine (NTP): what an App signs is refused otherwise."
        state: State = "failed" if off >= WORST_SKEW_S and self._settings.app_id else "warning"
        return Finding(state, f"{off:.0f} s {ahead} GitHub's", (todo,))

    async def identity(self) -> Finding:
        return await (self._of_app() if self._settings.app_id else self._of_token())

    async def _of_app(self) -> Finding:
        given = self._settings
        slug = str((await self._app.get("/app"))["slug"])
        try:
            found = await self._app.get(f"{self._app.repository}/installation")
        except Permanent as error:
            if error.status != 404:
                raise
            todo = f"Install the App for it: {given.site}/apps/{slug}."
            words = f"the App {slug} is not installed for {given.repository}"
            return Finding("failed", words, (todo,))
        if given.installation_id and given.installation_id != str(found["id"]):
            words = f"GITHUB_INSTALLATION_ID is not that of {given.repository}"
            return Finding("failed", words, ("Remove it: the installation is then found.",))
        if found.get("suspended_at"):
            todo = "An owner un-suspends it, in the settings of the account, under GitHub Apps."
            return Finding("failed", f"the installation of {slug} is suspended", (todo,))
        return _permitted(slug, found.get("permissions") or {})

    async def _of_token(self) -> Finding:
        answer = await self._client.call("GET", self._client.repository)
        private = bool(answer.body.get("private"))
        scopes = answer.headers.get("x-oauth-scopes")
        who = await self._tokens.login(self._client)
        if missing := granted.scopes_lacking(scopes, private=private):
            todo = f"Make a token with the scope {missing[0]}, or better an App (docs/github.md)."
            return Finding("failed", f"the token of {who} has not the scope it needs", (todo,))
        may = answer.body.get("permissions") or {}
        if not may.get("push"):
            todo = f"Give {who} the role Write in {self._settings.repository}."
            return Finding("failed", f"{who} may not write: no comment, no status", (todo,))
        told = f"scopes {scopes}" if scopes is not None else "GitHub does not tell its scopes"
        return Finding("ok", f"{who}, with a token ({told})")

    async def repository(self) -> Finding:
        given = self._settings
        found = await self._client.get(self._client.repository)
        name = str(found.get("full_name"))
        if (source := self._source()).lower() != name.lower():
            todo = "Set RECONCILER_REPO_URL to its address, or GITHUB_REPOSITORY to owner/name."
            words = f"{name}, and the specs are read from {source or 'elsewhere'}"
            return Finding("failed", words, (todo,))
        if found.get("archived") or found.get("disabled"):
            todo = "Un-archive it in its settings."
            return Finding("failed", f"{name} is archived: nothing can be said there", (todo,))
        opened = plural(sum([1 async for _ in self._open()]), "pull request")
        words = f"{name}, {opened} into {given.branch} open"
        if not found.get("has_issues", True):
            todo = "Switch issues on in its settings: drift is reported as one."
            return Finding("warning", words, (todo,))
        return Finding("ok", words)

    def _source(self) -> str:
        """``owner/name`` of the repository that the specs are read from; "" for another place."""
        url = self._environment.get("RECONCILER_REPO_URL", "")
        alone = {"RECONCILER_REPO_URL": url, "GITHUB_API_URL": self._settings.api_url}
        try:
            return GitHubSettings.from_env(alone).repository
        except Permanent:
            return ""

    async def _open(self) -> Any:
        path = f"{self._client.repository}/pulls"
        asked = {"state": "open", "base": self._settings.branch}
        async for page in self._client.pages(path, asked):
            for one in page:
                yield one

    async def secrets(self) -> Finding:
        return look_at_secrets(self._environment, (SECRET,), f"{SECRET}_OLD")

    async def webhook(self) -> Finding:
        """That of the App, else one of the repository's."""
        if self._settings.app_id:
            return await self._hook_of_app()
        try:
            found = await self._client.listed(f"{self._client.repository}/hooks")
        except Permanent as error:
            if error.status not in UNREADABLE:
                raise
            words = "cannot be read with this token: look under Settings → Webhooks"
            return Finding("skipped", words)
        mine = [one for one in found if hooks.points_here(one["config"], self._public_url)]
        if not mine:
            todo = f"Add one for {self._public_url or 'https://…'}{hooks.PATH} (docs/github.md)."
            return Finding("failed", "none of the repository's leads here", (todo,))
        if not any(one.get("active") for one in mine):
            return Finding("failed", "is switched off", ("Set it to Active.",))
        hook = next(one for one in mine if one.get("active"))
        newest = (hook.get("last_response") or {}).get("code")
        return self._hook(hook["config"], hook["events"], newest)

    async def _hook_of_app(self) -> Finding:
        config = await self._app.get("/app/hook/config")
        events = (await self._app.get("/app")).get("events") or []
        deliveries = await self._app.get("/app/hook/deliveries", {"per_page": 1})
        newest = deliveries[0].get("status_code") if deliveries else None
        return self._hook(config, events, newest)

    def _hook(self, config: Mapping[str, Any], events: list[str], newest: int | None) -> Finding:
        todo = hooks.broken(config, self._public_url)
        if missing := hooks.unheard(events, app=bool(self._settings.app_id)):
            todo.append(f"Subscribe to the events {', '.join(missing)}.")
        said = hooks.refused(newest) if newest is not None else ""
        if todo or newest == 401:
            return Finding("failed", "does not tell what it should", (*todo, *filter(None, [said])))
        if warnings := [*hooks.careless(config), *filter(None, [said])]:
            return Finding("warning", "works, with something to mend", tuple(warnings))
        last = "the newest delivery was taken" if newest is not None else "nothing was sent yet"
        return Finding("ok", f"{hooks.place_of(str(config['url']))}, {last}")

    async def protection(self) -> Finding:
        """By the rules of the branch, or its older protection."""
        branch = self._settings.branch
        name = quote(branch)
        rules = await self._readable(f"/rules/branches/{name}")
        found = await self._readable(f"/branches/{name}")
        source = {**required.by_protection(found or {}), **required.by_rulesets(rules or [])}.get(
            OWN_MARK
        )
        if source is not None:
            return self._held(branch, source)
        if rules is None and found is None:
            return Finding("skipped", f"the rules of {branch} cannot be read: look in Settings")
        todo = (
            f"Require the status check {OWN_MARK} for {branch}: Settings → Rules → Rulesets "
            "(docs/github.md)."
        )
        return Finding("warning", f"{branch} takes what was not planned, or cannot work", (todo,))

    def _held(self, branch: str, source: int) -> Finding:
        """Whoever may write statuses could set a check that is taken from any source."""
        words = f"{branch} takes nothing without the check {OWN_MARK}"
        if self._settings.app_id and str(source) != self._settings.app_id:
            todo = f"Choose the App as the source of {OWN_MARK}: anybody else can set it now."
            return Finding("warning", f"{words}, of any source", (todo,))
        return Finding("ok", words)

    async def _readable(self, path: str) -> Any:
        """None for what we may not see, or what an older server does not know."""
        try:
            return await self._client.get(f"{self._client.repository}{path}")
        except Permanent as error:
            if error.status not in UNREADABLE:
                raise
            return None


def _permitted(slug: str, given: Mapping[str, str]) -> Finding:
    """https://docs.github.com/en/apps/using-github-apps/approving-updated-permissions-for-a-github-app"""
    if missing := granted.lacking(given):
        todo = (
            f"Give the App {', '.join(missing)} (its settings, Permissions), and have an owner "
            "accept it in the installation."
        )
        return Finding("failed", f"{slug} lacks permissions", (todo,))
    if more := granted.surplus(given):
        todo = f"Take {', '.join(more)} away: nothing here needs it."
        return Finding("warning", f"{slug} may do more than it has to", (todo,))
    return Finding("ok", f"{slug}, installed, with the permissions it needs")
