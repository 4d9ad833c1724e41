"""Everything around the Function App on one machine: an emulated Azure, an emulated GitHub with
the specs, the app itself. Each part is a process of its own, so that it is as far away as in the
cloud.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from reconciler.local.parts import part
from reconciler.local.repository import BRANCH, Repository, make_repository, publish

READER: Final = "aaaaaaaa-0000-0000-0000-000000000001"
"""Who plans: may read the emulated Azure and not write."""
WRITER: Final = "aaaaaaaa-0000-0000-0000-000000000002"
"""Who applies."""
SETTING: Final = re.compile(r"\bsetting:\s*(\w+)")
APP_SETTINGS: Final = (
    "GITHUB_API_URL",
    "GITHUB_APP_ID",
    "GITHUB_PRIVATE_KEY",
    "GITHUB_WEBHOOK_SECRET",
)


@dataclass(frozen=True)
class Sandbox:
    """Where everything is."""

    app: str
    """The Function App: ``<app>/api/health``."""
    key: str
    """Opens its functions: header ``x-functions-key``."""
    azure: str
    github: str
    """The emulated GitHub: its pages, for a browser."""
    api: str
    """The base of its REST API."""
    repository: str
    """``owner/name`` of the repository with the specs."""
    tokens: Mapping[str, str]
    """For the API: of the developer, who may push, and of the maintainer."""
    work: str
    """A clone of it to edit: push a branch, open a pull request."""
    state: str
    """For ``RECONCILER_STATE``."""
    log: str
    """What the app says."""
    environment: Mapping[str, str]
    """With these variables the command line sees what the app sees."""

    def told(self) -> dict[str, Any]:
        return asdict(self)


@contextmanager
def sandbox(
    specs: Path, folder: Path, environments: tuple[str, ...] = (), schedule: str = "*/15 * * * * *"
) -> Iterator[Sandbox]:
    """Start everything in ``folder``; it ends with the block. Raises Permanent when a part does
    not come up."""
    with ExitStack() as stack:

        def start(*words: str, name: str, **environment: str) -> Any:
            return stack.enter_context(
                part(*words, name=name, folder=folder, environment=environment)
            )

        scale = ("--time-scale", "0.02", "--reader", READER)
        starting = start("emulate", "github", name="github")
        azure = start("emulate", "azure", *scale, name="azure").told()
        github = starting.told()
        repository = make_repository(github)
        work = publish(repository, specs, folder, environments)
        environment = {
            **azure["environment"],
            **made_up_secrets(specs),
            **_place(folder, specs.name, schedule),
            **_forge(github["environment"], repository),
        }
        app = start("host", "--host-state", str(folder / "host"), name="host", **environment).told()
        repository.door("webhook", url=f"{app['url']}/api/webhooks/github")
        yield Sandbox(
            app=app["url"],
            key=app["key"],
            azure=azure["arm"],
            github=repository.url,
            api=repository.api,
            repository=repository.name,
            tokens=repository.tokens,
            work=str(work),
            state=environment["RECONCILER_STATE"],
            log=str(folder / "host.log"),
            environment=environment,
        )


def _place(folder: Path, specs: str, schedule: str) -> dict[str, str]:
    return {
        "RECONCILER_STATE": f"sqlite:{folder / 'state.db'}",
        "RECONCILER_BRANCH": BRANCH,
        "RECONCILER_SPECS_PATH": specs,
        "RECONCILER_GIT_CACHE": str(folder / "git"),
        "RECONCILER_SCHEDULE": schedule,
        "RECONCILER_PLAN_CLIENT_ID": READER,
        "RECONCILER_APPLY_CLIENT_ID": WRITER,
        "RECONCILER_POLL_S": "0.2",
    }


def _forge(github: Mapping[str, str], repository: Repository) -> dict[str, str]:
    """The reconciler as an App. Whoever starts the sandbox may be somebody on the real GitHub:
    nothing of that is passed on."""
    return {
        "RECONCILER_FORGE": "github",
        "RECONCILER_REPO_URL": repository.address,
        **{name: github[name] for name in APP_SETTINGS},
        "GITHUB_REPOSITORY": repository.name,
        **dict.fromkeys(
            ("GITHUB_TOKEN", "GITHUB_INSTALLATION_ID", "GITHUB_WEBHOOK_SECRET_OLD"), ""
        ),
    }


def made_up_secrets(specs: Path) -> dict[str, str]:
    """A value for every secret that the specs take from a setting."""
    texts = [path.read_text() for path in specs.rglob("*.yaml")]
    names = {name for text in texts for name in SETTING.findall(text)}
    return {f"RECONCILER_SECRET_{name}": f"a made-up {name.lower()}" for name in sorted(names)}
