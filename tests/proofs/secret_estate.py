"""An estate with a secret in every field that takes one."""

from collections.abc import Iterator

from reconciler.core.kinds import KINDS
from reconciler.core.kinds.kind import Kind
from reconciler.core.schema import Array, Field, Map, Object, Variant
from tests.engine.estates import BASE, deployment, endpoint

SETTINGS = [f"S{number:02}" for number in range(40)]
CANARIES = {name: f"tweety-{name}-5f1e9d7b" for name in SETTINGS} | {
    "TOKEN": "tweety-in-vault-77aa"
}
GUID = "33333333-3333-3333-3333-333333333333"
_names = iter(SETTINGS)


VALUES = dict(CANARIES)
"""What the settings hold: the canary, or a connection string around it where Azure wants one."""
EVENT_HUB = "Endpoint=sb://hub;SharedAccessKeyName=send;SharedAccessKey={}"
STORAGE = "DefaultEndpointsProtocol=https;AccountName=st;AccountKey={};EndpointSuffix=core"


def _secret(shape: str = "{}") -> str:
    name = next(_names)
    VALUES[name] = shape.format(CANARIES[name])
    return f"{{secret: {{setting: {name}}}}}"


def _connection(auth: str, name: str, **credentials: str) -> str:
    given = ", ".join(f"{field}: {value}" for field, value in credentials.items())
    return f"""
    apiVersion: aigitops/v1
    kind: Connection
    metadata: {{name: {name}}}
    spec:
      workspace: mlw
      category: {"CustomKeys" if auth == "CustomKeys" else "ApiKey" if auth == "ApiKey" else "Git"}
      target: https://{name}.example.com
      authType: {auth}
      credentials: {{{given}}}
"""


CONNECTIONS = (
    _connection("ApiKey", "c-api-key", key=_secret()),
    _connection("AccountKey", "c-account-key", key=_secret()),
    _connection("CustomKeys", "c-custom", keys=f"{{keys: {_secret()}}}"),
    _connection("AccessKey", "c-access", accessKeyId="AKIA", secretAccessKey=_secret()),
    _connection("PAT", "c-pat", pat=_secret()),
    _connection("SAS", "c-sas", sas=_secret()),
    _connection(
        "UsernamePassword", "c-user", username="u", password=_secret(), securityToken=_secret()
    ),
    _connection(
        "ServicePrincipal", "c-principal", clientId=GUID, clientSecret=_secret(), tenantId=GUID
    ),
    _connection(
        "OAuth2",
        "c-oauth",
        clientId=GUID,
        clientSecret=_secret(),
        developerToken=_secret(),
        password=_secret(),
        refreshToken=_secret(),
    ),
)
ACCOUNT = f"""
    apiVersion: aigitops/v1
    kind: Account
    metadata: {{name: contoso}}
    spec:
      kind: OpenAI
      sku: {{name: S0}}
      customSubDomainName: contoso-x
      apiProperties:
        qnaAzureSearchEndpointKey: {_secret()}
        eventHubConnectionString: {_secret(EVENT_HUB)}
        storageAccountConnectionString: {_secret(STORAGE)}
"""


def _datastore(kind: str, name: str, secrets: str, more: str = "") -> str:
    return f"""
    apiVersion: aigitops/v1
    kind: MLDatastore
    metadata: {{name: {name}}}
    spec:
      workspace: mlw
      datastoreType: AzureBlob
      accountName: stcontoso
      containerName: data
      credentials: {{credentialsType: {kind}, {more} secrets: {{secretsType: {kind}, {secrets}}}}}
"""


PRINCIPAL = f"clientId: {GUID}, tenantId: {GUID},"
DATASTORES = (
    _datastore("AccountKey", "d_key", f"key: {_secret()}"),
    _datastore("Sas", "d_sas", f"sasToken: {_secret()}"),
    _datastore("ServicePrincipal", "d_principal", f"clientSecret: {_secret()}", PRINCIPAL),
    _datastore(
        "Certificate", "d_cert", f"certificate: {_secret()}", f"{PRINCIPAL} thumbprint: AB12,"
    ),
)
COMPUTE = f"""
    apiVersion: aigitops/v1
    kind: MLCompute
    metadata: {{name: cluster}}
    spec:
      workspace: mlw
      computeType: AmlCompute
      properties:
        vmSize: STANDARD_DS3_V2
        scaleSettings: {{minNodeCount: 0, maxNodeCount: 1}}
        userAccountCredentials:
          adminUserName: azureuser
          adminUserPassword: {_secret()}
          adminUserSshPublicKey: {_secret()}
"""
AUTOSCALE = f"""
    apiVersion: aigitops/v1
    kind: Autoscale
    metadata: {{name: scale-blue}}
    spec:
      targetResourceUri: OnlineDeployment/mlw/vllm/blue
      enabled: true
      profiles:
        - name: default
          capacity: {{minimum: "1", maximum: "2", default: "1"}}
          rules: []
      notifications:
        - operation: Scale
          webhooks: [{{serviceUri: {_secret()}}}]
"""
ESTATE = (
    *BASE,
    ACCOUNT,
    *CONNECTIONS,
    *DATASTORES,
    COMPUTE,
    endpoint(blue=100),
    deployment("blue"),
    AUTOSCALE,
)


def fields_that_take_secrets() -> set[tuple[str, str]]:
    """Kind and name of every one."""
    return {(kind.name, name) for kind in KINDS.values() for name in _of_kind(kind)}


def _of_kind(kind: Kind) -> Iterator[str]:
    yield from _inside(Field(shape=kind.shape), kind.name)


def _inside(field: Field, name: str) -> Iterator[str]:
    if field.secret:
        yield name
    shape = field.shape
    if isinstance(shape, Object):
        for inner, one in shape.fields.items():
            yield from _inside(one, inner)
    elif isinstance(shape, Variant):
        for fields in (shape.common, *shape.cases.values()):
            for inner, one in fields.items():
                yield from _inside(one, inner)
    elif isinstance(shape, Array):
        yield from _inside(shape.item, name)
    elif isinstance(shape, Map):
        yield from _inside(shape.value, name)
