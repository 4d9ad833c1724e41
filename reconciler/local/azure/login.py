"""The sign-in endpoints: cloud metadata, OpenID configuration, token endpoints.

Just enough for MSAL, azure-identity, the Azure CLI and the azapi provider to sign in to the
emulator as a service principal or as a managed identity.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.local.azure.identity import (
    DEFAULT_CLIENT,
    TOKEN_LIFETIME_S,
    Identities,
    audience_of,
)
from reconciler.local.azure.model import JSON, Reply
from reconciler.local.clock import Clock

TOKEN_PATH = re.compile(r"^/[^/]+/oauth2(?:/v2\.0)?/token$", re.IGNORECASE)
CONFIGURATION_PATH = re.compile(
    r"^/(?P<tenant>[^/]+)(?P<v2>/v2\.0)?/\.well-known/openid-configuration$", re.IGNORECASE
)
APP_SERVICE_PATH = "/msi/token"
OWN_NAME = "EmulatedAzure"
IMDS_PATH = "/metadata/identity/oauth2/token"


@dataclass
class Login:
    """Answers sign-in requests; `handle` gives None for paths that are not its own."""

    identities: Identities
    clock: Clock
    identity_header: str
    managed_client: str = DEFAULT_CLIENT

    @property
    def base(self) -> str:
        return self.identities.base_url

    def handle(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        form: JSON,
    ) -> Reply | None:
        """Answer, or None."""
        if method == "POST" and TOKEN_PATH.match(path):
            return self._token(form)
        if method != "GET":
            return None
        if found := CONFIGURATION_PATH.match(path):
            return Reply(200, self._configuration(found["tenant"], found["v2"] or ""))
        lowered = path.rstrip("/").lower()
        if lowered == "/metadata/endpoints":
            return self._metadata(query.get("api-version", ""))
        if lowered == "/common/discovery/instance":
            return Reply(200, self._discovery(query))
        if lowered == APP_SERVICE_PATH:
            return self._app_service(query, headers)
        if lowered == IMDS_PATH:
            return self._imds(query, headers)
        return None

    def _token(self, form: JSON) -> Reply:
        client = str(form.get("client_id", ""))
        grant = form.get("grant_type")
        if grant != "client_credentials":
            return _oauth_error(400, "unsupported_grant_type", f"AADSTS70003: {grant}")
        secret = str(form.get("client_secret") or form.get("client_assertion") or "")
        if not self.identities.secret_accepted(client, secret):
            return _oauth_error(
                401, "invalid_client", "AADSTS7000215: Invalid client secret provided."
            )
        audience = audience_of(str(form.get("scope") or form.get("resource") or ""))
        token = self.identities.token(client, audience, self.clock.now())
        expires = {"expires_in": TOKEN_LIFETIME_S - 1, "ext_expires_in": TOKEN_LIFETIME_S - 1}
        return Reply(200, {"token_type": "Bearer", **expires, "access_token": token})

    def _app_service(self, query: Mapping[str, str], headers: Mapping[str, str]) -> Reply:
        if headers.get("x-identity-header") != self.identity_header:
            return Reply(401, {"statusCode": 401, "message": "Unauthorized"})
        return self._managed(query)

    def _imds(self, query: Mapping[str, str], headers: Mapping[str, str]) -> Reply:
        if headers.get("metadata", "").lower() != "true":
            return _oauth_error(400, "invalid_request", "Required metadata header not specified")
        return self._managed(query)

    def _managed(self, query: Mapping[str, str]) -> Reply:
        resource = query.get("resource", "")
        client = query.get("client_id") or self.managed_client
        now = self.clock.now()
        token = self.identities.token(client, audience_of(resource), now)
        expires = str(int(now + TOKEN_LIFETIME_S))
        return Reply(
            200,
            {
                "access_token": token,
                "client_id": client,
                "expires_in": str(TOKEN_LIFETIME_S),
                "expires_on": expires,
                "not_before": str(int(now)),
                "resource": resource,
                "token_type": "Bearer",
            },
        )

    def _configuration(self, tenant: str, v2: str) -> JSON:
        base = f"{self.base}/{tenant}"
        version = "/v2.0" if v2 else ""
        issuer = f"{base}/v2.0" if v2 else f"https://sts.windows.net/{self.identities.tenant}/"
        return {
            "token_endpoint": f"{base}/oauth2{version}/token",
            "authorization_endpoint": f"{base}/oauth2{version}/authorize",
            "device_authorization_endpoint": f"{base}/oauth2{version}/devicecode",
            "jwks_uri": f"{base}/discovery{version}/keys",
            "issuer": issuer,
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            "response_types_supported": ["code", "id_token", "token"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "tenant_region_scope": "EU",
            "cloud_instance_name": "emulated",
        }

    def _discovery(self, query: Mapping[str, str]) -> JSON:
        host = self.base.partition("://")[2]
        tenant = self.identities.tenant
        return {
            "tenant_discovery_endpoint": f"{self.base}/{tenant}/v2.0/.well-known/"
            "openid-configuration",
            "api-version": query.get("api-version", "1.1"),
            "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
        }

    def _metadata(self, api_version: str) -> Reply:
        """One cloud; versions before 2022 answer a list of clouds.

        In the list it has a name of its own: azure-ai-ml looks a cloud up by name, and knows the
        public one's addresses by heart (azure/ai/ml/_azure_environments.py).
        """
        cloud = cloud_metadata(self.base, self.identities.tenant)
        return Reply(200, [{**cloud, "name": OWN_NAME}] if api_version < "2022" else cloud)


def cloud_metadata(base: str, tenant: str) -> JSON:
    """The cloud as clients discover it; everything that has a host points at the emulator."""
    host = base.partition("://")[2]
    arm = "https://management.azure.com/"
    return {
        "name": "AzureCloud",
        "portal": base,
        "resourceManager": base,
        "authentication": {
            "loginEndpoint": base,
            "audiences": ["https://management.core.windows.net/", arm],
            "tenant": tenant,
            "identityProvider": "AAD",
        },
        "graph": base,
        "graphAudience": base,
        "microsoftGraphResourceId": base,
        "gallery": base,
        "batch": "https://batch.core.windows.net/",
        "media": "https://rest.media.azure.net",
        "sqlManagement": base,
        "vmImageAliasDoc": base,
        "activeDirectoryDataLake": "https://datalake.azure.net/",
        "logAnalyticsResourceId": "https://api.loganalytics.io",
        "appInsightsResourceId": "https://api.applicationinsights.io",
        "attestationResourceId": "https://attest.azure.net",
        "synapseAnalyticsResourceId": "https://dev.azuresynapse.net",
        "ossrdbmsResourceId": "https://ossrdbms-aad.database.windows.net",
        "suffixes": {
            "storage": "core.windows.net",
            "keyVaultDns": "vault.azure.net",
            "mhsmDns": "managedhsm.azure.net",
            "acrLoginServer": "azurecr.io",
            "sqlServerHostname": "database.windows.net",
            "storageSyncEndpointSuffix": "afs.azure.net",
            "azureDataLakeStoreFileSystem": "azuredatalakestore.net",
            "azureDataLakeAnalyticsCatalogAndJob": "azuredatalakeanalytics.net",
            "attestationEndpoint": "attest.azure.net",
            "synapseAnalytics": "dev.azuresynapse.net",
            "azureFrontDoorEndpointSuffix": "azurefd.net",
            "mysqlServerEndpoint": "mysql.database.azure.com",
            "postgresqlServerEndpoint": "postgres.database.azure.com",
            "mariadbServerEndpoint": "mariadb.database.azure.com",
            "cosmosDBForMongoDB": host,
        },
    }


def _oauth_error(status: int, code: str, description: str) -> Reply:
    return Reply(status, {"error": code, "error_description": description, "error_codes": [0]})
