"""Where the account of a model deployment is, and of what kind."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.core.arm import ancestor_of, subscription_of
from reconciler.core.kinds import KINDS
from reconciler.core.live import Live
from reconciler.core.model import Plan
from reconciler.core.same import region


@dataclass(frozen=True)
class Place:
    """A region of a subscription: there a catalogue and quotas apply."""

    subscription: str
    location: str
    """As it is written in URLs: ``eastus2``."""
    shown: str
    """As the spec writes it: ``East US 2``."""

    @property
    def models_url(self) -> str:
        return f"{self._base}/models"

    @property
    def usages_url(self) -> str:
        return f"{self._base}/usages"

    @property
    def _base(self) -> str:
        provider = "providers/Microsoft.CognitiveServices"
        return f"/subscriptions/{self.subscription}/{provider}/locations/{self.location}"


class Accounts:
    """The accounts that a plan makes or that are there already."""

    def __init__(self, plan: Plan, live: Live) -> None:
        self.declared: Mapping[str, Mapping[str, Any]] = {
            one.arm_id.lower(): one.properties
            for one in plan.resources
            if one.key.kind == "Account"
        }
        self.live = live

    def place_of(self, arm_id: str) -> Place | None:
        """Where the account of a deployment is; None when that is not known."""
        location = self._account(arm_id).get("location")
        if not isinstance(location, str):
            return None
        return Place(subscription_of(arm_id), str(region(location)), location)

    def kind_of(self, arm_id: str) -> str:
        """``OpenAI``, ``AIServices``, …; "" when it is not known."""
        return str(self._account(arm_id).get("kind") or "")

    def _account(self, arm_id: str) -> Mapping[str, Any]:
        above = ancestor_of(arm_id, KINDS["Account"].arm_type)
        found = self.live.by_id.get(above)
        return self.declared.get(above) or (found[1].properties if found else {})
