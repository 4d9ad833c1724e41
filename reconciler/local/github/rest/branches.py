"""Branches and their protection."""

from reconciler.local.github import shapes
from reconciler.local.github.git import Git
from reconciler.local.github.model import JSON, Protection, Refusal
from reconciler.local.github.wire import Context, Reply, invalid_request, route

ROOT = "/repos/{owner}/{repo}/branches"
ADMIN = "administration:write"


def _protection_url(ctx: Context, branch: str) -> str:
    repo = ctx.repo.full_name
    return f"{ctx.site.world.api}/repos/{repo}/branches/{branch}/protection"


async def _tip(ctx: Context) -> str:
    sha = await Git(ctx.repo.folder).resolve(f"refs/heads/{ctx.params['branch']}")
    if sha is None:
        raise Refusal(404, "Branch not found")
    return sha


@route("GET", ROOT, "contents:read")
async def list_branches(ctx: Context) -> Reply:
    world, repo = ctx.site.world, ctx.repo
    refs = await Git(repo.folder).refs()
    items, headers = ctx.page(sorted(refs.items()))
    api = f"{world.api}/repos/{repo.full_name}/commits"
    body = [
        {
            "name": ref.removeprefix("refs/heads/"),
            "commit": {"sha": sha, "url": f"{api}/{sha}"},
            "protected": ref.removeprefix("refs/heads/") in repo.protections,
        }
        for ref, sha in items
    ]
    return Reply(200, body, headers)


@route("GET", ROOT + "/{branch}", "contents:read")
async def get_branch(ctx: Context) -> Reply:
    world, repo, branch = ctx.site.world, ctx.repo, ctx.params["branch"]
    head = await Git(repo.folder).commit(await _tip(ctx))
    rules = repo.protections.get(branch)
    contexts = list(rules.contexts or ()) if rules else []
    level = "non_admins" if rules and rules.contexts is not None else "off"
    links = {
        "self": f"{world.api}/repos/{repo.full_name}/branches/{branch}",
        "html": f"{world.url}/{repo.full_name}/tree/{branch}",
    }
    checks = [{"context": name, "app_id": None} for name in contexts]
    required = {"enforcement_level": level, "contexts": contexts, "checks": checks}
    body = {
        "name": branch,
        "commit": shapes.commit(world, repo, head),
        "_links": links,
        "protected": rules is not None,
        "protection": {"enabled": rules is not None, "required_status_checks": required},
        "protection_url": _protection_url(ctx, branch),
    }
    return Reply(200, body)


@route("GET", "/repos/{owner}/{repo}/rules/branches/{branch}")
async def get_branch_rules(ctx: Context) -> Reply:
    """What rulesets ask for; the older protection is none of it."""
    asked = ctx.repo.rulesets.get(ctx.params["branch"])
    source = {"integration_id": asked.app_id} if asked and asked.app_id else {}
    names = asked.contexts if asked else ()
    rule = {
        "type": "required_status_checks",
        "parameters": {
            "required_status_checks": [{"context": name, **source} for name in names],
            "strict_required_status_checks_policy": False,
        },
        "ruleset_source_type": "Repository",
        "ruleset_source": ctx.repo.full_name,
        "ruleset_id": ctx.repo.id,
    }
    items, headers = ctx.page([rule] if names else [])
    return Reply(200, items, headers)


@route("GET", ROOT + "/{branch}/protection", "administration:read", level="admin")
async def get_branch_protection(ctx: Context) -> Reply:
    branch = ctx.params["branch"]
    await _tip(ctx)
    rules = ctx.repo.protections.get(branch)
    if rules is None:
        raise Refusal(404, "Branch not protected")
    return Reply(200, shapes.protection(ctx.site.world, ctx.repo, branch, rules))


@route("PUT", ROOT + "/{branch}/protection", ADMIN, level="admin")
async def update_branch_protection(ctx: Context) -> Reply:
    """Replace the rules. All four members have to be there, null for what is not wanted."""
    branch = ctx.params["branch"]
    await _tip(ctx)
    members = ("required_status_checks", "enforce_admins", "required_pull_request_reviews")
    for name in (*members, "restrictions"):
        if name not in ctx.body:
            raise invalid_request(f'"{name}" wasn\'t supplied.')
    checks, admins, reviews = (ctx.body[name] for name in members)
    rules = Protection(
        contexts=_contexts(checks) if checks else None,
        strict=bool(checks and checks.get("strict")),
        enforce_admins=bool(admins),
        approvals=reviews.get("required_approving_review_count", 1) if reviews else None,
    )
    ctx.repo.protections[branch] = rules
    body = shapes.protection(ctx.site.world, ctx.repo, branch, rules)
    return Reply(200, {**body, "url": _protection_url(ctx, branch)})


@route("DELETE", ROOT + "/{branch}/protection", ADMIN, level="admin")
async def delete_branch_protection(ctx: Context) -> Reply:
    if ctx.repo.protections.pop(ctx.params["branch"], None) is None:
        raise Refusal(404, "Branch not protected")
    return Reply(204)


def _contexts(checks: JSON) -> tuple[str, ...]:
    named = [check["context"] for check in checks.get("checks") or ()]
    return tuple(dict.fromkeys([*(checks.get("contexts") or ()), *named]))
