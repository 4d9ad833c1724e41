"""Pull requests."""

from reconciler.local.github import shapes
from reconciler.local.github.git import Git
from reconciler.local.github.model import Issue, Pull, Refusal, Review
from reconciler.local.github.rest.refs import DIFF_TYPE
from reconciler.local.github.rest.texts import checked
from reconciler.local.github.wire import Context, Reply, not_found, route

ROOT = "/repos/{owner}/{repo}/pulls"
ONE = ROOT + "/{pull_number}"
READ, WRITE = "pull_requests:read", "pull_requests:write"
EVENTS = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}
MOST_FILES = 3000


def _found(ctx: Context) -> tuple[Issue, Pull]:
    issue = ctx.repo.issues.get(ctx.number("pull_number"))
    if issue is None or issue.pull is None:
        raise not_found()
    return issue, issue.pull


@route("GET", ROOT, READ)
async def list_pulls(ctx: Context) -> Reply:
    query = ctx.request.query
    state, head, base = query.get("state", "open"), query.get("head", ""), query.get("base", "")
    found = [
        (issue, pull)
        for issue, pull in ctx.repo.pulls()
        if state in ("all", issue.state)
        and base in ("", pull.base_ref)
        and head in ("", f"{pull.head_repo.owner.login}:{pull.head_ref}", pull.head_ref)
    ]
    by_update = query.get("sort") == "updated"
    newest_first = query.get("direction", "asc" if "sort" in query else "desc") == "desc"
    found.sort(
        key=lambda one: (one[0].updated if by_update else one[0].created, one[0].number),
        reverse=newest_first,
    )
    items, headers = ctx.page(found)
    body = [shapes.pull_simple(ctx.site.world, issue, pull) for issue, pull in items]
    return Reply(200, body, headers)


@route("POST", ROOT, WRITE, creates=True)
async def create_pull(ctx: Context) -> Reply:
    title, head, base = (ctx.required(name) for name in ("title", "head", "base"))
    body = checked(ctx.text("body"), "PullRequest")
    issue, pull = await ctx.site.pulls.open(
        ctx.repo, head, base, title, body, ctx.caller.actor,
        draft=bool(ctx.body.get("draft")),
    )  # fmt: skip
    issue.app = ctx.caller.app
    return Reply(201, await ctx.site.pulls.shape(issue, pull))


@route("GET", ONE, READ)
async def get_pull(ctx: Context) -> Reply:
    issue, pull = _found(ctx)
    if DIFF_TYPE in ctx.request.headers.get("accept", "").replace(".v3.", "."):
        git = Git(ctx.repo.folder)
        base = await ctx.site.pulls.fork_point(issue, pull)
        text = await git.run("diff", "-M", "--no-color", "--no-ext-diff", base, pull.head_sha)
        return Reply(200, text.encode(), {"Content-Type": f"{DIFF_TYPE}; charset=utf-8"})
    return Reply(200, await ctx.site.pulls.shape(issue, pull))


@route("PATCH", ONE, WRITE)
async def update_pull(ctx: Context) -> Reply:
    """Its author and those who may write change a pull request."""
    issue, pull = _found(ctx)
    actor, pulls = ctx.caller.actor, ctx.site.pulls
    able = ("triage", "write", "maintain", "admin")
    if ctx.caller.app is None and actor is not issue.user and ctx.repo.level_of(actor) not in able:
        raise Refusal(403, "Resource not accessible by personal access token")
    state = ctx.chosen("state", ("open", "closed"), issue.state)
    title, body = ctx.text("title") or issue.title, checked(ctx.text("body", issue.body), "Issue")
    await pulls.edit(issue, pull, actor, title, body)
    if state != issue.state:
        change = pulls.close if state == "closed" else pulls.reopen
        await change(issue, pull, actor)
    return Reply(200, await pulls.shape(issue, pull))


@route("GET", ONE + "/files", READ)
async def list_files(ctx: Context) -> Reply:
    issue, pull = _found(ctx)
    base = await ctx.site.pulls.fork_point(issue, pull)
    files = await Git(ctx.repo.folder).diff(base, pull.head_sha)
    items, headers = ctx.page(files[:MOST_FILES])
    entry, world = shapes.diff_entry, ctx.site.world
    return Reply(200, [entry(world, ctx.repo, pull.head_sha, file) for file in items], headers)


@route("GET", ONE + "/commits", READ)
async def list_commits(ctx: Context) -> Reply:
    issue, pull = _found(ctx)
    base = await ctx.site.pulls.fork_point(issue, pull)
    found = await Git(ctx.repo.folder).log("--reverse", "--topo-order", f"{base}..{pull.head_sha}")
    items, headers = ctx.page(found[:250])
    return Reply(200, [shapes.commit(ctx.site.world, ctx.repo, one) for one in items], headers)


@route("GET", ONE + "/merge", READ)
async def check_if_merged(ctx: Context) -> Reply:
    _, pull = _found(ctx)
    if pull.merged is None:
        raise not_found()
    return Reply(204)


@route("PUT", ONE + "/merge", "contents:write", level="write", creates=True)
async def merge(ctx: Context) -> Reply:
    issue, pull = _found(ctx)
    sha = await ctx.site.pulls.merge(
        issue, pull, ctx.caller.actor,
        method=ctx.chosen("merge_method", ("merge", "squash", "rebase"), "merge"),
        title=ctx.text("commit_title"), message=ctx.text("commit_message"), sha=ctx.text("sha"),
    )  # fmt: skip
    body = {"sha": sha, "merged": True, "message": "Pull Request successfully merged"}
    return Reply(200, body)


@route("GET", ONE + "/reviews", READ)
async def list_reviews(ctx: Context) -> Reply:
    issue, pull = _found(ctx)
    items, headers = ctx.page(pull.reviews)
    return Reply(200, [shapes.review(ctx.site.world, issue, one) for one in items], headers)


@route("POST", ONE + "/reviews", WRITE, creates=True)
async def create_review(ctx: Context) -> Reply:
    issue, pull = _found(ctx)
    event = ctx.chosen("event", tuple(EVENTS), "COMMENT")
    actor = ctx.caller.actor
    if actor is issue.user and event != "COMMENT":
        why = "Can not approve your own pull request"
        raise Refusal(422, "Unprocessable Entity", errors=[why])
    world = ctx.site.world
    commit, text = ctx.text("commit_id") or pull.head_sha, ctx.text("body") or ""
    made = Review(world.new_id(), actor, EVENTS[event], text, commit, world.now())
    pull.reviews.append(made)
    return Reply(200, shapes.review(world, issue, made))
