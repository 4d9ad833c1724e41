"""Who somebody is to Azure DevOps: ourselves, and who may write to the repository."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from reconciler.forge.azure_devops.client import PREVIEW, Client
from reconciler.forge.azure_devops.settings import AzureDevOpsSettings

GIT_REPOSITORIES: Final = "2e9eb7ed-3c0a-47d4-87c1-0ffdd275fd87"
GENERIC_CONTRIBUTE: Final = 4
"""https://learn.microsoft.com/azure/devops/organizations/security/namespace-reference"""
GUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
LONGEST_NAME: Final = 256

type Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Me:
    """The identity behind the token: ``id`` is the author of what we write."""

    id: str
    name: str


def name_of(identity: object) -> str:
    """What somebody is called here: the unique name, which is an address mostly; an id where there
    is none. Display names are chosen by people and are never looked at."""
    found = identity if isinstance(identity, dict) else {}
    return str(found.get("uniqueName") or found.get("id") or "")


def value_of(properties: object, name: str) -> str:
    """A property as Azure DevOps writes them: a value, or a type and a value."""
    found = properties.get(name) if isinstance(properties, dict) else None
    found = found.get("$value") if isinstance(found, dict) else found
    return str(found) if isinstance(found, str | int) else ""


class People:
    """Asks about people; what does not change is asked once."""

    def __init__(self, client: Client, settings: AzureDevOpsSettings) -> None:
        self._client, self._settings = client, settings
        self._me: Me | None = None
        self._ids: tuple[str, str] | None = None

    async def me(self) -> Me:
        """Who we are."""
        if self._me is None:
            url = f"{self._client.organization}/_apis/connectionData"
            user = (await self._client.get(url, version=PREVIEW))["authenticatedUser"]
            name = value_of(user.get("properties"), "Account") or str(user["id"])
            self._me = Me(str(user["id"]).lower(), name)
        return self._me

    async def ids(self) -> tuple[str, str]:
        """The ids of the project and of the repository."""
        if self._ids is None:
            found = await self._client.get(self._client.repository)
            self._ids = (found["project"]["id"], found["id"])
        return self._ids

    async def may_write(self, user: str) -> bool:
        """Whether the access control list of the repository, with what is inherited and what comes
        from groups, lets somebody contribute. Whoever cannot be told for certain may not.

        https://learn.microsoft.com/rest/api/azure/devops/security/access-control-lists/query
        """
        descriptor = await self._descriptor(user)
        if not descriptor:
            return False
        project, repository = await self.ids()
        url = f"{self._client.organization}/_apis/accesscontrollists/{GIT_REPOSITORIES}"
        asked = {
            "token": f"repoV2/{project}/{repository}",
            "descriptors": descriptor,
            "includeExtendedInfo": "true",
            "recurse": "false",
        }
        lists = (await self._client.get(url, asked))["value"]
        entries = [
            entry
            for one in lists
            for key, entry in (one.get("acesDictionary") or {}).items()
            if one.get("token", "").lower() == asked["token"].lower()
            and key.lower() == descriptor.lower()
        ]
        return len(entries) == 1 and _contributes(entries[0])

    async def _descriptor(self, user: str) -> str:
        """How access control lists name somebody; "" unless exactly one person has that name."""
        if not user or len(user) > LONGEST_NAME or not user.isprintable():
            return ""
        by_id = GUID.fullmatch(user) is not None
        asked = {"identityIds": user} if by_id else {"searchFilter": "General", "filterValue": user}
        url = f"{self._settings.identities_url}/_apis/identities"
        found = (await self._client.get(url, {**asked, "queryMembership": "None"}))["value"]
        people = [one for one in found if one and _is_person(one, user, by_id)]
        return str(people[0].get("descriptor") or "") if len(people) == 1 else ""


def _is_person(identity: Json, user: str, by_id: bool) -> bool:
    """The search looks at display names too, which people choose: only the account counts."""
    if identity.get("isContainer") or identity.get("isActive") is False:
        return False
    known = str(identity.get("id", ""))
    named = known if by_id else value_of(identity.get("properties"), "Account")
    return named.lower() == user.lower()


def _contributes(entry: Json) -> bool:
    extended = entry.get("extendedInfo") or {}
    allowed, denied = extended.get("effectiveAllow") or 0, extended.get("effectiveDeny") or 0
    return bool(allowed & GENERIC_CONTRIBUTE and not denied & GENERIC_CONTRIBUTE)
