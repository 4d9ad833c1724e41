"""Threads and comments of pull requests."""

from reconciler.local.azure_devops import shapes
from reconciler.local.azure_devops.model import Comment, Refusal, User
from reconciler.local.azure_devops.wire import PULL, Context, route
from reconciler.local.github.wire import Reply

THREADS = PULL + "/threads"
THREAD = THREADS + "/{thread}"
COMMENT = THREAD + "/comments/{comment}"
MOST = 150_000
STATUSES = ("unknown", "active", "fixed", "wontFix", "closed", "byDesign", "pending")


def _comment(ctx: Context) -> Comment:
    for one in ctx.thread.comments:
        if str(one.id) == ctx.params["comment"] and not one.deleted:
            return one
    raise Refusal(404, "The comment does not exist.", "DiscussionCommentNotFoundException")


def _content(text: object) -> str:
    if not isinstance(text, str) or not text:
        raise Refusal(400, "A comment needs content.", "ArgumentException")
    if len(text) > MOST:
        why = f"A discussion comment cannot be longer than {MOST} characters."
        raise Refusal(400, f"{why}\r\nParameter name: comment.Content", "ArgumentException")
    return text


def _author(ctx: Context, comment: Comment) -> User:
    user = ctx.contributes()
    if comment.author is not user:
        raise Refusal(403, "You do not have permission to edit this comment.")
    return user


@route("GET", THREADS)
async def list_threads(ctx: Context) -> Reply:
    pull = ctx.pull
    return Reply(200, shapes.listing([shapes.thread(ctx.world, pull, t) for t in pull.threads]))


@route("POST", THREADS)
async def create_thread(ctx: Context) -> Reply:
    pull, user, body = ctx.pull, ctx.contributes(), ctx.object
    comments, status = body.get("comments") or [], body.get("status")
    if not comments or status not in (None, *STATUSES):
        raise Refusal(400, "A thread needs a comment, and a known status.", "ArgumentException")
    kind = comments[0].get("commentType", "text")
    kind = kind if kind in ("text", "system") else "text"
    made = ctx.site.thread(pull, user, _content(comments[0].get("content")), kind=kind,
                           status=status)  # fmt: skip
    made.properties = {
        str(name): value.get("$value", "") if isinstance(value, dict) else value
        for name, value in (body.get("properties") or {}).items()
    }
    return Reply(200, shapes.thread(ctx.world, pull, made))


@route("PATCH", THREAD)
async def update_thread(ctx: Context) -> Reply:
    ctx.contributes()
    thread = ctx.thread
    thread.status, thread.updated = ctx.object.get("status", thread.status), ctx.world.now()
    return Reply(200, shapes.thread(ctx.world, ctx.pull, thread))


@route("POST", THREAD + "/comments")
async def create_comment(ctx: Context) -> Reply:
    user, body = ctx.contributes(), ctx.object
    parent = int(body.get("parentCommentId") or 0)
    made = ctx.site.reply(ctx.pull, ctx.thread, user, _content(body.get("content")), parent)
    return Reply(200, shapes.comment(ctx.world, ctx.pull, ctx.thread, made))


@route("GET", COMMENT)
async def get_comment(ctx: Context) -> Reply:
    return Reply(200, shapes.comment(ctx.world, ctx.pull, ctx.thread, _comment(ctx)))


@route("PATCH", COMMENT)
async def update_comment(ctx: Context) -> Reply:
    comment = _comment(ctx)
    _author(ctx, comment)
    comment.content = _content(ctx.object.get("content"))
    comment.updated = ctx.thread.updated = ctx.world.now()
    ctx.site.hooks.comment(ctx.pull, ctx.thread, comment, "edited")
    return Reply(200, shapes.comment(ctx.world, ctx.pull, ctx.thread, comment))


@route("DELETE", COMMENT)
async def delete_comment(ctx: Context) -> Reply:
    comment = _comment(ctx)
    _author(ctx, comment)
    comment.deleted = True
    return Reply(200)


@route("POST", COMMENT + "/likes")
async def like(ctx: Context) -> Reply:
    comment = _comment(ctx)
    if ctx.caller not in comment.likes:
        comment.likes.append(ctx.caller)
    return Reply(200)
