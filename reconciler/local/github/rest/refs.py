"""Refs, commits, comparisons, and the objects of the Git database."""

import base64

from reconciler.local.github import shapes
from reconciler.local.github.git import NO_COMMIT, Commit, Git, GitFailed
from reconciler.local.github.model import Refusal
from reconciler.local.github.wire import Context, Reply, not_found, route

REPO = "/repos/{owner}/{repo}"
READ, WRITE = "contents:read", "contents:write"
SHA_TYPE = "application/vnd.github.sha"
DIFF_TYPE = "application/vnd.github.diff"


async def commit_of(ctx: Context, name: str) -> str:
    """The commit that a branch, tag, ref or sha names. 422 when there is none."""
    git = Git(ctx.repo.folder)
    for tried in (f"refs/heads/{name}", f"refs/{name}", f"refs/tags/{name}", name):
        if sha := await git.resolve(tried):
            return sha
    raise Refusal(422, f"No commit found for SHA: {name}")


def _wants(ctx: Context, kind: str) -> bool:
    accept = ctx.request.headers.get("accept", "")
    return kind in accept.replace("vnd.github.v3.", "vnd.github.")


@route("GET", REPO + "/commits", READ)
async def list_commits(ctx: Context) -> Reply:
    query, git = ctx.request.query, Git(ctx.repo.folder)
    start = await commit_of(ctx, query.get("sha") or ctx.repo.default_branch)
    named = ["--", query["path"]] if query.get("path") else []
    found = await git.log(start, *named)
    items, headers = ctx.page(found)
    body = [shapes.commit(ctx.site.world, ctx.repo, one) for one in items]
    return Reply(200, body, headers)


@route("GET", REPO + "/commits/{ref}", READ)
async def get_commit(ctx: Context) -> Reply:
    sha = await commit_of(ctx, ctx.params["ref"])
    if _wants(ctx, SHA_TYPE):
        return Reply(200, sha.encode(), {"Content-Type": f"{SHA_TYPE}; charset=utf-8"})
    git = Git(ctx.repo.folder)
    commit = await git.commit(sha)
    files = await git.diff(commit.parents[0], sha) if commit.parents else []
    items, headers = ctx.page(files)
    return Reply(200, shapes.commit(ctx.site.world, ctx.repo, commit, items), headers)


@route("GET", REPO + "/commits/{ref}/pulls", "pull_requests:read")
async def list_pull_requests_associated_with_commit(ctx: Context) -> Reply:
    """Those whose merge brought the commit to the default branch; else the open ones with it."""
    sha = await commit_of(ctx, ctx.params["ref"])
    git = Git(ctx.repo.folder)
    merged, opened = [], []
    for issue, pull in ctx.repo.pulls():
        if pull.merged is not None:
            brought = pull.merge_commit == sha or await _between(
                git, pull.base_sha, pull.head_sha, sha
            )
            merged += [(issue, pull)] if brought else []
        elif issue.state == "open" and await _between(git, pull.base_sha, pull.head_sha, sha):
            opened.append((issue, pull))
    items, headers = ctx.page(merged or opened)
    body = [shapes.pull_simple(ctx.site.world, issue, pull) for issue, pull in items]
    return Reply(200, body, headers)


async def _between(git: Git, base: str, head: str, sha: str) -> bool:
    return await git.contains(head, sha) and not await git.contains(base, sha)


@route("GET", REPO + "/compare/{basehead}", READ)
async def compare_commits(ctx: Context) -> Reply:
    base, dots, head = ctx.params["basehead"].partition("...")
    if not dots:
        raise not_found()
    git, ends = Git(ctx.repo.folder), []
    for name in (base, head):
        try:
            ends.append(await commit_of(ctx, name))
        except Refusal:
            raise not_found() from None
    fork = await git.merge_base(*ends)
    if fork is None:
        raise Refusal(404, f"No common ancestor between {base} and {head}.")
    if _wants(ctx, DIFF_TYPE):
        return await _diff(git, fork, ends[1])
    ahead = await git.log("--reverse", "--topo-order", f"{ends[0]}..{ends[1]}")
    behind = await git.count(f"{ends[1]}..{ends[0]}")
    commits: tuple[Commit, Commit] = (await git.commit(ends[0]), await git.commit(fork))
    files = await git.diff(fork, ends[1])
    body = shapes.comparison(
        ctx.site.world, ctx.repo, (base, head), commits, ahead, behind, files[:300]
    )
    return Reply(200, body)


