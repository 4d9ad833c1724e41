"""Settings: every value by itself, and names that nothing reads."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from reconciler.azure.endpoint import Endpoint
from reconciler.core.desired.nearest import nearest
from reconciler.core.errors import Permanent
from reconciler.doctor.check import Finding
from reconciler.git import GitSettings
from reconciler.settings import SECRET, Settings
from reconciler.telemetry.logs import log_level, log_shape

PREFIX: Final = "RECONCILER_"
GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)
INSTRUMENTATION: Final = re.compile(r"(^|;)\s*InstrumentationKey\s*=\s*[0-9a-f-]{32,36}", re.I)


def _guid(value: str) -> str:
    return "" if GUID.fullmatch(value) else "has to be a client id (a GUID)"


def _switch(value: str) -> str:
    return "" if value.lower() in ("on", "off") else "has to be on or off"


def _file(value: str) -> str:
    return "" if Path(value).is_file() else "has to be a file, and there is none"


def _endpoint(value: str) -> str:
    Endpoint(value)
    return ""


def _insights(value: str) -> str:
    return "" if INSTRUMENTATION.search(value) else "has to begin with InstrumentationKey=…"


def _schedule(value: str) -> str:
    words = len(value.split())
    return "" if words == 6 else f"has to have six fields, seconds first, and has {words}"


def _digits(value: str) -> str:
    return "" if re.fullmatch(r"\d+", value.strip(), re.ASCII) else "has to be a number"


def _key(value: str) -> str:
    whole = "-----BEGIN" in value and "PRIVATE KEY-----" in value and "-----END" in value
    return "" if whole else "has to be a private key in PEM, from BEGIN to END"


def _word(value: str) -> str:
    return "" if re.fullmatch(r"[!-~]+", value.strip()) else "has to be one word"


def _repository(value: str) -> str:
    return "" if re.fullmatch(r"[\w.-]+/[\w.-]+", value, re.ASCII) else "has to be owner/name"


def _web(value: str) -> str:
    return "" if re.match(r"https?://\S+$", value) else "has to be an address, https://…"


def _anything(value: str) -> str:
    return ""


KNOWN: Final[Mapping[str, Callable[[str], str]]] = {
    "RECONCILER_STATE": _anything,
    "RECONCILER_STATE_CONNECTION": _anything,
    "RECONCILER_ARM_ENDPOINT": _endpoint,
    "RECONCILER_ARM_AUDIENCE": _anything,
    "RECONCILER_PLAN_CLIENT_ID": _guid,
    "RECONCILER_APPLY_CLIENT_ID": _guid,
    "RECONCILER_RATE_LIMITS": _switch,
    "RECONCILER_IN_FLIGHT": _anything,
    "RECONCILER_POLL_S": _anything,
    "RECONCILER_LEASE_S": _anything,
    "RECONCILER_BUDGET_S": _anything,
    "RECONCILER_DRIFT_S": _anything,
    "RECONCILER_SCHEDULE": _schedule,
    "RECONCILER_REPO_URL": _anything,
    "RECONCILER_BRANCH": _anything,
    "RECONCILER_SPECS_PATH": _anything,
    "RECONCILER_GIT_CACHE": _anything,
    "RECONCILER_GIT_TIMEOUT_S": _anything,
    "RECONCILER_SSH_KEY_FILE": _file,
    "RECONCILER_SSH_KNOWN_HOSTS": _file,
    "RECONCILER_LOG": _anything,
    "RECONCILER_LOG_LEVEL": _anything,
    "RECONCILER_FORGE": _anything,
    "RECONCILER_PUBLIC_URL": _anything,
    "GITHUB_APP_ID": _digits,
    "GITHUB_PRIVATE_KEY": _key,
    "GITHUB_INSTALLATION_ID": _digits,
    "GITHUB_TOKEN": _word,
    "GITHUB_WEBHOOK_SECRET": _anything,
    "GITHUB_WEBHOOK_SECRET_OLD": _anything,
    "GITHUB_REPOSITORY": _repository,
    "GITHUB_API_URL": _web,
    "AZURE_DEVOPS_ORG_URL": _web,
    "AZURE_DEVOPS_PROJECT": _anything,
    "AZURE_DEVOPS_REPOSITORY": _anything,
    "AZURE_DEVOPS_TOKEN": _word,
    "AZURE_DEVOPS_WEBHOOK_USER": _anything,
    "AZURE_DEVOPS_WEBHOOK_PASSWORD": _anything,
    "AZURE_DEVOPS_WEBHOOK_USER_OLD": _anything,
    "AZURE_DEVOPS_WEBHOOK_PASSWORD_OLD": _anything,
    "AZURE_DEVOPS_WEBHOOK_SECRET": _anything,
    "AZURE_DEVOPS_WEBHOOK_SECRET_OLD": _anything,
    "AZURE_DEVOPS_WEBHOOK_HEADER": _anything,
    "AZURE_DEVOPS_COMMENT_STATUS": _anything,
    "AZURE_DEVOPS_ISSUE_TYPE": _anything,
    "AZURE_DEVOPS_ISSUE_CLOSED_STATE": _anything,
    "APPLICATIONINSIGHTS_CONNECTION_STRING": _insights,
}
"""Every setting, and what is wrong with a value beyond what reading it finds."""


def look_at_settings(environment: Mapping[str, str]) -> Finding:
    """Values that cannot be meant fail; names that nothing reads are a warning. Values are only
    repeated where they are no secret."""
    wrong = [text for name in KNOWN if (text := _wrong(name, environment.get(name, "")))]
    unknown = [_unknown(name) for name in sorted(environment) if _is_unknown(name)]
    given = sum(1 for name in environment if name in KNOWN or name.startswith(SECRET))
    if wrong:
        return Finding("failed", f"{len(wrong)} cannot be meant", (*wrong, *unknown))
    if unknown:
        return Finding("warning", f"{len(unknown)} that nothing reads", tuple(unknown))
    return Finding("ok", f"{given} set, all valid" if given else "none set: the defaults apply")


def _wrong(name: str, value: str) -> str:
    """What is wrong with one value, in a sentence; "" when nothing is."""
    if not value:
        return ""
    alone = {name: value}
    try:
        Settings.from_env(alone)
        GitSettings.from_env(alone)
        log_shape(alone, "json")
        log_level(alone, "info")
        found = KNOWN[name](value)
    except Permanent as error:
        return f"{error}."
    return f"{name} {found}." if found else ""


def _is_unknown(name: str) -> bool:
    return name.startswith(PREFIX) and name not in KNOWN and not name.startswith(SECRET)


def _unknown(name: str) -> str:
    near = nearest(name, KNOWN)
    return f"{name} is not read by anything{f': did you mean {near}?' if near else '.'}"
