"""Repositories, commits and what is between them."""

from reconciler.local.azure_devops import shapes
from reconciler.local.azure_devops.model import Refusal
from reconciler.local.azure_devops.wire import GIT, Context, route
from reconciler.local.github.git import Git
from reconciler.local.github.wire import Reply


async def _found(ctx: Context, name: str) -> str:
    found = await Git(ctx.repo.folder).resolve(name) if name else None
    if found is None:
        raise Refusal(404, f"TF401175: The version descriptor <Commit: {name}> could not be "
                      "resolved to a version in the repository.",
                      "GitUnresolvableToCommitException")  # fmt: skip
    return found


@route("GET", GIT)
async def get_repository(ctx: Context) -> Reply:
    return Reply(200, shapes.repository(ctx.world, ctx.repo))


@route("GET", GIT + "/commits")
async def list_commits(ctx: Context) -> Reply:
    """What can be reached from a commit or a branch, newest first."""
    name = ctx.query("searchCriteria.itemVersion.version", ctx.repo.default_branch)
    start = await _found(ctx, name)
    words = ("--topo-order", f"--skip={ctx.number('$skip', 0)}", f"-n{ctx.number('$top', 100)}")
    found = await Git(ctx.repo.folder).log(*words, start)
    items = [
        {
            "commitId": one.sha,
            "author": {
                "name": one.author.name,
                "email": one.author.email,
                "date": one.author.date,
            },
            "comment": one.message,
        }
        for one in found
    ]
    return Reply(200, shapes.listing(items))


@route("GET", GIT + "/diffs/commits")
async def diff_commits(ctx: Context) -> Reply:
    base = await _found(ctx, ctx.query("baseVersion"))
    target = await _found(ctx, ctx.query("targetVersion"))
    git = Git(ctx.repo.folder)
    common = await git.merge_base(base, target)
    body = {
        "allChangesIncluded": False,
        "changeCounts": {},
        "changes": [],
        "commonCommit": common,
        "baseCommit": base,
        "targetCommit": target,
        "aheadCount": await git.count(f"{base}..{target}"),
        "behindCount": await git.count(f"{target}..{base}"),
    }
    return Reply(200, body)
