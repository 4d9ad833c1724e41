"""Where a repository of Azure Repos is, from any way of writing its address.

https://learn.microsoft.com/azure/devops/repos/git/clone
https://learn.microsoft.com/azure/devops/repos/git/use-ssh-keys-to-authenticate
"""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

CLOUD: Final = "dev.azure.com"
OLD_CLOUD: Final = ".visualstudio.com"
SSH: Final = re.compile(
    r"(?:ssh://)?[\w.-]+@(?:ssh\.dev\.azure\.com|vs-ssh\.visualstudio\.com)[:/]"
    r"v3/([^/]+)/([^/]+)/([^/]+?)/?"
)
DEFAULT_COLLECTION: Final = "defaultcollection"


@dataclass(frozen=True, slots=True)
class Place:
    """ "": not told by the address. Names are as people write them, without percent signs."""

    organization_url: str = ""
    project: str = ""
    repository: str = ""


def place(url: str) -> Place:
    """What the address of a repository tells."""
    if found := SSH.fullmatch(url):
        organization, project, repository = map(unquote, found.groups())
        return Place(f"https://{CLOUD}/{organization}", project, repository)
    if "://" not in url:
        return Place()
    parts = urlsplit(url)
    before, marker, after = parts.path.strip("/").partition("_git/")
    if not marker or parts.scheme not in ("https", "http"):
        return Place()
    folders = [unquote(one) for one in before.strip("/").split("/") if one]
    return _of(parts.scheme, parts.netloc.rpartition("@")[2], folders, unquote(after.strip("/")))


def _of(scheme: str, host: str, folders: list[str], repository: str) -> Place:
    if host.lower().endswith(OLD_CLOUD):
        # Both addresses stay valid: https://learn.microsoft.com/azure/devops/release-notes/2018/sep-10-azure-devops-launch
        folders = [host[: -len(OLD_CLOUD)], *folders]
        if len(folders) > 1 and folders[1].lower() == DEFAULT_COLLECTION:
            del folders[1]
        host = CLOUD
    if not folders:
        return Place(repository=repository)
    # The project is left out of the address of the repository that has its name.
    organization = folders if len(folders) == 1 else folders[:-1]
    project = repository if len(folders) == 1 else folders[-1]
    return Place(f"{scheme}://{host}/{'/'.join(organization)}", project, repository)
