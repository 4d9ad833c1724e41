"""No secret leaves by a pull request: canaries in every field and setting that takes a secret, in
what Azure and the forge answer, and in specs where a name belongs; then every place is searched.

Nothing is filtered on the way: what a log's own filter would have caught is found here.
"""

import gzip
import json
import logging
import traceback
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from reconciler.app import SystemClock
from reconciler.core.errors import ReconcilerError
from reconciler.core.forge import Untrusted
from reconciler.forge import GitHub, GitHubSettings
from reconciler.local.azure import Fault
from reconciler.local.github import EmulatedGitHub
from reconciler.local.github import Fault as ForgeFault
from reconciler.local.github.hooks import signatures
from reconciler.local.github.traffic import Exchange
from reconciler.telemetry import measure
from tests.proofs.secret_estate import CANARIES, ESTATE, VALUES
from tests.proofs.test_canaries import logged
from tests.pull_desk import REPOSITORY, PullDesk, a_pull_desk
from tests.test_telemetry import Ear

OLD = "tweety-old-webhook-secret"
TYPED = "tweety-typed-into-a-spec"
TOKENS = {
    "sas": "tweety-sas-5f0c",
    "token": "eyJ0d2VldHktand0.eyJ0d2VldHktand0.tweety-jwt-signature",
    "key": "tweety-account-key-77",
    "basic": "dHdlZXR5OnR3ZWV0eS1iYXNpYw==",
}
"""Secrets of Azure's own, which nobody has told the reconciler."""
SAYS = (
    f"See https://st.blob.core.windows.net/logs/build.txt?sv=2024&sig={TOKENS['sas']} for the log; "
    f"the request had Authorization: Bearer {TOKENS['token']} and AccountKey={TOKENS['key']}; "
    + " and ".join(VALUES.values())
)


@dataclass
class Left:
    """Everything that went out, as it went out."""

    ear: Ear
    texts: list[str] = field(default_factory=list)

    def sent(self, exchange: Exchange) -> None:
        self.texts.append(f"{exchange.path} {json.dumps(exchange.request, default=str)}")

    def told(self) -> Iterator[str]:
        for span in self.ear.spans.get_finished_spans():
            yield span.to_json()
        yield str(self.ear.metrics())


def secrets_of(hub: EmulatedGitHub) -> list[str]:
    """Who the reconciler is on the forge, in parts that a line break does not hide."""
    app = [one for one in hub.world.tokens if one.startswith("ghs_")]
    key = hub.world.app.private_key.split("\n")[1:-2]
    return [*app, *key, hub.hooks.app_hook.secret, hub.environment()["GITHUB_TOKEN"], OLD]


def sung(texts: list[str], canaries: list[str]) -> list[str]:
    whole = "\n".join(texts)
    return [one for one in canaries if one in whole or json.dumps(one)[1:-1] in whole]


def files_below(folder: Path) -> list[str]:
    """Every file's bytes, and what a packed one holds."""
    found = []
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            content = file.read_bytes()
            unpacked = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else b""
            found.append((content + unpacked).decode("latin-1"))
    return found


@asynccontextmanager
async def watched(folder: Path, app: bool) -> AsyncIterator[tuple[PullDesk, Left]]:
    """A desk with all secrets in place, as a GitHub App or with a token; and what leaves it."""
    async with a_pull_desk(folder) as desk:
        left = Left(Ear())
        desk.hub.options.on_exchange = left.sent
        desk.world.secrets.update(VALUES)  # type: ignore[attr-defined]
        env = {**desk.hub.environment(), "GITHUB_REPOSITORY": REPOSITORY}
        env["GITHUB_WEBHOOK_SECRET_OLD"] = OLD
        for name in () if app else ("GITHUB_APP_ID", "GITHUB_PRIVATE_KEY"):
            del env[name]
        given = replace(GitHubSettings.from_env(env), patience_s=1.0)
        forge = GitHub(given, SystemClock())
        desk.service = replace(desk.service, forge=forge)
        send = desk.queue.send

        async def remembered(message: Mapping[str, str], delay_s: float = 0.0) -> None:
            left.texts.append(json.dumps(dict(message)))
            await send(message, delay_s)

        desk.queue.send = remembered  # type: ignore[method-assign]
        try:
            yield desk, left
        finally:
            measure.deafen()
            await forge.close()


