"""An estate of any size, as specs and as an emulated Azure that already holds it.

Half of it are accounts with 20 model deployments each, half are online endpoints with 5
deployments each. What Azure would answer is not written here: a small estate is applied to the
emulator once, and its resources are copied under other names.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

ENVIRONMENT = "bench"
PER_ACCOUNT, PER_ENDPOINT, PER_WORKSPACE = 20, 5, 25
GROUP, STORAGE = "rg-bench", "stbench"
MODELS = (
    ("gpt-5.1", "2025-11-13", "GlobalStandard"),
    ("gpt-5-mini", "2025-08-07", "GlobalStandard"),
    ("text-embedding-3-large", "1", "Standard"),
)

TARGET = """
apiVersion: aigitops/v1
kind: Environment
metadata: {{name: bench}}
spec:
  subscription: {subscription}
  resourceGroup: rg-bench
  location: eastus2
  prune: true
  tags: {{owner: ai-platform, environment: bench}}
"""
FOUNDATION = """
apiVersion: aigitops/v1
kind: ResourceGroup
metadata: {name: rg-bench}
spec: {location: eastus2}
---
apiVersion: aigitops/v1
kind: StorageAccount
metadata: {name: stbench}
spec:
  kind: StorageV2
  sku: {name: Standard_LRS}
  minimumTlsVersion: TLS1_2
  allowBlobPublicAccess: false
"""
IDENTITY = """
apiVersion: aigitops/v1
kind: ManagedIdentity
metadata: {{name: id-{number:05}}}
spec: {{}}
"""
WORKSPACE = """
apiVersion: aigitops/v1
kind: Workspace
metadata: {{name: ws-{number:05}}}
spec:
  friendlyName: Models on machines of our own
  identity: {{type: SystemAssigned}}
  storageAccount: stbench
"""
ACCOUNT = """
apiVersion: aigitops/v1
kind: Account
metadata: {{name: ai-{number:05}}}
spec:
  kind: OpenAI
  sku: {{name: S0}}
  customSubDomainName: bench-ai-{number:05}
  identity: {{type: SystemAssigned}}
  disableLocalAuth: true
  publicNetworkAccess: Enabled
  networkAcls: {{defaultAction: Allow}}
"""
MODEL_DEPLOYMENT = """
apiVersion: aigitops/v1
kind: ModelDeployment
metadata: {{name: chat-{place:02}}}
spec:
  account: ai-{number:05}
  sku: {{name: {sku}, capacity: 2}}
  model: {{format: OpenAI, name: {model}, version: "{version}"}}
  versionUpgradeOption: NoAutoUpgrade
  raiPolicyName: Microsoft.DefaultV2
"""
ENDPOINT = """
apiVersion: aigitops/v1
kind: OnlineEndpoint
metadata: {{name: ep-{number:05}}}
spec:
  workspace: ws-{workspace:05}
  authMode: Key
  publicNetworkAccess: Enabled
  identity: {{type: SystemAssigned}}
  traffic: {{vllm-0: 100}}
"""
ONLINE_DEPLOYMENT = """
apiVersion: aigitops/v1
kind: OnlineDeployment
metadata: {{name: vllm-{place}}}
spec:
  endpoint: ep-{number:05}
  sku: {{name: Default, capacity: 1}}
  endpointComputeType: Managed
  instanceType: Standard_DS3_v2
  environmentVariables:
    MODEL_NAME: microsoft/Phi-4-mini-instruct
    VLLM_ARGS: "--max-model-len 8192"
  requestSettings: {{requestTimeout: PT10S, maxConcurrentRequestsPerInstance: 32}}
  livenessProbe: {{initialDelay: PT2M, period: PT10S, timeout: PT2S, failureThreshold: 30}}
  readinessProbe: {{initialDelay: PT2M, period: PT10S, timeout: PT2S, failureThreshold: 30}}
  egressPublicNetworkAccess: Disabled
