"""Issues; every pull request is one too."""

from reconciler.local.github import shapes
from reconciler.local.github.model import JSON, Issue, Refusal
from reconciler.local.github.rest.texts import checked
from reconciler.local.github.wire import Context, Reply, invalid_request, not_found, route

ROOT = "/repos/{owner}/{repo}/issues"
ONE = ROOT + "/{issue_number}"
READ, WRITE = "issues:read|pull_requests:read", "issues:write|pull_requests:write"
REASONS = ("completed", "not_planned", "duplicate", "reopened")


def found_issue(ctx: Context) -> Issue:
    issue = ctx.repo.issues.get(ctx.number("issue_number"))
    if issue is None:
        raise not_found()
    return issue


@route("GET", ROOT, READ)
async def list_issues(ctx: Context) -> Reply:
    query = ctx.request.query
    state, creator = query.get("state", "open"), query.get("creator", "")
    labels = {name for name in query.get("labels", "").split(",") if name}
    found = [
        issue
        for issue in ctx.repo.issues.values()
        if state in ("all", issue.state)
        and creator in ("", issue.user.login)
        and labels <= set(issue.labels)
    ]
    by_update = query.get("sort") == "updated"
    found.sort(
        key=lambda issue: (issue.updated if by_update else issue.created, issue.number),
        reverse=query.get("direction", "desc") == "desc",
    )
    items, headers = ctx.page(found)
    return Reply(200, [shapes.issue(ctx.site.world, issue) for issue in items], headers)


@route("POST", ROOT, "issues:write", creates=True)
async def create_issue(ctx: Context) -> Reply:
    title, text = str(ctx.body.get("title") or ""), checked(ctx.text("body"), "Issue")
    if not title:
        raise invalid_request('"title" wasn\'t supplied.')
    issue = ctx.site.pulls.new_issue(ctx.repo, title, text, ctx.caller.actor)
    issue.labels, issue.app = _labels(ctx.body), ctx.caller.app
    return Reply(201, shapes.issue(ctx.site.world, issue))


@route("GET", ONE, READ)
async def get_issue(ctx: Context) -> Reply:
    return Reply(200, shapes.issue(ctx.site.world, found_issue(ctx)))


@route("PATCH", ONE, WRITE)
async def update_issue(ctx: Context) -> Reply:
    """Its author and those who may triage change an issue."""
    issue, actor, pulls = found_issue(ctx), ctx.caller.actor, ctx.site.pulls
    able = ("triage", "write", "maintain", "admin")
    if ctx.caller.app is None and actor is not issue.user and ctx.repo.level_of(actor) not in able:
        raise Refusal(403, "Resource not accessible by personal access token")
    state = ctx.chosen("state", ("open", "closed"), issue.state)
    issue.body = checked(ctx.text("body", issue.body), "Issue")
    issue.title = str(ctx.body.get("title") or issue.title)
    issue.updated = ctx.site.world.now()
    if "labels" in ctx.body:
        issue.labels = _labels(ctx.body)
    if state == "closed" and issue.state == "open":
        await pulls.close(issue, issue.pull, actor)
        issue.state_reason = ctx.chosen("state_reason", REASONS, "completed")
    elif state == "open" and issue.state == "closed":
        if issue.pull is not None:
            await pulls.reopen(issue, issue.pull, actor)
        issue.state, issue.closed, issue.closed_by = "open", None, None
        issue.state_reason = "reopened"
    return Reply(200, shapes.issue(ctx.site.world, issue))


def _labels(body: JSON) -> list[str]:
    given = body.get("labels") or []
    return [str(one["name"] if isinstance(one, dict) else one) for one in given]
