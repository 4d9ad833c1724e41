"""reconciler doctor and the forge: an emulated GitHub over HTTP, as it should be and broken."""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from reconciler.app import SystemClock, doctor_for
from reconciler.doctor import Finding, granted, hooks
from reconciler.doctor.forge import look_at_secrets
from reconciler.local.azure_devops import EmulatedAzureDevOps
from reconciler.local.github import EmulatedGitHub
from tests.local.github import openapi

DOCS = Path(__file__).parent.parent / "docs"
REPOSITORY = "contoso/estate"
APP_URL = "http://127.0.0.1:1"
"""Nobody listens there."""
HOOK_URL = f"{APP_URL}/api/webhooks/github"
ROWS = [
    "forge",
    "forge clock",
    "forge identity",
    "forge repository",
    "webhook secret",
    "webhook",
    "branch protection",
]
APP_ONLY = ("GITHUB_APP_ID", "GITHUB_PRIVATE_KEY", "GITHUB_INSTALLATION_ID")


class Ahead(SystemClock):
    """A clock that is wrong by so many seconds."""

    def __init__(self, seconds: float) -> None:
        self.off = timedelta(seconds=seconds)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.off


@dataclass
class Surgery:
    """A deployment on GitHub that has what it needs, until a test breaks it."""

    hub: EmulatedGitHub
    folder: Path
    settings: dict[str, str]
    exchanges: list[Any] = field(default_factory=list)
    clock: SystemClock = field(default_factory=SystemClock)
    hook_url: str = HOOK_URL
    """Where the App's webhook leads by the time somebody looks."""

    async def look(self, **more: str) -> dict[str, Finding]:
        """The forge's rows."""
        self.hub.hooks.app_hook.url = self.hook_url
        async with doctor_for({**self.settings, **more}, dict) as doctor:
            doctor.clock = self.clock
            found = await doctor.look()
        return {name: one for name, one in found.items() if name in ROWS}

    async def one(self, row: str, **more: str) -> Finding:
        return (await self.look(**more))[row]

    def with_token(self, login: str = "reconciler", level: str = "write") -> None:
        """Instead of the App."""
        self.hub.backdoor.allow(REPOSITORY, login, level)
        self.settings["GITHUB_TOKEN"] = self.hub.backdoor.token(login)
        for name in APP_ONLY:
            self.settings.pop(name, None)

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """As the maintainer."""
        headers = {"Authorization": f"Bearer {self.hub.backdoor.token('maintainer')}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.request(method, self.hub.api + path, json=body) as answer,
        ):
            assert answer.status < 300, await answer.text()
            return await answer.json()


@pytest.fixture
async def surgery(tmp_path: Path) -> AsyncIterator[Surgery]:
    exchanges: list[Any] = []
    async with EmulatedGitHub(on_exchange=exchanges.append) as hub:
        await hub.backdoor.create_repository("estate", {"README.md": "Specs.\n"})
        hub.world.app.permissions = dict(granted.NEEDED)
        hub.backdoor.ruleset(REPOSITORY, ["reconciler"], app=True)
        settings = {
            **hub.environment(),
            "RECONCILER_REPO_URL": f"{hub.url}/{REPOSITORY}.git",
            "RECONCILER_BRANCH": "main",
            "RECONCILER_GIT_CACHE": str(tmp_path / "git"),
            "RECONCILER_STATE": f"sqlite:{tmp_path / 'state.db'}",
            "RECONCILER_ARM_ENDPOINT": "http://127.0.0.1:1",
            "RECONCILER_PUBLIC_URL": APP_URL,
            # An identity that gives no token, and asks nobody outside of this machine.
            "IDENTITY_ENDPOINT": "http://127.0.0.1:1",
            "IDENTITY_HEADER": "none",
        }
        del settings["GITHUB_TOKEN"]
        yield Surgery(hub, tmp_path, settings, exchanges)
    if openapi.FILE.exists():
        for exchange in exchanges:
            openapi.check(exchange)


def states(found: Mapping[str, Finding]) -> dict[str, str]:
    return {name: one.state for name, one in found.items()}


# All of it


async def test_an_app_that_has_what_it_needs_is_well(surgery: Surgery) -> None:
    await surgery.hub.backdoor.commit(REPOSITORY, {"a.yaml": "a: 1\n"}, branch="more")
    await surgery.hub.backdoor.open_pull(REPOSITORY, "more", "More")
    found = await surgery.look()
    assert list(found) == ROWS
    assert set(states(found).values()) == {"ok"}, found
    assert "1 pull request into main open" in found["forge repository"].words
    assert "azure-ai-reconciler" in found["forge identity"].words
    assert found["webhook"].words == f"{HOOK_URL}, nothing was sent yet"


