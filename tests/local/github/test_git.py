"""The real git clones from and pushes to the emulated GitHub."""

from __future__ import annotations

from pathlib import Path

from reconciler.local.github import EmulatedGitHub
from tests.local.github.client import REPO, Client, git


def address(client: Client, token: str, repo: str = REPO) -> str:
    return f"{client.github.url}/{repo}.git".replace("://", f"://x-access-token:{token}@")


async def test_a_push_opens_the_way_for_a_pull_request_and_moves_it(tmp_path: Path) -> None:
    async with Client(EmulatedGitHub()) as client:
        work = tmp_path / "work"
        await git("clone", "-q", address(client, client.token()), str(work))
        await git("switch", "-qc", "change", cwd=work)
        (work / "two.yaml").write_text("kind: Two\n")
        await git("add", ".", cwd=work)
        await git("commit", "-qm", "Two", cwd=work)
        await git("push", "-q", "origin", "change", cwd=work)
        number = await client.github.backdoor.open_pull(REPO, "change", "Two")
        (work / "big.bin").write_bytes(bytes(range(256)) * 16_384)  # 4 MiB: sent in chunks
        await git("add", ".", cwd=work)
        await git("commit", "-qm", "More", cwd=work)
        await git("push", "-q", "origin", "change", cwd=work)
        await git("fetch", "-q", "origin", f"refs/pull/{number}/merge", cwd=work)
        assert await git("show", "FETCH_HEAD:two.yaml", cwd=work) == "kind: Two"
        head = await git("rev-parse", "HEAD", cwd=work)
        pull = (await client.send("GET", f"./pulls/{number}")).body
        assert (pull["head"]["sha"], pull["commits"]) == (head, 2)
        heard = await client.heard()
        assert heard == [
            "push", "check_suite.requested", "pull_request.opened",
            "push", "check_suite.requested", "pull_request.synchronize",
        ]  # fmt: skip
        refused = await git("push", "origin", f"HEAD:refs/pull/{number}/head", cwd=work,
                            check=False)  # fmt: skip
        assert "hidden ref" in refused
        await git("push", "-q", "origin", "HEAD:main", cwd=work)
        assert (await client.send("GET", f"./pulls/{number}")).body["merged"] is True


async def test_only_those_who_may_read_clone_and_those_who_may_write_push(tmp_path: Path) -> None:
    async with Client(EmulatedGitHub()) as client:
        door = client.github.backdoor
        secret = await door.create_repository("secret", private=True)
        plain = f"{client.github.url}/{secret}.git"
        for url, why in (
            (plain, "could not read Username"),
            (address(client, "ghp_wrong", secret), "Authentication failed"),
            (address(client, client.token("stranger"), secret), "not found"),
        ):
            said = await git("ls-remote", url, check=False)
            assert why in said, (url, said)
        reader = door.allow(secret, "reader", "read")
        work = tmp_path / "work"
        await git("clone", "-q", address(client, reader, secret), str(work))
        assert "403" in await git("push", "origin", "HEAD:refs/heads/new", cwd=work, check=False)
        token = await client.app_token()
        await git("push", "-q", address(client, token, secret), "HEAD:refs/heads/new", cwd=work)
        limited = await client.app_token(permissions={"contents": "read"})
        to = address(client, limited, secret)
        assert "403" in await git("push", to, "HEAD:refs/heads/x", cwd=work, check=False)
        only = await client.app_token(repositories=["estate"])
        assert "not found" in await git("ls-remote", address(client, only, secret), check=False)


async def test_a_public_repository_is_cloned_without_a_token(tmp_path: Path) -> None:
    async with Client(EmulatedGitHub()) as client:
        flags = ("--depth=1", "--filter=blob:none", "--no-checkout", "-q")
        await git("clone", *flags, f"{client.github.url}/{REPO}", str(tmp_path / "work"))


async def test_odd_names_links_renames_and_binary_files_are_listed(tmp_path: Path) -> None:
    async with Client(EmulatedGitHub()) as client:
        work = tmp_path / "work"
        await git("clone", "-q", address(client, client.token()), str(work))
        await git("switch", "-qc", "odd", cwd=work)
        (work / "README.md").unlink()
        (work / "README.md").symlink_to("elsewhere")
        (work / 'tab\tand\tmore "quoted"').write_text("x\n")
        (work / "data.bin").write_bytes(bytes(range(256)))
        await git("mv", "specs/account.yaml", "specs/re\tnamed.yaml", cwd=work)
        await git("add", ".", cwd=work)
        await git("commit", "-qm", "Odd", cwd=work)
        await git("push", "-q", "origin", "odd", cwd=work)
        number = await client.github.backdoor.open_pull(REPO, "odd", "Odd")
        files = (await client.send("GET", f"./pulls/{number}/files")).body
        assert {file["filename"]: file["status"] for file in files} == {
            "README.md": "modified",
            "data.bin": "added",
            "specs/re\tnamed.yaml": "renamed",
            'tab\tand\tmore "quoted"': "added",
        }
        by_name = {file["filename"]: file for file in files}
        assert by_name["specs/re\tnamed.yaml"]["previous_filename"] == "specs/account.yaml"
        assert "patch" not in by_name["data.bin"]
        assert by_name['tab\tand\tmore "quoted"']["patch"] == "@@ -0,0 +1 @@\n+x"
        assert (await client.text(f"/{REPO}/pull/{number}"))[0] == 200


async def test_whoever_pushes_a_new_branch_is_told_where_to_open_a_pull_request(
    tmp_path: Path,
) -> None:
    async with Client(EmulatedGitHub()) as client:
        work = tmp_path / "work"
        await git("clone", "-q", address(client, client.token()), str(work))
        await git("switch", "-qc", "more/100%", cwd=work)
        await git("commit", "-qm", "More", "--allow-empty", cwd=work)
        said = await git("push", "origin", "HEAD", cwd=work)
        page = f"{client.github.url}/{REPO}/pull/new/more/100%25"
        lines = [line.rstrip() for line in said.splitlines()]
        assert f"remote:      {page}" in lines, said
        assert "new branch" in said
        assert (await client.text(f"/{REPO}/pull/new/more/100%25"))[0] == 200
        await git("commit", "-qm", "Again", "--allow-empty", cwd=work)
        assert "remote:" not in await git("push", "origin", "HEAD", cwd=work)
        assert "remote:" not in await git("push", "origin", ":more/100%", cwd=work)
        assert "remote:" not in await git("push", "origin", "HEAD:main", cwd=work)
