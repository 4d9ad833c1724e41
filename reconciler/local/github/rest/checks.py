"""Check runs and check suites: written by the App alone."""

from datetime import datetime

from reconciler.local.github import shapes
from reconciler.local.github.git import Git
from reconciler.local.github.model import JSON, CheckRun, CheckSuite, Refusal
from reconciler.local.github.rest.refs import commit_of
from reconciler.local.github.wire import Context, Reply, invalid_request, not_found, route

ROOT = "/repos/{owner}/{repo}"
RUN = ROOT + "/check-runs/{check_run_id}"
SUITE = ROOT + "/check-suites/{check_suite_id}"
READ, WRITE = "checks:read", "checks:write"
STATUSES = ("queued", "in_progress", "completed")
CONCLUSIONS = (
    "action_required", "cancelled", "failure", "neutral", "success", "skipped", "timed_out",
)  # fmt: skip
LEVELS = ("notice", "warning", "failure")
MOST_ANNOTATIONS, LONGEST = 50, 65_535


def _run(ctx: Context) -> CheckRun:
    number = ctx.number("check_run_id")
    for suite in ctx.repo.suites:
        for run in suite.runs:
            if run.id == number:
                return run
    raise not_found()


def _suite(ctx: Context) -> CheckSuite:
    number = ctx.number("check_suite_id")
    for suite in ctx.repo.suites:
        if suite.id == number:
            return suite
    raise not_found()


def _only_apps(ctx: Context) -> None:
    if ctx.caller.app is None:
        raise Refusal(403, "You must authenticate via a GitHub App.")


@route("POST", ROOT + "/check-runs", WRITE, creates=True)
async def create_check_run(ctx: Context) -> Reply:
    _only_apps(ctx)
    name, sha, world = ctx.required("name"), ctx.required("head_sha"), ctx.site.world
    if await Git(ctx.repo.folder).resolve(sha) is None:
        raise Refusal(422, f"No commit found for SHA: {sha}")
    branch = next((p.head_ref for _, p in ctx.repo.pulls() if p.head_sha == sha), None)
    suite = ctx.site.pulls.suite(ctx.repo, sha, branch)
    run = CheckRun(world.new_id(), suite, name, "queued", world.now())
    _change(ctx, run)
    suite.runs.append(run)
    ctx.site.events.check_run("created", ctx.repo, run, ctx.caller.actor)
    return Reply(201, shapes.check_run(world, ctx.repo, run))


@route("PATCH", RUN, WRITE, creates=True)
async def update_check_run(ctx: Context) -> Reply:
    """Annotations are added to those that are there."""
    _only_apps(ctx)
    run = _run(ctx)
    before = run.status
    _change(ctx, run)
    if run.status == "completed" != before:
        ctx.site.events.check_run("completed", ctx.repo, run, ctx.caller.actor)
    return Reply(200, shapes.check_run(ctx.site.world, ctx.repo, run))


def _change(ctx: Context, run: CheckRun) -> None:
    """All that creating and updating have in common, checked before anything is changed."""
    output = ctx.body.get("output")
    annotations = _annotations(output) if output is not None else []
    conclusion = ctx.chosen("conclusion", CONCLUSIONS) if ctx.body.get("conclusion") else None
    status = "completed" if conclusion else ctx.chosen("status", STATUSES, run.status)
    if status == "completed" and not (conclusion or run.conclusion):
        raise invalid_request("If you are setting the status to 'completed', you must provide a "
                              "conclusion.")  # fmt: skip
    now = ctx.site.world.now()
    run.name = ctx.text("name") or run.name
    run.details_url = ctx.text("details_url", run.details_url)
    run.external_id = ctx.text("external_id") or run.external_id
    run.started = _time(ctx.text("started_at"), run.started)
    run.status, run.suite.updated = status, now
    if status == "completed":
        run.conclusion = conclusion or run.conclusion
        run.completed = _time(ctx.text("completed_at"), now)
    else:
        run.conclusion = run.completed = None
    if output is not None:
        run.title, run.summary = output.get("title", run.title), output.get("summary", run.summary)
        run.text = output.get("text", run.text)
        run.annotations.extend(annotations)