async def test_a_token_is_enough_where_its_webhook_is_the_repositorys(surgery: Surgery) -> None:
    surgery.with_token(level="admin")
    hook = {"events": sorted(hooks.EVENTS - hooks.APP_ONLY)}
    config = {"url": HOOK_URL, "content_type": "json", "secret": "s"}
    await surgery.ask("POST", f"/repos/{REPOSITORY}/hooks", {**hook, "config": config})
    await surgery.hub.hooks.settle()
    for one in surgery.hub.world.repositories[REPOSITORY].hooks:
        one.last = (202, "active")
    found = await surgery.look()
    assert set(states(found).values()) == {"ok"}, found
    assert found["forge identity"].words == "reconciler, with a token (scopes repo)"


async def test_no_secret_is_told_and_nothing_is_written(surgery: Surgery) -> None:
    for more in ({}, {"GITHUB_TOKEN": surgery.hub.backdoor.token("reconciler")}):
        text = repr(await surgery.look(**more))
        for name, value in {**surgery.settings, **more}.items():
            if name in ("GITHUB_PRIVATE_KEY", "GITHUB_WEBHOOK_SECRET", "GITHUB_TOKEN"):
                assert value not in text
        assert "ghs_" not in text
        assert "eyJ" not in text
    writes = {one.path for one in surgery.exchanges if one.method != "GET"}
    assert {path.rpartition("/")[2] for path in writes} == {"access_tokens"}


async def test_without_a_forge_one_row_says_so(surgery: Surgery) -> None:
    found = await surgery.look(RECONCILER_FORGE="none")
    assert states(found) == {"forge": "skipped"}
    assert "RECONCILER_FORGE is none" in found["forge"].words


# Who we are


async def test_a_forge_that_does_not_answer_fails_once_and_the_rest_says_why_it_waits(
    surgery: Surgery,
) -> None:
    found = await surgery.look(GITHUB_API_URL="http://127.0.0.1:1")
    assert found["forge"].state == "failed"
    assert "GITHUB_API_URL" in found["forge"].todo[0]
    assert found["forge identity"] == Finding("skipped", "not looked at: it needs forge")
    assert found["webhook secret"].state == "ok"


async def test_a_forge_in_trouble_is_told(surgery: Surgery) -> None:
    surgery.hub.faults.add([{"path": "/api/v3/rate_limit", "status": 503}])
    assert (await surgery.one("forge")).words.endswith("is in trouble (it answers 503)")


async def test_an_app_without_its_key_is_named(surgery: Surgery) -> None:
    found = await surgery.one("forge", GITHUB_PRIVATE_KEY="")
    assert (found.state, "GITHUB_PRIVATE_KEY" in found.words) == ("failed", True)


async def test_neither_an_app_nor_a_token_is_told_with_both_ways_out(surgery: Surgery) -> None:
    for name in APP_ONLY:
        surgery.settings.pop(name, None)
    found = await surgery.one("forge", GITHUB_TOKEN="")
    assert found.state == "failed"
    assert "GITHUB_APP_ID and GITHUB_PRIVATE_KEY" in found.todo[0]


async def test_the_key_of_another_app_is_refused_with_what_to_check(surgery: Surgery) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    found = await surgery.look(GITHUB_PRIVATE_KEY=key.decode())
    assert found["forge"].state == "ok"
    assert found["forge identity"].state == "failed"
    assert "GITHUB_PRIVATE_KEY" in found["forge identity"].words
    assert found["webhook"].state == "skipped"


async def test_an_app_that_is_not_installed_for_the_repository_is_told(surgery: Surgery) -> None:
    name = await surgery.hub.backdoor.create_repository("elsewhere", owner="fabrikam")
    url = f"{surgery.hub.url}/{name}.git"
    found = await surgery.one("forge identity", RECONCILER_REPO_URL=url)
    assert found.words == f"the App azure-ai-reconciler is not installed for {name}"
    assert f"{surgery.hub.url}/apps/azure-ai-reconciler" in found.todo[0]


