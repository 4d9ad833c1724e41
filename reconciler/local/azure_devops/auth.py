"""Who is calling: personal access tokens as passwords, tokens of Entra as bearers."""

from __future__ import annotations

import base64
import binascii

from reconciler.local.azure_devops.model import User
from reconciler.local.azure_devops.world import World


def caller_of(world: World, authorization: str) -> User | None:
    """Who sent this header; None for nobody, and for a token that is not known."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return world.bearers.get(value.strip())
    if scheme.lower() != "basic":
        return None
    try:
        _, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    # Git takes a token of Entra as a password too.
    return world.tokens.get(password) or world.bearers.get(password)
