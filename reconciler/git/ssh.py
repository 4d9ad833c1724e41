"""How git calls ssh: no prompt, no configuration of the user's, no host that is not known."""

import os
import shlex
from collections.abc import Mapping
from typing import Final

OPTIONS: Final = {
    "BatchMode": "yes",
    "StrictHostKeyChecking": "yes",
    "UpdateHostKeys": "no",
    "PermitLocalCommand": "no",
    "ForwardAgent": "no",
    "ClearAllForwardings": "yes",
    "ControlMaster": "no",
    "ControlPath": "none",
    "ConnectTimeout": "15",
    "ServerAliveInterval": "15",
    "ServerAliveCountMax": "4",
}
"""https://man.openbsd.org/ssh_config"""


def ssh_command(
    key: str, known_hosts: str, environ: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """The variables that make git connect with ``key`` or, without one, with the agent's keys."""
    options = dict(OPTIONS)
    if known_hosts:
        options["UserKnownHostsFile"] = _quoted(known_hosts)
        options["GlobalKnownHostsFile"] = "none"
    if key:
        options |= {"IdentitiesOnly": "yes", "IdentityAgent": "none"}
    words = ["ssh", "-F", "none"]
    for name, value in options.items():
        words += ["-o", f"{name}={value}"]
    words += ["-i", key] if key else []
    own = {"GIT_SSH_COMMAND": shlex.join(words), "GIT_SSH_VARIANT": "ssh"}
    if not key and "SSH_AUTH_SOCK" in environ:
        own["SSH_AUTH_SOCK"] = environ["SSH_AUTH_SOCK"]
    return own


def _quoted(path: str) -> str:
    """As ssh reads it: a list of words in which ``%`` begins a token."""
    return '"' + path.replace("%", "%%") + '"'