async def test_the_number_of_another_installation_is_told(surgery: Surgery) -> None:
    found = await surgery.one("forge identity", GITHUB_INSTALLATION_ID="1")
    assert found.words == f"GITHUB_INSTALLATION_ID is not that of {REPOSITORY}"


async def test_permissions_that_are_missing_are_all_named_with_the_way_out(
    surgery: Surgery,
) -> None:
    surgery.hub.world.app.permissions = {"contents": "read", "metadata": "read", "issues": "read"}
    found = await surgery.one("forge identity")
    assert found.state == "failed"
    assert "checks: write, issues: write, pull_requests: write" in found.todo[0]


async def test_permissions_that_nothing_needs_are_a_warning(surgery: Surgery) -> None:
    more = {"contents": "write", "statuses": "write", "administration": "read"}
    surgery.hub.world.app.permissions = {**granted.NEEDED, **more}
    found = await surgery.one("forge identity")
    assert found.state == "warning"
    assert found.todo == ("Take contents: write away: nothing here needs it.",)


async def test_a_token_that_may_not_write_is_told_whose_it_is(surgery: Surgery) -> None:
    surgery.with_token("reader", "read")
    found = await surgery.one("forge identity")
    assert found.words == "reader may not write: no comment, no status"
    assert found.todo == (f"Give reader the role Write in {REPOSITORY}.",)


async def test_a_token_with_other_scopes_is_told_which_one_it_needs(surgery: Surgery) -> None:
    surgery.with_token()
    world = surgery.hub.world
    token = surgery.settings["GITHUB_TOKEN"]
    known = world.tokens[token]
    world.tokens[token] = replace(known, caller=replace(known.caller, scopes="gist, read:org"))
    found = await surgery.one("forge identity")
    assert (found.state, "public_repo" in found.todo[0]) == ("failed", True)


@pytest.mark.parametrize(
    ("told", "private", "wanted"),
    [
        (None, True, []),
        ("repo, gist", True, []),
        ("public_repo", False, []),
        ("public_repo", True, ["repo"]),
        ("", False, ["public_repo"]),
    ],
)
def test_a_scope_is_asked_for_where_scopes_are_told(
    told: str | None, private: bool, wanted: list[str]
) -> None:
    assert granted.scopes_lacking(told, private=private) == wanted


@pytest.mark.parametrize(
    ("off_s", "state", "words"),
    [(0, "ok", "agrees"), (-45, "warning", "behind"), (300, "failed", "ahead of")],
)
async def test_a_clock_that_would_spoil_what_an_app_signs_is_told(
    surgery: Surgery, off_s: float, state: str, words: str
) -> None:
    surgery.clock = Ahead(off_s)
    found = await surgery.one("forge clock")
    assert (found.state, words in found.words) == (state, True)


# The repository


async def test_a_repository_that_is_not_the_one_of_the_specs_fails(surgery: Surgery) -> None:
    await surgery.hub.backdoor.create_repository("other")
    found = await surgery.one("forge repository", GITHUB_REPOSITORY="contoso/other")
    assert found.state == "failed"
    assert found.words == f"contoso/other, and the specs are read from {REPOSITORY}"


async def test_a_repository_that_is_not_there_fails_with_what_it_can_be(surgery: Surgery) -> None:
    surgery.with_token()
    url = f"{surgery.hub.url}/contoso/gone.git"
    found = await surgery.one("forge identity", RECONCILER_REPO_URL=url)
    assert (found.state, "may not see it" in found.words) == ("failed", True)


# Webhooks


async def test_without_a_secret_every_webhook_is_refused_and_it_is_said(surgery: Surgery) -> None:
    found = await surgery.one("webhook secret", GITHUB_WEBHOOK_SECRET="")
    assert found.state == "failed"
    assert "GITHUB_WEBHOOK_SECRET is not set" in found.words


async def test_a_secret_that_was_to_be_changed_and_still_opens_is_a_warning(
    surgery: Surgery,
) -> None:
    found = await surgery.one("webhook secret", GITHUB_WEBHOOK_SECRET_OLD="older")
    assert found.state == "warning"
    assert "Remove GITHUB_WEBHOOK_SECRET_OLD" in found.todo[0]


