"""Commits, refs, files and comparisons as the API shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from reconciler.local.github.git import Changed, Commit, Person
from reconciler.local.github.model import JSON, Repository
from reconciler.local.github.shapes.owners import simple_user
from reconciler.local.github.world import World, node_id

UNSIGNED = {
    "verified": False,
    "reason": "unsigned",
    "signature": None,
    "payload": None,
    "verified_at": None,
}


def base(world: World, repo: Repository) -> str:
    return f"{world.api}/repos/{repo.full_name}"


def page(world: World, repo: Repository) -> str:
    return f"{world.url}/{repo.full_name}"


def _who(person: Person) -> JSON:
    return {"name": person.name, "email": person.email, "date": person.date}


def _account(world: World, person: Person) -> JSON | None:
    user = world.user_of(person.email)
    return simple_user(world, user) if user else None


def commit(
    world: World, repo: Repository, found: Commit, files: Sequence[Changed] | None = None
) -> JSON:
    """A commit of the list or compare endpoints; with its files, of the one for one commit."""
    url = f"{base(world, repo)}/commits/{found.sha}"
    body: JSON = {
        "sha": found.sha,
        "node_id": node_id("Commit", found.sha),
        "commit": {
            "author": _who(found.author),
            "committer": _who(found.committer),
            "message": found.message,
            "tree": {
                "sha": found.tree,
                "url": f"{base(world, repo)}/git/trees/{found.tree}",
            },
            "url": f"{base(world, repo)}/git/commits/{found.sha}",
            "comment_count": 0,
            "verification": UNSIGNED,
        },
        "url": url,
        "html_url": f"{page(world, repo)}/commit/{found.sha}",
        "comments_url": f"{url}/comments",
        "author": _account(world, found.author),
        "committer": _account(world, found.committer),
        "parents": [_parent(world, repo, sha) for sha in found.parents],
    }
    if files is not None:
        added, deleted = (sum(getattr(f, n) for f in files) for n in ("additions", "deletions"))
        body["stats"] = {"additions": added, "deletions": deleted, "total": added + deleted}
        body["files"] = [diff_entry(world, repo, found.sha, file) for file in files]
    return body


def _parent(world: World, repo: Repository, sha: str) -> JSON:
    return {
        "sha": sha,
        "url": f"{base(world, repo)}/commits/{sha}",
        "html_url": f"{page(world, repo)}/commit/{sha}",
    }


def git_commit(world: World, repo: Repository, found: Commit) -> JSON:
    """The object of the Git database."""
    root = f"{base(world, repo)}/git"
    parents = [_parent(world, repo, sha) for sha in found.parents]
    for parent in parents:
        parent["url"] = f"{root}/commits/{parent['sha']}"
    return {
        "sha": found.sha,
        "node_id": node_id("Commit", found.sha),
        "url": f"{root}/commits/{found.sha}",
        "html_url": f"{page(world, repo)}/commit/{found.sha}",
        "author": _who(found.author),
        "committer": _who(found.committer),
        "tree": {"sha": found.tree, "url": f"{root}/trees/{found.tree}"},
        "message": found.message,
        "parents": parents,
        "verification": UNSIGNED,
    }


def simple_commit(found: Commit) -> JSON:
    """As in a check suite."""
    return {
        "id": found.sha,
        "tree_id": found.tree,
        "message": found.message,
        "timestamp": found.committer.date,
        "author": {"name": found.author.name, "email": found.author.email},
        "committer": {"name": found.committer.name, "email": found.committer.email},
    }


def diff_entry(world: World, repo: Repository, sha: str, file: Changed) -> JSON:
    path = quote(file.path)
    body: JSON = {
        "sha": file.sha,
        "filename": file.path,
        "status": file.status,
        "additions": file.additions,
        "deletions": file.deletions,
        "changes": file.additions + file.deletions,
        "blob_url": f"{page(world, repo)}/blob/{sha}/{path}",
        "raw_url": f"{page(world, repo)}/raw/{sha}/{path}",
        "contents_url": f"{base(world, repo)}/contents/{path}?ref={sha}",
    }
    if file.patch is not None:
        body["patch"] = file.patch
    if file.previous is not None:
        body["previous_filename"] = file.previous
    return body


def git_ref(world: World, repo: Repository, ref: str, sha: str) -> JSON:
    return {
        "ref": ref,
        "node_id": node_id("Ref", ref),
        "url": f"{base(world, repo)}/git/{ref}",
        "object": {
            "type": "commit",
            "sha": sha,
            "url": f"{base(world, repo)}/git/commits/{sha}",
        },
    }


def content(
    world: World, repo: Repository, ref: str, kind: str, sha: str, path: str, size: int
) -> JSON:
    """What a file and an entry of a folder have in common; `kind` is file or dir."""
    where = f"{base(world, repo)}/contents/{quote(path)}?ref={quote(ref)}"
    git = f"{base(world, repo)}/git/{'blobs' if kind == 'file' else 'trees'}/{sha}"
    html = f"{page(world, repo)}/{'blob' if kind == 'file' else 'tree'}/{ref}/{quote(path)}"
    raw = f"{page(world, repo)}/raw/{ref}/{quote(path)}"
    return {
        "name": path.rsplit("/", 1)[-1],
        "path": path,
        "sha": sha,
        "size": size,
        "url": where,
        "html_url": html,
        "git_url": git,
        "download_url": raw if kind == "file" else None,
        "type": kind,
        "_links": {"self": where, "git": git, "html": html},
    }


def comparison(
    world: World,
    repo: Repository,
    names: tuple[str, str],
    ends: tuple[Commit, Commit],
    ahead: Sequence[Commit],
    behind: int,
    files: Sequence[Changed],
) -> JSON:
    """Two commits compared: the base itself, and the merge base, then what came since."""
    spec = "...".join(names)
    html = f"{page(world, repo)}/compare/{spec}"
    status: dict[tuple[bool, bool], Any] = {
        (True, True): "diverged",
        (True, False): "ahead",
        (False, True): "behind",
        (False, False): "identical",
    }
    head = ahead[-1].sha if ahead else ends[1].sha
    return {
        "url": f"{base(world, repo)}/compare/{spec}",
        "html_url": html,
        "permalink_url": html,
        "diff_url": f"{html}.diff",
        "patch_url": f"{html}.patch",
        "base_commit": commit(world, repo, ends[0]),
        "merge_base_commit": commit(world, repo, ends[1]),
        "status": status[bool(ahead), behind > 0],
        "ahead_by": len(ahead),
        "behind_by": behind,
        "total_commits": len(ahead),
        "commits": [commit(world, repo, one) for one in ahead],
        "files": [diff_entry(world, repo, head, file) for file in files],
    }
