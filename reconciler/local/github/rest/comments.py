"""Comments on issues and pull requests."""

from reconciler.local.github import shapes
from reconciler.local.github.model import Comment, Refusal
from reconciler.local.github.rest.issues import READ, WRITE, found_issue
from reconciler.local.github.rest.texts import checked
from reconciler.local.github.wire import Context, Reply, invalid_request, not_found, route
from reconciler.local.github.world import stamp

OF_ISSUE = "/repos/{owner}/{repo}/issues/{issue_number}/comments"
ALL = "/repos/{owner}/{repo}/issues/comments"
ONE = ALL + "/{comment_id}"


def found_comment(ctx: Context) -> Comment:
    number = ctx.number("comment_id")
    for issue in ctx.repo.issues.values():
        for comment in issue.comments:
            if comment.id == number:
                return comment
    raise not_found()


def _text(ctx: Context) -> str:
    text = checked(ctx.required("body"), "IssueComment")
    if not text or not text.strip():
        raise invalid_request("Body cannot be blank")
    return text


def _may_change(ctx: Context, comment: Comment) -> None:
    """The author, those who may write, and Apps their own."""
    own = comment.user is ctx.caller.actor
    if not own and (ctx.caller.app or ctx.repo.level_of(ctx.caller.actor) not in
                    ("write", "maintain", "admin")):  # fmt: skip
        raise Refusal(403, "Must have admin rights to Repository.")


@route("GET", OF_ISSUE, READ)
async def list_comments(ctx: Context) -> Reply:
    """Oldest first."""
    since = ctx.request.query.get("since", "")
    found = [one for one in found_issue(ctx).comments if stamp(one.updated) >= since]
    items, headers = ctx.page(found)
    return Reply(200, [shapes.comment(ctx.site.world, one) for one in items], headers)


@route("GET", ALL, READ)
async def list_comments_for_repo(ctx: Context) -> Reply:
    """Those that were changed since then, by id unless another order is asked for."""
    query = ctx.request.query
    since, by_update = query.get("since", ""), query.get("sort") == "updated"
    # "Ignored without the sort parameter."
    newest = "sort" in query and query.get("direction", "asc") == "desc"
    found = [
        one
        for issue in ctx.repo.issues.values()
        for one in issue.comments
        if stamp(one.updated) >= since
    ]
    found.sort(key=lambda one: (one.updated if by_update else one.created, one.id), reverse=newest)
    items, headers = ctx.page(found)
    return Reply(200, [shapes.comment(ctx.site.world, one) for one in items], headers)


@route("POST", OF_ISSUE, WRITE, creates=True)
async def create_comment(ctx: Context) -> Reply:
    issue, text, world = found_issue(ctx), _text(ctx), ctx.site.world
    now, actor = world.now(), ctx.caller.actor
    made = Comment(world.new_id(), issue, actor, text, now, now, ctx.caller.app)
    issue.comments.append(made)
    issue.updated = now
    ctx.site.events.comment("created", made, actor)
    return Reply(201, shapes.comment(world, made))


@route("GET", ONE, READ)
async def get_comment(ctx: Context) -> Reply:
    return Reply(200, shapes.comment(ctx.site.world, found_comment(ctx)))


@route("PATCH", ONE, WRITE, creates=True)
async def update_comment(ctx: Context) -> Reply:
    comment = found_comment(ctx)
    _may_change(ctx, comment)
    before, comment.body = comment.body, _text(ctx)
    comment.updated = ctx.site.world.now()
    ctx.site.events.comment("edited", comment, ctx.caller.actor, before)
    return Reply(200, shapes.comment(ctx.site.world, comment))


@route("DELETE", ONE, WRITE)
async def delete_comment(ctx: Context) -> Reply:
    comment = found_comment(ctx)
    _may_change(ctx, comment)
    comment.issue.comments.remove(comment)
    ctx.site.events.comment("deleted", comment, ctx.caller.actor)
    return Reply(204)
