"""Work items: as much of them as reporting something needs.

https://learn.microsoft.com/rest/api/azure/devops/wit
"""

import re

from reconciler.local.azure_devops import shapes
from reconciler.local.azure_devops.model import Refusal, User, WorkItem
from reconciler.local.azure_devops.wire import Context, route
from reconciler.local.github.wire import Reply

WIT = "/{project}/_apis/wit"
STATES = {"Issue": ("To Do", "Doing", "Done"), "Task": ("To Do", "Doing", "Done")}
TAG = re.compile(r"\[System\.Tags\] CONTAINS '([^']*)'")
NOT_STATE = re.compile(r"\[System\.State\] <> '((?:[^']|'')*)'")
DOCUMENT = "application/json-patch+json"


def _allowed(ctx: Context) -> User:
    if not ctx.world.board:
        raise Refusal(403, "TF237111: The current user does not have permissions to save work "
                      "items under the specified area path.", "WorkItemUnauthorizedAccess"
                      "Exception")  # fmt: skip
    return ctx.caller


@route("POST", WIT + "/wiql")
async def query(ctx: Context) -> Reply:
    """Answers by tag, state and author; the rest of the language is not read."""
    text = str(ctx.object.get("query", ""))
    tag, state = TAG.search(text), NOT_STATE.search(text)
    found = [
        {"id": one.id, "url": f"{ctx.world.url}/_apis/wit/workItems/{one.id}"}
        for one in ctx.world.work_items.values()
        if ("@me" not in text or one.author is ctx.caller)
        and (not tag or tag[1] in _tags(one))
        and (not state or one.fields["System.State"] != state[1].replace("''", "'"))
    ]
    return Reply(200, {"queryType": "flat", "workItems": found})


@route("POST", WIT + "/workitemsbatch")
async def get_batch(ctx: Context) -> Reply:
    body, items = ctx.object, ctx.world.work_items
    names = body.get("fields") or ()
    found = [shapes.work_item(ctx.world, items[n], names) for n in body["ids"] if n in items]
    return Reply(200, shapes.listing(found))


@route("POST", WIT + "/workitems/${type}")
async def create(ctx: Context) -> Reply:
    user, kind = _allowed(ctx), ctx.params["type"]
    if kind not in STATES:
        raise Refusal(404, f"VS402323: Work item type {kind} does not exist in project.",
                      "WorkItemTypeNotFoundException")  # fmt: skip
    made = WorkItem(ctx.world.new_id(), kind, user, {"System.State": STATES[kind][0]})
    _change(ctx, made)
    ctx.world.work_items[made.id] = made
    return Reply(200, shapes.work_item(ctx.world, made))


@route("PATCH", WIT + "/workitems/{id}")
async def update(ctx: Context) -> Reply:
    _allowed(ctx)
    number = ctx.params["id"]
    found = ctx.world.work_items.get(int(number)) if number.isdecimal() else None
    if found is None:
        raise Refusal(404, f"TF401232: Work item {number} does not exist.")
    _change(ctx, found)
    found.revision += 1
    return Reply(200, shapes.work_item(ctx.world, found))


def _change(ctx: Context, item: WorkItem) -> None:
    """Apply a patch document, or nothing of it."""
    if DOCUMENT not in ctx.request.headers.get("content-type", ""):
        raise Refusal(415, "The request indicated a Content-Type that is not supported.")
    fields: dict[str, str] = {}
    for one in ctx.body:
        kind, _, name = one["path"].strip("/").partition("/")
        if kind == "fields":
            fields[name] = one["value"]
        elif kind != "multilineFieldsFormat" or not ctx.world.markdown:
            raise Refusal(400, f"The path {one['path']} is not supported.")
    state = fields.get("System.State", STATES[item.kind][0])
    if state not in STATES[item.kind]:
        raise Refusal(400, "TF401320: Rule Error for field State.", "RuleValidationException")
    item.fields |= fields


def _tags(item: WorkItem) -> list[str]:
    return [one.strip() for one in str(item.fields.get("System.Tags", "")).split(";")]