"""


@dataclass(frozen=True)
class Estate:
    """How many of what there are."""

    accounts: int
    endpoints: int
    workspaces: int
    identities: int

    @classmethod
    def of(cls, resources: int) -> "Estate":
        """An estate of exactly so many resources (identities make up what is missing)."""
        accounts = resources // 2 // (1 + PER_ACCOUNT)
        whole = PER_WORKSPACE * (1 + PER_ENDPOINT) + 1
        endpoints = (resources // 2 - 4) * PER_WORKSPACE // whole
        workspaces = -(-endpoints // PER_WORKSPACE)
        estate = cls(accounts, endpoints, workspaces, 0)
        return cls(accounts, endpoints, workspaces, resources - estate.resources)

    @property
    def resources(self) -> int:
        many = self.accounts * (1 + PER_ACCOUNT) + self.endpoints * (1 + PER_ENDPOINT)
        return 2 + self.workspaces + self.identities + many

    @property
    def collections(self) -> int:
        """The lists that hold everything but the resource group: storage accounts, identities,
        accounts, workspaces; deployments of each account; endpoints of each workspace; and
        deployments of each endpoint."""
        return 4 + self.accounts + self.workspaces + self.endpoints

    def files(self, subscription: str) -> dict[str, str]:
        """The specs: a file for each account and each endpoint, with what is on it."""
        files = {
            "environments/bench.yaml": TARGET.format(subscription=subscription),
            "foundation.yaml": FOUNDATION,
            "workspaces.yaml": _several(WORKSPACE.format(number=n) for n in range(self.workspaces)),
        }
        if self.identities:
            documents = (IDENTITY.format(number=n) for n in range(self.identities))
            files["identities.yaml"] = _several(documents)
        files |= {f"accounts/{n:05}.yaml": _account(n) for n in range(self.accounts)}
        return files | {f"endpoints/{n:05}.yaml": _endpoint(n) for n in range(self.endpoints)}

    def write(self, folder: Path, subscription: str) -> None:
        for path, text in self.files(subscription).items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")

    def state(self, sample: dict[str, Any]) -> dict[str, Any]:
        """The emulator's state with this estate in it; ``sample`` is that of ``SAMPLE``."""
        listed = sample["resources"]
        copied = chain(
            _copies(listed, "id-00000", self.identities),
            _copies(listed, "ws-00000", self.workspaces, without="/ep-"),
            _copies(listed, "ai-00000", self.accounts),
            _copies(listed, "ep-00000", self.endpoints, home="ws-00000"),
        )
        named = ("id-00000", "ws-00000", "ai-00000")
        common = [one for one in listed if not any(name in one["id"] for name in named)]
        return {**sample, "resources": [*common, *copied], "operations": []}


SAMPLE = Estate(accounts=1, endpoints=1, workspaces=1, identities=1)
"""One of everything."""


def _several(documents: Iterator[str]) -> str:
    return "---".join(documents)


def _account(number: int) -> str:
    deployments = (
        MODEL_DEPLOYMENT.format(number=number, place=n, model=model, version=version, sku=sku)
        for n in range(PER_ACCOUNT)
        for model, version, sku in (MODELS[n % len(MODELS)],)
    )
    return _several(chain([ACCOUNT.format(number=number)], deployments))


def _endpoint(number: int) -> str:
    endpoint = ENDPOINT.format(number=number, workspace=number // PER_WORKSPACE)
    deployments = (ONLINE_DEPLOYMENT.format(number=number, place=n) for n in range(PER_ENDPOINT))
    return _several(chain([endpoint], deployments))


def _copies(
    listed: list[dict[str, Any]], name: str, count: int, *, without: str = "\0", home: str = ""
) -> Iterator[dict[str, Any]]:
    """The resources with ``name`` in their ids, as often as asked, each time renamed."""
    chosen = [one for one in listed if name in one["id"] and without not in one["id"]]
    text = json.dumps(chosen)
    for number in range(count):
        renamed = text.replace(name, f"{name[:3]}{number:05}")
        if home:
            renamed = renamed.replace(home, f"{home[:3]}{number // PER_WORKSPACE:05}")
        yield from json.loads(renamed)