async def everything(desk: PullDesk, *documents: str) -> None:
    """A pull request is planned and merged; its apply fails, is asked for again, and done; then
    somebody changes Azure by hand."""
    await desk.branch_at(*documents[:6])
    await desk.pushed()
    number = await desk.propose(*documents)
    await desk.look(number)
    rules = [
        Fault(method="PUT", path=path, status=status, message=SAYS, count=1)
        for status, path in ((400, "connections"), (409, "datastores"), (400, "computes"))
    ]
    desk.world.azure.faults.add(rules)
    await desk.merge(number)
    assert (await desk.applied()).state == "failed"
    await desk.say(number, "/apply dev\n/plan dev\n/help")
    assert (await desk.applied()).state == "done"
    desk.world.patch(
        "Microsoft.CognitiveServices/accounts/contoso",
        {"properties": {"publicNetworkAccess": "Disabled"}, "tags": {"by": "hand"}},
    )
    workspace = "Microsoft.MachineLearningServices/workspaces/mlw/connections/c-api-key"
    desk.world.patch(workspace, {"properties": {"target": "https://elsewhere.example.com"}})
    await desk.sweep()
    await desk.sweep()


async def heard(desk: PullDesk) -> list[str]:
    """Webhooks signed with either secret, and with none."""
    body = json.dumps({"zen": "Keep it", "repository": {"full_name": REPOSITORY}}).encode()
    found = []
    for secret in (desk.hub.hooks.app_hook.secret, OLD, "wrong"):
        headers = {**signatures(secret, body), "X-GitHub-Event": "ping"}
        try:
            await desk.service.hear("github", headers, body)
        except Untrusted as error:
            found.append("".join(traceback.format_exception(error)))
    assert len(found) == 1
    return found


async def refused(desk: PullDesk) -> list[str]:
    """What is raised, with its causes, when the forge repeats what it was sent: its key is not."""
    found = []
    tokens = [one for one in secrets_of(desk.hub) if one.startswith("gh")]
    for status in (401, 403, 422, 500):
        repeated = " ".join(tokens)
        desk.hub.faults.add(
            [ForgeFault(path="pulls/1", status=status, message=f"Bad: {repeated}", count=50)]
        )
        try:
            assert desk.service.forge
            await desk.service.forge.pull(1)
        except ReconcilerError as error:
            found.append("".join(traceback.format_exception(error)) + repr(error))
        desk.hub.faults.clear()
    assert len(found) == 4
    return found


@pytest.mark.parametrize("app", [True, False], ids=["app", "token"])
async def test_no_secret_leaves_from_the_plan_of_a_pull_request_to_its_drift(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, app: bool
) -> None:
    caplog.set_level(logging.DEBUG)
    async with watched(tmp_path, app) as (desk, left):
        await everything(desk, *(ESTATE if app else ESTATE[:14]))
        left.texts += await heard(desk)
        left.texts += await refused(desk)
        canaries = [*CANARIES.values(), *TOKENS.values(), *secrets_of(desk.hub)]
        arrived = [json.dumps(one.body, default=str) for one in desk.world.azure.store]
        assert sung(arrived, canaries), "the canaries were never sent"
        written = " ".join(left.texts)
        assert "build.txt" in written  # what Azure said is told, without what signs it
        assert "c-api-key" in written
        assert any(title for title, _ in await desk.issues())
        left.texts += left.told()
        assert sung(left.texts, canaries) == []
        assert sung(files_below(tmp_path), canaries) == []
    assert len(caplog.records) > 100
    assert sung(logged(caplog), canaries) == []


FORMS = {
    "as it is": TYPED,
    "instead of a name": f"{{secret: {TYPED}}}",
    "as a setting's name": f"{{secret: {{setting: {TYPED}}}}}",
    "beside a name": f"{{secret: {{setting: S00}}, or: {TYPED}}}",
    "under another name": f"{{secret: {{value: {TYPED}}}}}",
    "as a field": f"{{{TYPED}: x}}",
    "in a list": f"[{TYPED}]",
    "like an alias": f"*{TYPED}",
    "like an anchor": f"&{TYPED} x",
    "like a tag": f"!{TYPED} x",
    "with a quote too few": f'"{TYPED}',
    "with a brace too few": f"{{{TYPED}",
    "with a colon": f"{TYPED}: {TYPED}: x",
    "as a value of the environment": "${pass}",
}


@pytest.mark.parametrize("form", FORMS)
async def test_a_secret_that_somebody_typed_into_a_spec_is_not_repeated(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, form: str
) -> None:
    """Who reads the file sees it; who reads the comment, the checks or the logs does not."""
    caplog.set_level(logging.DEBUG)
    secret = "{secret: {setting: S"
    typed = []
    for document in ESTATE:
        before, *after = document.split(secret)
        rest = [part.partition("}}")[2] for part in after]
        typed.append(before + "".join(FORMS[form] + part for part in rest))
    async with watched(tmp_path, True) as (desk, left):
        await desk.branch_at(*ESTATE[:6])
        number = await desk.propose(*typed, environment=f"values: {{pass: {TYPED}}}")
        preview = await desk.look(number)
        assert preview.state == "invalid"
        assert "reconciler" in await desk.marks(number)
        left.texts += left.told()
        assert sung(left.texts, [TYPED]) == []
        assert sung(files_below(tmp_path / "desk"), [TYPED]) == []
    assert sung(logged(caplog), [TYPED]) == []
