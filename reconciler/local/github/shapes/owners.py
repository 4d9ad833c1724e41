"""Users, Apps, installations and repositories as the API shows them."""

from __future__ import annotations

from reconciler.local.github.model import JSON, App, Repository, User
from reconciler.local.github.world import World, node_id, stamp

USER_LINKS = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}
REPOSITORY_LINKS = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}


def simple_user(world: World, user: User) -> JSON:
    url = f"{world.api}/users/{user.login}"
    return {
        "login": user.login,
        "id": user.id,
        "node_id": node_id("User", user.id),
        "avatar_url": f"{world.url}/avatars/{user.id}",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{world.url}/{user.login}",
        **{name: url + tail for name, tail in USER_LINKS.items()},
        "type": user.type,
        "user_view_type": "public",
        "site_admin": False,
    }


def full_user(world: World, user: User) -> JSON:
    """`GET /user` and `GET /users/{username}`."""
    owned = sum(repo.owner is user for repo in world.repositories.values())
    nothing = dict.fromkeys(("name", "company", "location", "email", "hireable", "bio"))
    return {
        **simple_user(world, user),
        **nothing,
        "blog": "",
        "public_repos": owned,
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "created_at": stamp(user.created),
        "updated_at": stamp(user.created),
    }


def integration(world: World, app: App) -> JSON:
    """A GitHub App."""
    return {
        "id": app.id,
        "slug": app.slug,
        "node_id": node_id("App", app.id),
        "client_id": f"Iv1.{world.secret('client', app.id, length=16)}",
        "owner": simple_user(world, app.owner),
        "name": app.slug,
        "description": "",
        "external_url": world.url,
        "html_url": f"{world.url}/apps/{app.slug}",
        "created_at": stamp(app.created),
        "updated_at": stamp(app.created),
        "permissions": dict(app.permissions),
        "events": list(app.events),
    }


def installation(world: World, app: App) -> JSON:
    url = f"{world.api}/app/installations/{app.installation_id}"
    return {
        "id": app.installation_id,
        "account": simple_user(world, app.account),
        "repository_selection": "all",
        "access_tokens_url": f"{url}/access_tokens",
        "repositories_url": f"{world.api}/installation/repositories",
        "html_url": f"{world.url}/organizations/{app.account.login}/settings/installations",
        "app_id": app.id,
        "app_slug": app.slug,
        "target_id": app.account.id,
        "target_type": app.account.type,
        "permissions": dict(app.permissions),
        "events": list(app.events),
        "created_at": stamp(app.created),
        "updated_at": stamp(app.created),
        "single_file_name": None,
        "suspended_by": None,
        "suspended_at": None,
    }


def minimal_repository(world: World, repo: Repository) -> JSON:
    url = f"{world.api}/repos/{repo.full_name}"
    return {
        "id": repo.id,
        "node_id": node_id("Repository", repo.id),
        "name": repo.name,
        "full_name": repo.full_name,
        "private": repo.private,
        "owner": simple_user(world, repo.owner),
        "html_url": f"{world.url}/{repo.full_name}",
        "description": repo.description,
        "fork": repo.parent is not None,
        "url": url,
        **{name: url + tail for name, tail in REPOSITORY_LINKS.items()},
    }


def repository(world: World, repo: Repository, level: str | None = None) -> JSON:
    """All of it; with what the caller may do, where that is known."""
    clone = f"{world.url}/{repo.full_name}.git"
    issues = sum(issue.state == "open" for issue in repo.issues.values())
    forks = sum(other.parent is repo for other in world.repositories.values())
    counts = dict.fromkeys(("stargazers_count", "watchers_count", "watchers", "size"), 0)
    return {
        **minimal_repository(world, repo),
        "clone_url": clone,
        "git_url": clone.replace("http", "git", 1),
        "ssh_url": f"git@localhost:{repo.full_name}.git",
        "svn_url": f"{world.url}/{repo.full_name}",
        "homepage": None,
        "language": None,
        "license": None,
        "mirror_url": None,
        "default_branch": repo.default_branch,
        "visibility": "private" if repo.private else "public",
        "archived": False,
        "disabled": False,
        **dict.fromkeys(("has_issues", "has_downloads"), True),
        **dict.fromkeys(("has_projects", "has_wiki", "has_pages", "has_discussions"), False),
        **dict.fromkeys(("forks", "forks_count"), forks),
        **dict.fromkeys(("open_issues", "open_issues_count"), issues),
        **counts,
        "created_at": stamp(repo.created),
        "updated_at": stamp(repo.pushed or repo.created),
        "pushed_at": stamp(repo.pushed or repo.created),
        "allow_forking": True,
        "web_commit_signoff_required": False,
        "topics": [],
        "is_template": False,
        **({} if level is None else {"permissions": permissions(level)}),
    }


def full_repository(world: World, repo: Repository, level: str) -> JSON:
    """`GET /repos/{owner}/{repo}`."""
    found = repository(world, repo, level)
    forks = found["forks_count"]
    found |= {"network_count": forks, "subscribers_count": 0}
    if repo.parent is not None:
        parent = repository(world, repo.parent)
        found |= {"parent": parent, "source": parent}
    return found


def permissions(level: str) -> JSON:
    """A level as five questions with an answer each."""
    order = ("pull", "triage", "push", "maintain", "admin")
    names = ("read", "triage", "write", "maintain", "admin")
    at = names.index(level) if level in names else -1
    return {name: place <= at for place, name in enumerate(order)}
