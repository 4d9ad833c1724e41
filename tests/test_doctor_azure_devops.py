"""reconciler doctor and Azure Repos: its service hooks and the policies of its branch."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.app import doctor_for
from reconciler.doctor import Finding, service_hooks
from reconciler.local.azure_devops import EmulatedAzureDevOps

REPO = "platform/estate"
APP_URL = "http://127.0.0.1:1"
"""Nobody listens there."""
HOOK_URL = f"{APP_URL}/api/webhooks/azuredevops"


@dataclass
class Surgery:
    """A deployment on Azure Repos that has what it needs, until a test breaks it."""

    devops: EmulatedAzureDevOps
    settings: dict[str, str]

    async def one(self, row: str, **more: str) -> Finding:
        async with doctor_for({**self.settings, **more}, dict) as doctor:
            return (await doctor.look())[row]


@pytest.fixture
async def surgery(tmp_path: Path) -> AsyncIterator[Surgery]:
    async with EmulatedAzureDevOps() as devops:
        await devops.backdoor.create_repository("estate", {"README.md": "Specs.\n"})
        devops.backdoor.subscribe(HOOK_URL, secret="hook-canary")
        devops.backdoor.protect(REPO, status="gitops/reconciler")
        settings = {
            **devops.environment(),
            "RECONCILER_REPO_URL": f"{devops.url}/platform/_git/estate",
            "RECONCILER_GIT_CACHE": str(tmp_path / "git"),
            "RECONCILER_STATE": f"sqlite:{tmp_path / 'state.db'}",
            "RECONCILER_ARM_ENDPOINT": "http://127.0.0.1:1",
            "RECONCILER_PUBLIC_URL": APP_URL,
            # An identity that gives no token, and asks nobody outside of this machine.
            "IDENTITY_ENDPOINT": "http://127.0.0.1:1",
            "IDENTITY_HEADER": "none",
        }
        yield Surgery(devops, settings)


async def test_hooks_for_every_event_and_a_policy_for_our_status_are_as_they_should_be(
    surgery: Surgery,
) -> None:
    for branch in ("main", "refs/heads/main"):
        found = await surgery.one("webhook", RECONCILER_BRANCH=branch)
        assert (found.state, found.words) == ("ok", "5 service hooks lead here")
        found = await surgery.one("branch protection", RECONCILER_BRANCH=branch)
        assert (found.state, "gitops/reconciler" in found.words) == ("ok", True)


async def test_hooks_that_lead_elsewhere_are_none(surgery: Surgery) -> None:
    elsewhere = {"RECONCILER_PUBLIC_URL": "https://other.example"}
    found = await surgery.one("webhook", **elsewhere)
    assert found.state == "failed"
    assert "https://other.example/api/webhooks/azuredevops" in found.todo[0]


async def test_an_event_that_nobody_subscribed_to_is_named(surgery: Surgery) -> None:
    hooks = surgery.devops.hooks
    hooks.subscriptions[0] = replace(hooks.subscriptions[0], events=("git.push",))
    found = await surgery.one("webhook")
    assert found.state == "failed"
    assert "git.pullrequest.created" in found.todo[0]
    assert "git.push" not in found.todo[0]


async def test_a_hook_that_azure_devops_has_switched_off_is_named(surgery: Surgery) -> None:
    hooks = surgery.devops.hooks
    hooks.subscriptions.append(replace(hooks.subscriptions[0], status="disabledBySystem"))
    found = await surgery.one("webhook")
    assert found.state == "warning"
    assert "disabledBySystem" in found.todo[0]
    del hooks.subscriptions[0]
    assert (await surgery.one("webhook")).state == "failed"


async def test_what_may_not_be_read_is_skipped_with_the_place_to_look(surgery: Surgery) -> None:
    surgery.devops.backdoor.show_hooks(allowed=False)
    found = await surgery.one("webhook")
    assert (found.state, "Project settings" in found.words) == ("skipped", True)
    surgery.devops.backdoor.add_faults([{"path": "policy/configurations", "status": 403}])
    assert (await surgery.one("branch protection")).state == "skipped"


@pytest.mark.parametrize(
    ("blocking", "status"),
    [(False, "gitops/reconciler"), (True, "gitops/other"), (True, "build/reconciler")],
)
async def test_a_branch_that_does_not_ask_for_our_status_is_a_warning(
    surgery: Surgery, blocking: bool, status: str
) -> None:
    policies = surgery.devops.world.repository("estate").policies
    policies.clear()
    surgery.devops.backdoor.protect(REPO, status=status)
    policies[0].blocking = blocking
    found = await surgery.one("branch protection")
    assert found.state == "warning"
    assert "gitops/reconciler" in found.todo[0]


def subscription(**more: Any) -> dict[str, Any]:
    return {
        "eventType": "git.push",
        "status": "enabled",
        "resourceVersion": "1.0",
        "publisherInputs": {"branch": ""},
        "consumerInputs": {"url": f"https://app.example{service_hooks.PATH}"},
        **more,
    }


def every(**more: Any) -> list[dict[str, Any]]:
    return [subscription(eventType=event, **more) for event in service_hooks.EVENTS]


def test_a_comment_event_of_the_first_version_names_no_pull_request() -> None:
    for version, count in (("1.0", 1), ("1.0-preview.1", 1), ("2.0", 0), ("", 0), (None, 0)):
        assert len(service_hooks.broken(every(resourceVersion=version), "main")) == count


def test_a_hook_for_another_branch_tells_nothing_and_one_for_all_does() -> None:
    assert service_hooks.broken(every(resourceVersion="2.0"), "trunk") == []
    inputs = {"branch": "refs/heads/trunk"}
    assert service_hooks.broken(every(resourceVersion="2.0", publisherInputs=inputs), "trunk") == []
    assert service_hooks.broken(every(resourceVersion="2.0", publisherInputs=inputs), "main")


def test_a_hook_without_encryption_is_careless_and_its_password_is_not_told() -> None:
    url = f"http://me:canary@app.example{service_hooks.PATH}?code=canary"
    found = service_hooks.careless([subscription(consumerInputs={"url": url})] * 2)
    assert found == [
        "Let http://app.example/api/webhooks/azuredevops begin with https://: anybody on the way "
        "can read it now."
    ]


def test_without_an_address_of_its_own_a_hook_to_a_place_like_it_is_taken() -> None:
    found = [subscription(), subscription(consumerInputs={"url": "https://other.example/"}), {}]
    assert service_hooks.ours(found, "") == found[:1]
    assert service_hooks.ours(found, "https://app.example") == found[:1]
    assert service_hooks.ours(found, "https://other.example") == []
