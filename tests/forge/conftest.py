"""Fixtures: a small GitHub on loopback, and the reconciler's side of it with a token and an App."""

from collections.abc import AsyncIterator
from typing import Final

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from reconciler.forge import GitHub, GitHubSettings
from tests.azure.scripted import JumpClock, serving
from tests.forge.small import APP_ID, REPOSITORY, TOKEN, Small

SECRETS: Final = ("webhook-canary-new", "webhook-canary-old")


@pytest.fixture(scope="session")
def key_pair() -> tuple[str, str]:
    """A private and a public key, PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode(), public.decode()


@pytest.fixture
def clock() -> JumpClock:
    return JumpClock()


@pytest.fixture
async def small(clock: JumpClock, key_pair: tuple[str, str]) -> AsyncIterator[Small]:
    one = Small(clock, public_key=key_pair[1])
    async with serving(one.handle) as one.url:
        yield one


@pytest.fixture
async def github(small: Small, clock: JumpClock) -> AsyncIterator[GitHub]:
    """Acts with a token."""
    one = GitHub(GitHubSettings(repository=REPOSITORY, api_url=small.url, token=TOKEN), clock)
    yield one
    await one.close()


@pytest.fixture
async def app(small: Small, clock: JumpClock, key_pair: tuple[str, str]) -> AsyncIterator[GitHub]:
    """Acts as a GitHub App."""
    small.login = "estate-app[bot]"
    settings = GitHubSettings(
        repository=REPOSITORY, api_url=small.url, app_id=APP_ID, private_key=key_pair[0]
    )
    one = GitHub(settings, clock)
    yield one
    await one.close()
