"""Runs the git binary in an environment of its own making.

Commands that meet the network are started here rather than by GitPython, which hands a child
everything in our environment (other programs' secrets, ``GIT_*`` variables) and, on a timeout,
kills only the descendants that it finds at that moment. Here a child gets a fresh environment, and
its whole process group ends with a timeout or a cancelled task.

Configuration and the token travel in ``GIT_CONFIG_*`` variables: other users cannot see them in
the process list, and they are never written to disk.
https://git-scm.com/docs/git-config#ENVIRONMENT
"""

import asyncio
import os
import resource
import shutil
import signal
import subprocess
import sys
from base64 import b64decode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from reconciler.core.errors import Permanent, Transient
from reconciler.git.address import Address
from reconciler.git.cache import own_folder
from reconciler.git.credentials import Credentials
from reconciler.git.settings import GitSettings
from reconciler.git.ssh import ssh_command

OLDEST: Final = (2, 36)
"""The first git with ``fetch --refetch``: https://git-scm.com/docs/git-fetch"""
MAX_OUTPUT: Final = 64 * 1024 * 1024
MAX_STDERR: Final = 16 * 1024
PROXIES: Final = ("https_proxy", "HTTPS_PROXY", "http_proxy", "no_proxy", "NO_PROXY", "all_proxy")
NOTHING: Final[Mapping[str, str]] = {}
CONFIG: Final = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.attributesFile": os.devnull,
    "credential.helper": "",
    "core.bigFileThreshold": "2m",  # larger files are never held in memory
    "gc.auto": "0",
    "maintenance.auto": "false",
    "fetch.unpackLimit": "1",  # packs only: as few files as possible
    "fetch.recurseSubmodules": "false",
    "submodule.recurse": "false",
    "transfer.bundleURI": "false",
    "protocol.version": "2",
    "http.followRedirects": "false",  # a token goes to the host that was named, and to no other
    "http.lowSpeedLimit": "1",
    "http.lowSpeedTime": "30",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """How a git command ended. ``stderr`` may hold anything the server said."""

    code: int
    stdout: bytes
    stderr: str = field(repr=False)


def git_version() -> str:
    """The version of the git binary, such as ``2.39.5``.

    Raises Permanent when there is none, or one that is too old.
    """
    binary = shutil.which("git")
    if binary is None:
        raise Permanent(
            "there is no git here: install it, or run the container image, which has it"
        )
    try:
        told = subprocess.run(  # noqa: S603 - no foreign words
            [binary, "--version"], capture_output=True, check=True, timeout=20, text=True
        ).stdout
        version = told.split()[2]
        number = tuple(int(part) for part in version.split(".")[:2])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        raise Permanent(f"{binary} does not run as git does: install git anew") from None
    if number < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        raise Permanent(f"git {version} is too old: {wanted} or newer is needed")
    return version


def environment(home: Path, config: Mapping[str, str], folder: Path | None) -> dict[str, str]:
    """A child's whole environment: no configuration but this, no prompt, no lazy download."""
    own = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TEMPLATE_DIR": "",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_CEILING_DIRECTORIES": str(home.parent),
        "GIT_CONFIG_COUNT": str(len(CONFIG) + len(config)),
    }
    for place, (name, value) in enumerate([*CONFIG.items(), *config.items()]):
        own |= {f"GIT_CONFIG_KEY_{place}": name, f"GIT_CONFIG_VALUE_{place}": value}
    if folder is not None:
        # GitPython adds these to our own environment, so what could mislead is said as well.
        own |= {
            "GIT_DIR": str(folder),
            "GIT_COMMON_DIR": str(folder),
            "GIT_OBJECT_DIRECTORY": str(folder / "objects"),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": "",
            "GIT_CONFIG_PARAMETERS": "",
        }
    return own