async def test_a_webhook_that_leads_elsewhere_and_tells_too_little_is_told_at_once(
    surgery: Surgery,
) -> None:
    surgery.hub.world.app.events = ("push",)
    surgery.hook_url = "https://elsewhere.example/hooks?token=canary-77"
    surgery.hub.hooks.app_hook.secret = ""
    found = await surgery.one("webhook")
    assert found.state == "failed"
    assert len(found.todo) == 3
    assert "It leads to https://elsewhere.example/hooks: set its URL" in found.todo[0]
    assert "GITHUB_WEBHOOK_SECRET" in found.todo[1]
    assert "check_run, check_suite, issue_comment, pull_request" in found.todo[2]
    assert "canary-77" not in repr(found)


async def test_where_the_apps_address_is_not_known_a_webhook_with_its_path_will_do(
    surgery: Surgery,
) -> None:
    surgery.hook_url = "https://somewhere.example/api/webhooks/github"
    assert (await surgery.one("webhook", RECONCILER_PUBLIC_URL="")).state == "ok"
    assert (await surgery.one("webhook")).state == "failed"


async def test_a_delivery_that_nobody_took_is_a_warning(surgery: Surgery) -> None:
    surgery.hub.hooks.app_hook.url = HOOK_URL
    await surgery.hub.backdoor.commit(REPOSITORY, {"b.yaml": "b: 1\n"})
    await surgery.hub.hooks.settle()
    found = await surgery.one("webhook")
    assert found.state == "warning"
    assert "The newest delivery" in found.todo[0]


async def test_webhooks_that_a_token_may_not_read_are_left_to_the_reader(surgery: Surgery) -> None:
    surgery.with_token()
    found = await surgery.one("webhook")
    assert (found.state, "Settings → Webhooks" in found.words) == ("skipped", True)


async def test_a_repository_without_a_webhook_or_with_one_that_is_off_is_told(
    surgery: Surgery,
) -> None:
    surgery.with_token(level="admin")
    assert (await surgery.one("webhook")).words == "none of the repository's leads here"
    config = {"url": HOOK_URL, "content_type": "json", "secret": "s"}
    body = {"config": config, "events": ["push"], "active": False}
    await surgery.ask("POST", f"/repos/{REPOSITORY}/hooks", body)
    assert (await surgery.one("webhook")).words == "is switched off"


def test_what_is_wrong_with_a_webhook_is_told_by_its_settings() -> None:
    public = "https://app.example"
    well = {
        "url": f"{public}{hooks.PATH}",
        "content_type": "json",
        "secret": "********",
        "insecure_ssl": "0",
    }
    assert hooks.broken(well, public) == hooks.careless(well) == []
    assert "application/json" in hooks.broken({**well, "content_type": "form"}, public)[0]
    assert "SSL" in hooks.careless({**well, "insecure_ssl": "1"})[0]
    plain = {**well, "url": well["url"].replace("https", "http")}
    assert "https://" in hooks.careless(plain)[0]
    assert hooks.points_here(plain, public) is False
    assert "leads to nowhere" in hooks.broken({}, public)[0]
    assert hooks.unheard(["*"], app=True) == []
    assert hooks.unheard(["push"], app=False) == ["issue_comment", "pull_request"]
    assert hooks.refused(204) == ""
    assert "GITHUB_WEBHOOK_SECRET" in hooks.refused(401)


def test_one_of_two_secrets_is_enough_and_none_is_not() -> None:
    names = ("A_PASSWORD", "A_SECRET")
    assert look_at_secrets({"A_SECRET": "x"}, names, "A_SECRET_OLD").state == "ok"
    assert look_at_secrets({"A_SECRET": " "}, names, "A_SECRET_OLD").state == "failed"


# Branch protection


async def test_a_branch_that_takes_what_was_not_planned_is_a_warning(surgery: Surgery) -> None:
    surgery.hub.backdoor.ruleset(REPOSITORY, ["lint"], app=True)
    found = await surgery.one("branch protection")
    assert found.state == "warning"
    assert "Require the status check reconciler for main" in found.todo[0]


async def test_a_check_that_anybody_could_set_is_a_warning(surgery: Surgery) -> None:
    surgery.hub.backdoor.ruleset(REPOSITORY, ["lint", "reconciler"])
    found = await surgery.one("branch protection")
    assert found.state == "warning"
    assert "Choose the App as the source" in found.todo[0]


async def test_the_older_protection_of_a_branch_is_read_as_well(surgery: Surgery) -> None:
    surgery.hub.world.repositories[REPOSITORY].rulesets.clear()
    surgery.hub.backdoor.protect(REPOSITORY, ["reconciler"])
    assert (await surgery.one("branch protection")).state == "warning"
    surgery.with_token()
    assert (await surgery.one("branch protection")).state == "ok"