async def _diff(git: Git, old: str, new: str) -> Reply:
    text = await git.run("diff", "-M", "--no-color", "--no-ext-diff", old, new)
    return Reply(200, text.encode(), {"Content-Type": f"{DIFF_TYPE}; charset=utf-8"})


@route("GET", REPO + "/git/ref/{ref}", READ)
async def get_ref(ctx: Context) -> Reply:
    ref = f"refs/{ctx.params['ref']}"
    sha = (await Git(ctx.repo.folder).refs(ref)).get(ref)
    if sha is None:
        raise not_found()
    return Reply(200, shapes.git_ref(ctx.site.world, ctx.repo, ref, sha))


@route("GET", REPO + "/git/matching-refs/{ref}", READ)
async def list_matching_refs(ctx: Context) -> Reply:
    prefix = f"refs/{ctx.params['ref']}"
    refs = await Git(ctx.repo.folder).refs("refs/")
    found = [(ref, sha) for ref, sha in sorted(refs.items()) if ref.startswith(prefix)]
    items, headers = ctx.page(found)
    return Reply(200, [shapes.git_ref(ctx.site.world, ctx.repo, *one) for one in items], headers)


@route("POST", REPO + "/git/refs", WRITE, level="write")
async def create_ref(ctx: Context) -> Reply:
    ref, sha = ctx.required("ref"), ctx.required("sha")
    git = Git(ctx.repo.folder)
    if not ref.startswith(("refs/heads/", "refs/tags/")):
        raise Refusal(422, "Reference name must start with 'refs/heads/' or 'refs/tags/'.")
    if await git.resolve(sha) is None:
        raise Refusal(422, "Object does not exist")
    if ref in await git.refs(ref):
        raise Refusal(422, "Reference already exists")
    await _move(ctx, git, ref, NO_COMMIT, sha)
    return Reply(201, shapes.git_ref(ctx.site.world, ctx.repo, ref, sha))


@route("PATCH", REPO + "/git/refs/{ref}", WRITE, level="write")
async def update_ref(ctx: Context) -> Reply:
    ref, sha, git = f"refs/{ctx.params['ref']}", ctx.required("sha"), Git(ctx.repo.folder)
    before = (await git.refs(ref)).get(ref)
    if before is None:
        raise Refusal(422, "Reference does not exist")
    if await git.resolve(sha) is None:
        raise Refusal(422, "Object does not exist")
    if not ctx.body.get("force") and not await git.contains(sha, before):
        raise Refusal(422, "Update is not a fast forward")
    await _move(ctx, git, ref, before, sha)
    return Reply(200, shapes.git_ref(ctx.site.world, ctx.repo, ref, sha))


@route("DELETE", REPO + "/git/refs/{ref}", WRITE, level="write")
async def delete_ref(ctx: Context) -> Reply:
    ref, git = f"refs/{ctx.params['ref']}", Git(ctx.repo.folder)
    before = (await git.refs(ref)).get(ref)
    if before is None:
        raise Refusal(422, "Reference does not exist")
    await git.delete_ref(ref)
    await ctx.site.pulls.pushed(ctx.repo, ref, before, NO_COMMIT, ctx.caller.actor)
    return Reply(204)


async def _move(ctx: Context, git: Git, ref: str, before: str, sha: str) -> None:
    try:
        await git.update_ref(ref, sha, before)
    except GitFailed as error:
        raise Refusal(422, str(error)) from error
    await ctx.site.pulls.pushed(ctx.repo, ref, before, sha, ctx.caller.actor)


@route("GET", REPO + "/git/commits/{commit_sha}", READ)
async def get_git_commit(ctx: Context) -> Reply:
    git = Git(ctx.repo.folder)
    sha = await git.resolve(ctx.params["commit_sha"])
    if sha is None:
        raise not_found()
    return Reply(200, shapes.git_commit(ctx.site.world, ctx.repo, await git.commit(sha)))


@route("GET", REPO + "/git/blobs/{file_sha}", READ)
async def get_blob(ctx: Context) -> Reply:
    sha = ctx.params["file_sha"]
    try:
        data = await Git(ctx.repo.folder).blob(sha)
    except GitFailed:
        raise not_found() from None
    body = {
        "sha": sha,
        "node_id": f"blob-{sha}",
        "size": len(data),
        "url": f"{ctx.site.world.api}/repos/{ctx.repo.full_name}/git/blobs/{sha}",
        "content": base64.encodebytes(data).decode(),
        "encoding": "base64",
    }
    return Reply(200, body)
