"""githubkit, an independent client, finds what it expects; with a token and as an App."""

from __future__ import annotations

import pytest
from githubkit import AppInstallationAuthStrategy, GitHub, TokenAuthStrategy
from githubkit.exception import RequestFailed

from reconciler.local.github import EmulatedGitHub
from tests.local.github.client import REPO, Client

OWNER, NAME = REPO.split("/")


async def test_a_token_reads_and_comments() -> None:
    async with Client(EmulatedGitHub()) as client:
        number = await client.a_pull()
        auth = TokenAuthStrategy(client.token("reconciler"))
        async with GitHub(auth, base_url=f"{client.github.api}/") as kit:
            rest = kit.rest
            pull = (await rest.pulls.async_get(OWNER, NAME, number)).parsed_data
            assert (pull.mergeable, pull.head.ref) == (True, "change")
            listed = await rest.pulls.async_list_files(OWNER, NAME, number)
            files = listed.parsed_data
            assert [file.filename for file in files] == ["specs/two.yaml"]
            made = await rest.issues.async_create_comment(OWNER, NAME, number, body="The plan")
            assert made.parsed_data.user is not None
            assert made.parsed_data.user.login == "reconciler"
            await rest.repos.async_create_commit_status(
                OWNER, NAME, pull.head.sha, state="success", context="reconciler"
            )
            await rest.reactions.async_create_for_issue_comment(
                OWNER, NAME, made.parsed_data.id, content="eyes"
            )
            level = await rest.repos.async_get_collaborator_permission_level(
                OWNER, NAME, "maintainer"
            )
            assert level.parsed_data.permission == "admin"
            with pytest.raises(RequestFailed) as refused:
                await rest.checks.async_create(OWNER, NAME, name="dev", head_sha=pull.head.sha)
            assert refused.value.response.status_code == 403


async def test_an_app_signs_in_with_its_key_and_writes_check_runs() -> None:
    async with Client(EmulatedGitHub()) as client:
        number = await client.a_pull()
        app = client.github.world.app
        auth = AppInstallationAuthStrategy(app.id, app.private_key, app.installation_id)
        async with GitHub(auth, base_url=f"{client.github.api}/") as kit:
            pull = (await kit.rest.pulls.async_get(OWNER, NAME, number)).parsed_data
            run = await kit.rest.checks.async_create(
                OWNER, NAME, name="reconciler", head_sha=pull.head.sha, status="in_progress"
            )
            done = await kit.rest.checks.async_update(
                OWNER, NAME, run.parsed_data.id, status="completed", conclusion="success",
                output={"title": "Fine", "summary": "Nothing to do"},
            )  # fmt: skip
            assert done.parsed_data.conclusion == "success"
            merged = await kit.rest.pulls.async_merge(OWNER, NAME, number, merge_method="squash")
            assert merged.parsed_data.merged