@dataclass(frozen=True)
class Git:
    """The git binary, for one repository."""

    address: Address
    settings: GitSettings
    home: Path
    """A folder of our own that holds nothing."""
    credentials: Credentials | None = None

    def local(self, folder: Path | None) -> dict[str, str]:
        """The environment of a command that meets nothing but a clone of ours."""
        return environment(self.home, NOTHING, folder)

    async def authorization(self) -> str:
        """The header for the next connection; "" where none is wanted."""
        if self.credentials is None or not self.address.origin:
            return ""
        header = await self.credentials()
        if not header.isascii() or not header.isprintable():
            raise Permanent("the credential is no token: it holds characters no header may")
        return header

    async def connect(
        self,
        *arguments: str,
        authorization: str,
        folder: Path | None = None,
        config: Mapping[str, str] = NOTHING,
        lock: int = -1,
    ) -> Answer:
        """Run a command that meets the remote repository, as ``origin``."""
        env = self._remote(folder, authorization, config)
        answer = await self.run(*arguments, env=env, lock=lock)
        return replace(answer, stderr=_without(authorization, answer.stderr))

    def _remote(
        self, folder: Path | None, authorization: str, config: Mapping[str, str]
    ) -> dict[str, str]:
        config = {"remote.origin.url": self.address.url, **config}
        if authorization:
            header = f"Authorization: {authorization}"
            config[f"http.{self.address.origin}/.extraHeader"] = header
        own = environment(self.home, config, folder)
        own |= {name: os.environ[name] for name in PROXIES if name in os.environ}
        own |= {"GIT_ALLOW_PROTOCOL": self.address.scheme, "GIT_NO_LAZY_FETCH": "0"}
        if authority := os.environ.get("GIT_SSL_CAINFO") or os.environ.get("SSL_CERT_FILE"):
            own["GIT_SSL_CAINFO"] = authority
        if self.address.scheme == "ssh":
            own |= ssh_command(self.settings.ssh_key, self.settings.known_hosts)
        return own

    async def run(self, *arguments: str, env: Mapping[str, str], lock: int = -1) -> Answer:
        """Run to the end. Raises Transient after ``timeout_s`` seconds, Permanent without git.

        ``lock`` is a descriptor that the child keeps open, so that a lock on it lasts as long as
        the child even when this process is killed.
        """
        own_folder(self.settings.cache)
        kept = (lock,) if lock >= 0 else ()
        try:
            process = await asyncio.create_subprocess_exec(
                "git",
                *arguments,
                env=dict(env),
                cwd=self.home,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
                pass_fds=kept,
            )
        except FileNotFoundError:
            git_version()
            raise
        ended = False
        try:
            _limit(process.pid, self.settings.max_pack_bytes)
            async with asyncio.timeout(self.settings.timeout_s):
                answer = await _collect(process)
            ended = True
            return answer
        except TimeoutError:
            raise Transient(
                f"git {arguments[0]} on {self.address.url} was stopped: it took more than "
                f"{self.settings.timeout_s:g} seconds (RECONCILER_GIT_TIMEOUT_S)"
            ) from None
        finally:
            if not ended:
                await _end(process)


def _without(authorization: str, text: str) -> str:
    """The text without the token, however a server may have echoed it."""
    encoded = authorization.rpartition(" ")[2]
    secrets = [encoded]
    with suppress(ValueError):
        secrets.append(b64decode(encoded, validate=True).decode().partition(":")[2])
    for secret in secrets:
        text = text.replace(secret, "***") if secret else text
    return text


def _limit(pid: int, size: int) -> None:
    """Let no file grow beyond ``size``, in the child and in all that it starts."""
    if sys.platform != "linux":
        return
    with suppress(ProcessLookupError):  # it may have ended already
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        most = size if hard == resource.RLIM_INFINITY else min(size, hard)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))


async def _collect(process: asyncio.subprocess.Process) -> Answer:
    assert process.stdout is not None
    assert process.stderr is not None
    stdout, stderr = await asyncio.gather(_all(process.stdout), _tail(process.stderr))
    return Answer(await process.wait(), stdout, stderr)


async def _all(stream: asyncio.StreamReader) -> bytes:
    data = bytearray()
    while chunk := await stream.read(65_536):
        data += chunk
        if len(data) > MAX_OUTPUT:
            raise Permanent(f"git answered with more than {MAX_OUTPUT >> 20} MiB")
    return bytes(data)


async def _tail(stream: asyncio.StreamReader) -> str:
    """The end of what is said: why it failed comes last."""
    data = b""
    while chunk := await stream.read(65_536):
        data = (data + chunk)[-MAX_STDERR:]
    return data.decode("utf-8", "replace")


async def _end(process: asyncio.subprocess.Process) -> None:
    """Leave nothing of the process group behind."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