def _time(text: str | None, default: float) -> float:
    return datetime.fromisoformat(text).timestamp() if text else default


def _annotations(output: JSON) -> list[JSON]:
    """422 for what the published schema forbids."""
    if not isinstance(output.get("summary"), str):
        raise invalid_request('"summary" wasn\'t supplied.')
    for name in ("summary", "text"):
        if len(output.get(name) or "") > LONGEST:
            raise invalid_request(f"Only {LONGEST} characters are allowed in {name}.")
    found: list[JSON] = output.get("annotations") or []
    if len(found) > MOST_ANNOTATIONS:
        raise invalid_request(
            f"No more than {MOST_ANNOTATIONS} items are allowed; {len(found)} were supplied."
        )
    for one in found:
        for name in ("path", "start_line", "end_line", "annotation_level", "message"):
            if name not in one:
                raise invalid_request(f'"{name}" wasn\'t supplied.')
        if one["annotation_level"] not in LEVELS:
            raise invalid_request(f"{one['annotation_level']} is not an annotation level.")
    return found


@route("GET", RUN, READ)
async def get_check_run(ctx: Context) -> Reply:
    return Reply(200, shapes.check_run(ctx.site.world, ctx.repo, _run(ctx)))


@route("GET", RUN + "/annotations", READ)
async def list_annotations(ctx: Context) -> Reply:
    run, world = _run(ctx), ctx.site.world
    items, headers = ctx.page(run.annotations)
    shape = shapes.annotation
    return Reply(200, [shape(world, ctx.repo, run.suite.sha, one) for one in items], headers)


@route("POST", RUN + "/rerequest", WRITE, level="write")
async def rerequest_run(ctx: Context) -> Reply:
    """Ask the App to run a check again; a run stays as it is until the App says more."""
    ctx.site.events.check_run("rerequested", ctx.repo, _run(ctx), ctx.caller.actor)
    return Reply(201, {})


@route("GET", SUITE, READ)
async def get_suite(ctx: Context) -> Reply:
    suite = _suite(ctx)
    head = await Git(ctx.repo.folder).commit(suite.sha)
    return Reply(200, shapes.check_suite(ctx.site.world, ctx.repo, suite, head))


@route("POST", SUITE + "/rerequest", WRITE, level="write")
async def rerequest_suite(ctx: Context) -> Reply:
    await ctx.site.events.check_suite("rerequested", ctx.repo, _suite(ctx), ctx.caller.actor)
    return Reply(201, {})


@route("GET", SUITE + "/check-runs", READ)
async def list_for_suite(ctx: Context) -> Reply:
    return _runs(ctx, list(reversed(_suite(ctx).runs)))


@route("GET", ROOT + "/commits/{ref}/check-runs", READ)
async def list_for_ref(ctx: Context) -> Reply:
    sha = await commit_of(ctx, ctx.params["ref"])
    return _runs(ctx, ctx.site.world.check_runs(ctx.repo, sha))


@route("GET", ROOT + "/commits/{ref}/check-suites", READ)
async def list_suites_for_ref(ctx: Context) -> Reply:
    sha = await commit_of(ctx, ctx.params["ref"])
    found = [suite for suite in ctx.repo.suites if suite.sha == sha]
    items, headers = ctx.page(found)
    head = await Git(ctx.repo.folder).commit(sha)
    listed = [shapes.check_suite(ctx.site.world, ctx.repo, one, head) for one in items]
    return Reply(200, {"total_count": len(found), "check_suites": listed}, headers)


def _runs(ctx: Context, found: list[CheckRun]) -> Reply:
    """The latest run of each name unless all are asked for."""
    query = ctx.request.query
    if query.get("filter", "latest") == "latest":
        newest = {run.name: run for run in reversed(found)}
        found = [run for run in found if newest[run.name] is run]
    name, status = query.get("check_name", ""), query.get("status", "")
    found = [run for run in found if name in ("", run.name) and status in ("", run.status)]
    items, headers = ctx.page(found)
    listed = [shapes.check_run(ctx.site.world, ctx.repo, run) for run in items]
    return Reply(200, {"total_count": len(found), "check_runs": listed}, headers)
