"""Who is asking: tokens, the endpoints that issue them, and what each caller may do.

Token requests follow the OAuth 2.0 client credentials flow
(https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow) and the
managed identity endpoints
(https://learn.microsoft.com/azure/app-service/overview-managed-identity).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.local.azure.model import JSON, ArmError, ResourceId

ARM_AUDIENCES = ("https://management.azure.com", "https://management.core.windows.net")
TOKEN_LIFETIME_S = 86_400
DEFAULT_CLIENT = "11111111-1111-1111-1111-111111111111"


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever a token was issued to."""

    client_id: str
    object_id: str
    audience: str
    expires: float


@dataclass
class Identities:
    """Issues and checks tokens. Any client is known unless `clients` says which (id: secret)."""

    tenant: str
    key: bytes
    clients: Mapping[str, str] | None = None
    readers: frozenset[str] = frozenset()
    contributors: frozenset[str] = frozenset()
    base_url: str = ""
    _seen: dict[str, Caller] = field(default_factory=dict)

    def token(
        self, client_id: str, audience: str, now: float, lifetime_s: float = TOKEN_LIFETIME_S
    ) -> str:
        """A token in the form of a JWT, signed with this emulator's own key."""
        claims = {
            "aud": audience,
            "iss": f"https://sts.windows.net/{self.tenant}/",
            "iat": int(now),
            "nbf": int(now),
            "exp": int(now + lifetime_s),
            "appid": client_id,
            "azp": client_id,
            "oid": object_id(client_id),
            "sub": object_id(client_id),
            "tid": self.tenant,
            "idtyp": "app",
            "ver": "1.0",
        }
        head = _encode({"typ": "JWT", "alg": "HS256"})
        signed = f"{head}.{_encode(claims)}"
        return f"{signed}.{self._signature(signed)}"

    def caller(self, token: str, now: float) -> Caller | None:
        """Who a token was issued to; None when it is not one of ours or is too old."""
        found = self._seen.get(token)
        if found is None:
            found = self._read(token)
            if found is None:
                return None
            self._seen[token] = found
        return found if found.expires > now else None

    def arm_caller(self, header: str | None, now: float) -> Caller:
        """The caller of a management request, or a 401 as the gateway words it."""
        if not header:
            raise self._refusal("AuthenticationFailed", "Authentication failed. The "
                                "'Authorization' header is missing.")  # fmt: skip
        scheme, _, token = header.partition(" ")
        caller = self.caller(token, now) if scheme.lower() == "bearer" else None
        if caller is None:
            raise self._refusal("InvalidAuthenticationToken", "The access token is invalid.")
        if caller.audience.rstrip("/") not in (*ARM_AUDIENCES, self.base_url):
            raise self._refusal(
                "InvalidAuthenticationTokenAudience",
                "The access token has been obtained for wrong audience or resource "
                f"'{caller.audience}'. It should exactly match with one of the allowed audiences "
                f"'{ARM_AUDIENCES[1]}/','{ARM_AUDIENCES[0]}/'.",
            )
        return caller

    def authorize(self, caller: Caller, method: str, target: ResourceId, action: str) -> None:
        """403 for a reader who wants to write, and for a contributor who wants to give rights."""
        rights = target.namespace.lower() == "microsoft.authorization"
        refused = self.readers | (self.contributors if rights else frozenset())
        if method in ("GET", "HEAD") or caller.client_id not in refused:
            return
        verb = {"PUT": "write", "PATCH": "write", "DELETE": "delete"}.get(method, "action")
        name = f"{target.type_name}/{action + '/' if action else ''}{verb}"
        raise ArmError(
            403,
            "AuthorizationFailed",
            f"The client '{caller.client_id}' with object id '{caller.object_id}' does not have "
            f"authorization to perform action '{name}' over scope '{target.text}' or the scope "
            "is invalid. If access was recently granted, please refresh your credentials.",
            cause="gateway",
        )

    def secret_accepted(self, client_id: str, secret: str) -> bool:
        if self.clients is None:
            return bool(client_id)
        return hmac.compare_digest(self.clients.get(client_id, "\0"), secret)

    def _read(self, token: str) -> Caller | None:
        signed, _, signature = token.rpartition(".")
        if not hmac.compare_digest(self._signature(signed), signature):
            return None
        claims = _decode(signed.partition(".")[2])
        return Caller(claims["appid"], claims["oid"], claims["aud"], claims["exp"])

    def _signature(self, signed: str) -> str:
        return _text(hmac.new(self.key, signed.encode(), hashlib.sha256).digest())

    def _refusal(self, code: str, message: str) -> ArmError:
        challenge = (
            f'Bearer authorization_uri="{self.base_url}/{self.tenant}", '
            f'error="invalid_token", error_description="{message}"'
        )
        return ArmError(
            401, code, message, cause="gateway", headers={"WWW-Authenticate": challenge}
        )


def object_id(client_id: str) -> str:
    """The object id of a client: always the same for the same client."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, client_id.lower()))


def audience_of(scope_or_resource: str) -> str:
    """The audience a scope ("…/.default") or a resource stands for."""
    return scope_or_resource.split(" ")[0].removesuffix("/.default").rstrip("/")


def _encode(claims: JSON) -> str:
    return _text(json.dumps(claims, separators=(",", ":")).encode())


def _decode(text: str) -> JSON:
    claims: JSON = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return claims


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
