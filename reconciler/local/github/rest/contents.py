"""Files and folders at a ref."""

import base64

from reconciler.local.github import shapes
from reconciler.local.github.git import Git
from reconciler.local.github.rest.refs import commit_of
from reconciler.local.github.wire import Context, Reply, not_found, route

RAW = "application/vnd.github.raw"
LARGEST = 1 << 20  # a larger file comes without its content, unless raw


@route("GET", "/repos/{owner}/{repo}/contents/{path}", "contents:read")
async def get_content(ctx: Context) -> Reply:
    return await _content(ctx, ctx.params["path"].strip("/"))


@route("GET", "/repos/{owner}/{repo}/contents", "contents:read")
async def get_root(ctx: Context) -> Reply:
    return await _content(ctx, "")


async def _content(ctx: Context, path: str) -> Reply:
    git, world = Git(ctx.repo.folder), ctx.site.world
    ref = ctx.request.query.get("ref") or ctx.repo.default_branch
    entries = await git.entries(await commit_of(ctx, ref), path)
    if entries is None:
        raise not_found()
    if len(entries) == 1 and entries[0][3] == path:
        return await _file(ctx, git, ref, entries[0][2], path)
    body = []
    for _, kind, sha, name in entries:
        word = "dir" if kind == "tree" else "file"
        size = len(await git.blob(sha)) if kind == "blob" else 0
        body.append(shapes.content(world, ctx.repo, ref, word, sha, name, size))
    return Reply(200, body)


async def _file(ctx: Context, git: Git, ref: str, sha: str, path: str) -> Reply:
    data = await git.blob(sha)
    accept = ctx.request.headers.get("accept", "").replace("vnd.github.v3.", "vnd.github.")
    if RAW in accept:
        return Reply(200, data, {"Content-Type": f"{RAW}; charset=utf-8"})
    body = shapes.content(ctx.site.world, ctx.repo, ref, "file", sha, path, len(data))
    large = len(data) > LARGEST
    body["encoding"] = "none" if large else "base64"
    body["content"] = "" if large else base64.encodebytes(data).decode()
    return Reply(200, body)