async def test_rules_that_may_not_be_read_are_left_to_the_reader(surgery: Surgery) -> None:
    for path in ("rules/branches/main", "branches/main"):
        fault = {"path": f"/api/v3/repos/{REPOSITORY}/{path}", "status": 403}
        surgery.hub.faults.add([fault])
    found = await surgery.one("branch protection")
    assert (found.state, "cannot be read" in found.words) == ("skipped", True)


# Azure Repos


@pytest.fixture
async def devops(tmp_path: Path) -> AsyncIterator[tuple[EmulatedAzureDevOps, dict[str, str]]]:
    async with EmulatedAzureDevOps() as hub:
        await hub.backdoor.create_repository("estate", {"README.md": "Specs.\n"})
        yield (
            hub,
            {
                **hub.environment(),
                "RECONCILER_REPO_URL": f"{hub.url}/platform/_git/estate",
                "RECONCILER_GIT_CACHE": str(tmp_path / "git"),
                "RECONCILER_STATE": f"sqlite:{tmp_path / 'state.db'}",
                "RECONCILER_ARM_ENDPOINT": "http://127.0.0.1:1",
                "IDENTITY_ENDPOINT": "http://127.0.0.1:1",
                "IDENTITY_HEADER": "none",
            },
        )


async def seen(settings: Mapping[str, str]) -> dict[str, Finding]:
    async with doctor_for(settings, dict) as doctor:
        return await doctor.look()


async def test_azure_repos_is_asked_who_we_are_and_read_with_the_same_token(
    devops: tuple[EmulatedAzureDevOps, dict[str, str]],
) -> None:
    hub, settings = devops
    hub.backdoor.protect("platform/estate", status="gitops/reconciler")
    hub.backdoor.subscribe(f"{APP_URL}/api/webhooks/azuredevops")
    found = await seen(settings)
    rows = {name: found[name].state for name in ROWS}
    unread = ("forge clock",)
    assert rows == {name: "skipped" if name in unread else "ok" for name in ROWS}, found
    assert found["repository"].state == "ok"
    assert found["forge repository"].words == "0 pull requests open"
    assert settings["AZURE_DEVOPS_TOKEN"] not in repr(found)


async def test_a_token_that_azure_devops_does_not_know_fails_and_is_not_repeated(
    devops: tuple[EmulatedAzureDevOps, dict[str, str]],
) -> None:
    _, settings = devops
    found = await seen({**settings, "AZURE_DEVOPS_TOKEN": "canary-of-a-token"})
    assert found["forge"].state == "failed"
    assert found["forge identity"].state == "skipped"
    assert "canary-of-a-token" not in repr(found)


async def test_a_password_for_service_hooks_without_a_name_opens_nothing_and_it_is_said(
    devops: tuple[EmulatedAzureDevOps, dict[str, str]],
) -> None:
    _, settings = devops
    del settings["AZURE_DEVOPS_WEBHOOK_SECRET"]
    found = await seen({**settings, "AZURE_DEVOPS_WEBHOOK_PASSWORD": "p"})
    assert found["webhook secret"].state == "failed"
    assert "AZURE_DEVOPS_WEBHOOK_USER" in found["webhook secret"].todo[0]


# The pages


@pytest.mark.parametrize("page", ["github.md", "azure-devops.md"])
def test_the_pages_name_rows_that_there_are(page: str) -> None:
    named = re.findall(r"\[([a-z][a-z ,\n]+)(?::[^\]]*)?\](?!\()", (DOCS / page).read_text())
    rows = {row.strip() for text in named for row in " ".join(text.split()).split(",")}
    assert {"webhook", "webhook secret", "branch protection", "forge identity"} <= rows
    assert rows <= {*ROWS, "settings", "repository"}


def test_the_page_asks_for_the_permissions_and_events_that_are_looked_for() -> None:
    text = (DOCS / "github.md").read_text()
    asked = {
        name.lower().replace(" ", "_"): {"read-only": "read", "read and write": "write"}[level]
        for name, level in re.findall(r"\*([A-Z][a-z ]+)\*: (read-only|read and write) ?[·|]", text)
    }
    assert asked == granted.NEEDED
    (events,) = re.findall(r"\| Subscribe to events \| (.*) \|", text)
    named = {name.lower().replace(" ", "_") for name in re.findall(r"\*([^*]+)\*", events)}
    assert named == hooks.EVENTS
