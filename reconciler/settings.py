"""What a deployment may choose, from environment variables; the README lists them all."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from reconciler.core.errors import Permanent

SECRET = "RECONCILER_SECRET_"  # noqa: S105 - the start of a variable's name
FORGES: Final = ("github", "azuredevops", "none")
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
UNSAFE: Final = re.compile(r"[^!-~]|[{}<>\"\\()\[\]`|]")
"""What an address that is put into Markdown must not hold."""


@dataclass(frozen=True)
class Settings:
    """Those of the reconciler itself; ``reconciler.git`` has its own."""

    state: str = "sqlite:.reconciler/state.db"
    """``RECONCILER_STATE``: ``sqlite:PATH``, or ``blob:`` and the address of a container."""
    state_connection: str = field(default="", repr=False)
    """``RECONCILER_STATE_CONNECTION``, else ``AzureWebJobsStorage``: a connection string for
    ``blob:`` without an address."""
    arm_endpoint: str = "https://management.azure.com"
    """``RECONCILER_ARM_ENDPOINT``: other clouds, or an emulator on this machine."""
    arm_audience: str = ""
    """``RECONCILER_ARM_AUDIENCE``: the token audience, where it is not the endpoint."""
    plan_client_id: str = ""
    """``RECONCILER_PLAN_CLIENT_ID``: the managed identity that reads."""
    apply_client_id: str = ""
    """``RECONCILER_APPLY_CLIENT_ID``: the managed identity that writes."""
    rate_limits: bool = True
    """``RECONCILER_RATE_LIMITS``: ``off`` sends as fast as it can (emulators only)."""
    in_flight: int = 32
    """``RECONCILER_IN_FLIGHT``: requests to Azure under way at once."""
    poll_s: float = 2.0
    """``RECONCILER_POLL_S``: the first pause, in seconds, while Azure works on something."""
    lease_s: float = 60.0
    """``RECONCILER_LEASE_S``: how long an environment stays taken after its worker died."""
    budget_s: float = 240.0
    """``RECONCILER_BUDGET_S``: how long, in seconds, one message may keep a worker; well below
    ``functionTimeout`` in host.json."""
    drift_s: float = 0.0
    """``RECONCILER_DRIFT_S``: how old, in seconds, a comparison with Azure may get before the sweep
    makes a new one; 0: every sweep does."""
    forge: str = "none"
    """``RECONCILER_FORGE``: ``github``, ``azuredevops`` or ``none``; unset: the one that has an App
    or a webhook's secret."""
    public_url: str = ""
    """``RECONCILER_PUBLIC_URL``: the app's own address, for links; unset: as the platform tells it;
    "": no links."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """``RECONCILER_SECRET_<NAME>``: the values of ``{secret: {setting: <NAME>}}``, by name."""

    @classmethod
    def from_env(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read the environment. Raises Permanent for a value that cannot be meant."""
        env = dict(os.environ if environment is None else environment)
        return cls(
            state=env.get("RECONCILER_STATE") or cls.state,
            state_connection=env.get("RECONCILER_STATE_CONNECTION")
            or env.get("AzureWebJobsStorage", ""),
            arm_endpoint=(env.get("RECONCILER_ARM_ENDPOINT") or cls.arm_endpoint).rstrip("/"),
            arm_audience=env.get("RECONCILER_ARM_AUDIENCE", ""),
            plan_client_id=env.get("RECONCILER_PLAN_CLIENT_ID", ""),
            apply_client_id=env.get("RECONCILER_APPLY_CLIENT_ID", ""),
            rate_limits=env.get("RECONCILER_RATE_LIMITS", "on").lower() != "off",
            in_flight=_number(env, "RECONCILER_IN_FLIGHT", int, cls.in_flight),
            poll_s=_number(env, "RECONCILER_POLL_S", float, cls.poll_s),
            lease_s=_number(env, "RECONCILER_LEASE_S", float, cls.lease_s),
            budget_s=_number(env, "RECONCILER_BUDGET_S", float, cls.budget_s),
            drift_s=_number(env, "RECONCILER_DRIFT_S", float, cls.drift_s, lowest=0.0),
            forge=_forge(env),
            public_url=_public_url(env),
            secrets={
                name.removeprefix(SECRET): value
                for name, value in env.items()
                if name.startswith(SECRET)
            },
        )


def _forge(env: Mapping[str, str]) -> str:
    """Raises Permanent for one that is not known."""
    if named := env.get("RECONCILER_FORGE", "").strip().lower():
        if named not in FORGES:
            raise Permanent(f'RECONCILER_FORGE is "{named[:40]}": it has to be {_or(FORGES)}')
        return named
    given = {name for name, value in env.items() if value.strip()}
    if given & {"GITHUB_APP_ID", "GITHUB_WEBHOOK_SECRET"}:
        return "github"
    if any(name.startswith("AZURE_DEVOPS_WEBHOOK_") for name in given):
        return "azuredevops"
    return "none"


def _or(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


def _public_url(env: Mapping[str, str]) -> str:
    """Raises Permanent for what is no address, without repeating it; what the platform tells is
    only taken when it is one."""
    if given := env.get("RECONCILER_PUBLIC_URL", "").strip().rstrip("/"):
        if not _is_address(given):
            raise Permanent(
                "RECONCILER_PUBLIC_URL has to begin with https:// (http:// only for this machine) "
                "and to hold neither a login nor a query"
            )
        return given
    told = _platform_url(env)
    return told if told and _is_address(told) else ""


def _platform_url(env: Mapping[str, str]) -> str:
    """https://learn.microsoft.com/azure/app-service/reference-app-settings
    https://learn.microsoft.com/azure/container-apps/environment-variables#built-in-environment-variables
    """
    name, suffix = env.get("CONTAINER_APP_NAME", ""), env.get("CONTAINER_APP_ENV_DNS_SUFFIX", "")
    host = f"{name}.{suffix}" if name and suffix else env.get("WEBSITE_HOSTNAME", "")
    # The Core Tools call themselves localhost:7071.
    local = host.partition(":")[0] in LOOPBACK
    return f"{'http' if local else 'https'}://{host}" if host else ""


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if UNSAFE.search(url) or "@" in parts.netloc or parts.query or parts.fragment or not host:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)


def _number[T: (int, float)](
    env: Mapping[str, str],
    name: str,
    read: Callable[[str], T],
    default: T,
    lowest: float | None = None,
) -> T:
    """A number above zero, or from ``lowest`` on. Raises Permanent."""
    text = env.get(name, "")
    if not text:
        return default
    try:
        value = read(text)
    except ValueError:
        value = read("-1")
    if lowest is None and not value > 0:
        raise Permanent(f'{name} is "{text}": it has to be a positive number')
    if lowest is not None and not value >= lowest:
        raise Permanent(f'{name} is "{text}": it has to be {lowest:g} or more')
    return value
