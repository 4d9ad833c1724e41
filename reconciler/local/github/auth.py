"""Who is calling, and may they: tokens of users and installations, JWTs of the App."""

from __future__ import annotations

import base64
import binascii

import jwt
from jwt.types import Options

from reconciler.local.github.model import LEVELS, Caller, Refusal, Repository
from reconciler.local.github.wire import Route, not_found
from reconciler.local.github.world import World

# https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app
LONGEST_JWT = 600
SKEW = 60


def caller_of(world: World, authorization: str) -> Caller:
    """Who sent this header; nobody without one. 401 for what is wrong or has expired."""
    scheme, _, value = authorization.partition(" ")
    if not scheme:
        return Caller()
    if scheme.lower() == "basic":
        value = _password(value)
    if scheme.lower() not in ("basic", "bearer", "token"):
        raise _bad()
    if scheme.lower() == "bearer" and value.count(".") == 2:
        return _app(world, value)
    return _token(world, value.strip())


def _bad() -> Refusal:
    return Refusal(401, "Bad credentials")


def _password(value: str) -> str:
    try:
        name, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise _bad() from None
    return password if password not in ("", "x-oauth-basic") else name


def _token(world: World, value: str) -> Caller:
    found = world.tokens.get(value)
    if found is None or (found.expires is not None and found.expires <= world.now()):
        raise _bad()
    return found.caller


def _app(world: World, value: str) -> Caller:
    # Times are checked here, on the emulator's clock.
    unchecked: Options = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}
    try:
        claims = jwt.decode(value, world.app.public_key, algorithms=["RS256"], options=unchecked)
        issued, expires = float(claims["iat"]), float(claims["exp"])
    except (jwt.InvalidTokenError, KeyError, TypeError, ValueError):
        raise Refusal(401, "A JSON web token could not be decoded") from None
    _check_times(issued, expires, world.now())
    client = f"Iv1.{world.secret('client', world.app.id, length=16)}"
    if str(claims.get("iss")) not in (str(world.app.id), client):
        raise Refusal(404, "Integration not found")
    return Caller(app=world.app)


def _check_times(issued: float, expires: float, now: float) -> None:
    if expires <= now:
        raise Refusal(401, "'Expiration time' claim ('exp') must be a numeric value representing "
                      "the future time at which the assertion expires")  # fmt: skip
    if expires > now + LONGEST_JWT + SKEW or expires - issued > LONGEST_JWT + SKEW:
        raise Refusal(401, "'Expiration time' claim ('exp') is too far in the future")
    if issued > now + SKEW:
        raise Refusal(401, "'Issued at' claim ('iat') must be an Integer representing the time "
                      "that the assertion was issued")  # fmt: skip


def level_of(world: World, caller: Caller, repo: Repository) -> str:
    """What a caller may do in a repository, as far as it is not asked for by permission."""
    if caller.permissions is None:
        return repo.level_of(caller.user)
    seen = world.installed(repo) and (caller.repositories is None or repo.id in caller.repositories)
    if not seen:
        return repo.level_of(None)
    return "write" if caller.permissions.get("contents") == "write" else "read"


def check(world: World, caller: Caller, route: Route, repo: Repository | None) -> None:
    """401, 403 or 404 when the caller may not do this.

    The wording for a user's token is that of fine-grained tokens.
    """
    if route.app:
        if caller.app is None or caller.user is not None:
            raise Refusal(401, "A JSON web token could not be decoded")
        return
    if caller.user is None and caller.app is not None:
        raise Refusal(401, "This endpoint needs a token, not the JSON web token of an App")
    level = level_of(world, caller, repo) if repo else "admin"
    if level == "none":
        raise not_found()
    writes = route.method not in ("GET", "HEAD")
    if caller.user is None and (writes or route.level != "read"):
        raise Refusal(401, "Requires authentication")
    if caller.permissions is not None:
        if not _granted(caller, route.permission) or (writes and repo and not _seen(world, repo)):
            raise Refusal(403, "Resource not accessible by integration")
    elif LEVELS.index(level) < LEVELS.index(route.level):
        raise Refusal(403, "Resource not accessible by personal access token")


def _seen(world: World, repo: Repository) -> bool:
    return world.installed(repo)


def _granted(caller: Caller, permission: str) -> bool:
    """Whether one of the permissions ("issues:write|pull_requests:write") is there."""
    assert caller.permissions is not None
    for one in permission.split("|"):
        name, _, access = one.partition(":")
        given = caller.permissions.get(name, "read" if name == "metadata" else "")
        if given in (access, "write"):
            return True
    return False
