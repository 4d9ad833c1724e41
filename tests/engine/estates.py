"""Estates that touch every kind of step, for tests that interrupt them anywhere."""

ACCOUNT_ID = "Microsoft.CognitiveServices/accounts/contoso"
GROUP = """
    apiVersion: aigitops/v1
    kind: ResourceGroup
    metadata: {name: rg-ai}
    spec: {}
"""
ACCOUNT = """
    apiVersion: aigitops/v1
    kind: Account
    metadata: {name: contoso}
    spec: {kind: OpenAI, sku: {name: S0}, customSubDomainName: contoso-x}
"""
FILTER = """
    apiVersion: aigitops/v1
    kind: ContentFilter
    metadata: {name: strict}
    spec:
      account: contoso
      basePolicyName: Microsoft.DefaultV2
      mode: Blocking
      contentFilters:
        - {name: Hate, source: Prompt, enabled: true, blocking: true, severityThreshold: Low}
"""
VAULT = """
    apiVersion: aigitops/v1
    kind: KeyVault
    metadata: {name: kv-contoso}
    spec: {tenantId: 22222222-2222-2222-2222-222222222222, enableRbacAuthorization: true}
"""
TOKEN = """
    apiVersion: aigitops/v1
    kind: Secret
    metadata: {name: token}
    spec: {keyVault: kv-contoso, value: {secret: {setting: TOKEN}}}
"""
IDENTITY = """
    apiVersion: aigitops/v1
    kind: ManagedIdentity
    metadata: {name: id-app}
    spec: {}
"""
ROLE = """
    apiVersion: aigitops/v1
    kind: RoleAssignment
    metadata: {name: app-calls}
    spec:
      scope: Account/contoso
      role: Cognitive Services OpenAI User
      principal: ManagedIdentity/id-app
"""
STORAGE = """
    apiVersion: aigitops/v1
    kind: StorageAccount
    metadata: {name: stcontoso}
    spec: {kind: StorageV2, sku: {name: Standard_LRS}}
"""
INSIGHTS = """
    apiVersion: aigitops/v1
    kind: ApplicationInsights
    metadata: {name: appi}
    spec: {kind: web, Application_Type: web, WorkspaceResourceId: logs}
"""
LOGS = """
    apiVersion: aigitops/v1
    kind: LogAnalytics
    metadata: {name: logs}
    spec: {sku: {name: PerGB2018}, retentionInDays: 30}
"""
WORKSPACE = """
    apiVersion: aigitops/v1
    kind: Workspace
    metadata: {name: mlw}
    spec:
      identity: {type: SystemAssigned}
      storageAccount: stcontoso
      keyVault: kv-contoso
      applicationInsights: appi
"""
CONNECTION = """
    apiVersion: aigitops/v1
    kind: Connection
    metadata: {name: weather}
    spec:
      workspace: mlw
      category: ApiKey
      target: https://api.weather.example.com
      authType: ApiKey
      credentials: {key: {secret: {keyVault: kv-contoso, name: token}}}
"""


def chat(
    capacity: int = 2,
    name: str = "chat",
    policy: str = "",
    model: str = "gpt-4.1-mini",
) -> str:
    named = f"raiPolicyName: {policy}" if policy else ""
    return f"""
    apiVersion: aigitops/v1
    kind: ModelDeployment
    metadata: {{name: {name}}}
    spec:
      account: contoso
      sku: {{name: GlobalStandard, capacity: {capacity}}}
      model: {{format: OpenAI, name: {model}, version: "2025-04-14"}}
      versionUpgradeOption: NoAutoUpgrade
      {named}
"""


def endpoint(**traffic: int) -> str:
    shares = ", ".join(f"{name}: {share}" for name, share in traffic.items())
    return f"""
    apiVersion: aigitops/v1
    kind: OnlineEndpoint
    metadata: {{name: vllm}}
    spec: {{workspace: mlw, authMode: Key, traffic: {{{shares}}}}}
"""


def deployment(name: str = "blue", machine: str = "Standard_DS3_v2", count: int = 1) -> str:
    return f"""
    apiVersion: aigitops/v1
    kind: OnlineDeployment
    metadata: {{name: {name}}}
    spec:
      endpoint: vllm
      instanceType: {machine}
      sku: {{capacity: {count}}}
      model: azureml://registries/azureml-meta/models/Llama-3.3-70B-Instruct/versions/1
"""


BASE = (GROUP, VAULT, TOKEN, IDENTITY, STORAGE, LOGS, INSIGHTS, WORKSPACE, CONNECTION, ROLE)
"""What both estates below have in common, without the account."""

BEFORE = (
    *BASE,
    ACCOUNT,
    FILTER,
    chat(5, "chat", "strict"),
    chat(1, "swap"),
    chat(1, "extra"),
    endpoint(blue=100),
    deployment("blue"),
    deployment("green"),
)
"""An estate as it was."""

AFTER = (
    *BASE,
    ACCOUNT,
    chat(2, "chat"),
    chat(1, "swap", model="gpt-4.1"),
    chat(3, "fresh"),
    endpoint(blue=90, red=10),
    deployment("blue", "Standard_DS4_v2"),
    deployment("red"),
)
"""The same estate changed in every way: create, update, a field taken back, replace in place,
replace side by side, traffic, delete (a policy after its deployment, a deployment after its
traffic)."""
