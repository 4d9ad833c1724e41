"""Azure's refusals as sentences: what was attempted, what Azure said, and the way out.

What each code means: https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors
and the issues named beside single codes.
"""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Final, Literal

from reconciler.azure.answer import Answer, Said, said
from reconciler.core.errors import Permanent, ReconcilerError, Transient

type Nature = Literal["throttled", "busy", "unsettled", "unavailable", "refused"]
"""What a refusal is about: ``throttled`` and ``busy`` may be sent again as they are;
``unsettled`` too, but may also never settle; ``unavailable``: whether the request was carried out
is unknown; ``refused``: it will be again."""

BUSY: Final = frozenset(
    {
        # hashicorp/terraform-provider-azurerm issue 22607: two writes below one account.
        "requestconflict",
        "anotheroperationinprogress",
        # https://github.com/DefangLabs/pulumi-defang/issues/274: a parent just created.
        "accountprovisioningstateinvalid",
        "storageaccountisnotprovisioned",
        "retryableerror",
        "retryableerrorduetoanotheroperation",
        # A new principal spreads for a while:
        # https://learn.microsoft.com/azure/role-based-access-control/troubleshooting
        "principalnotfound",
    }
)
NO_REASON: Final = "it gave no reason"
BUSY_WORDS: Final = re.compile(
    r"another operation|state is not terminal"
    r"|in (?:Accepted|\w+ing) provisioning state|in state '?(?:Accepted|\w+ing)\b",
    re.IGNORECASE,
)
"""Azure/bicep-types-az issue 2419, Azure/azure-sdk-for-net issue 36961."""
UNSETTLED: Final = frozenset({"cannotdeleteresource"})
"""Children whose own deletion is still settling count as children:
https://github.com/Azure/terraform-provider-azapi/issues/894"""


def nature(status: int, what: Said) -> Nature:
    if status == 429:
        return "throttled"
    if status == 408 or status >= 500:
        return "unavailable"
    if status in (400, 409):
        codes = {code.lower() for code in what.codes}
        if codes & UNSETTLED:
            return "unsettled"
        if codes & BUSY or BUSY_WORDS.search(what.message):
            return "busy"
    return "refused"


NOT_ABSENCE: Final = frozenset(
    {"subscriptionnotfound", "invalidresourcetype", "invalidresourcenamespace"}
    | {"noregisteredproviderfound", "missingsubscription"}
)


def missing(answer: Answer) -> bool:
    """Whether a resource is not there. A 404 that is about the subscription or the type says
    nothing about the resource, and must never be taken for "there is none"."""
    if answer.status != 404:
        return False
    return not {code.lower() for code in said(answer.body).codes} & NOT_ABSENCE


def refusal(
    attempt: str, answer: Answer, retry_after_s: float | None = None, hide: Collection[str] = ()
) -> ReconcilerError:
    """The error for an answer that is not a success. ``attempt`` reads "create account x"."""
    what = said(answer.body, hide)
    how = nature(answer.status, what)
    named = _named(what.code or f"HTTP {answer.status}", answer.request_id)
    message = _message(what) or ("it was not found" if answer.status == 404 else NO_REASON)
    if how == "throttled":
        text = f"Azure asked to slow down, so it was not possible yet to {attempt}"
        return Transient(f"{text}: {message} {named}", retry_after_s)
    if how == "busy":
        text = f"Azure is still busy, so it was not possible yet to {attempt}"
        return Transient(f"{text}: {message} {named}", retry_after_s)
    if how == "unavailable":
        text = f"Azure had trouble when asked to {attempt}, and may or may not have done it"
        return Transient(f"{text}: {message} {named}", retry_after_s)
    return _permanent(attempt, answer.status, what, message, named, answer.request_id)


def failed_operation(
    attempt: str, error: object, request_id: str, hide: Collection[str] = ()
) -> Permanent:
    """The error for work that Azure accepted and then gave up."""
    what = said(error if isinstance(error, Mapping) else {}, hide)
    message = _message(what) or NO_REASON
    named = _named(what.code or "Failed", request_id)
    way = way_out(0, what)
    return Permanent(
        _joined(f"Azure accepted to {attempt}, and then failed: {message} {named}", way),
        code=what.code,
        request_id=request_id,
    )


def _permanent(
    attempt: str, status: int, what: Said, message: str, named: str, request_id: str
) -> Permanent:
    text = f"Azure refused to {attempt}: {message} {named}"
    return Permanent(
        _joined(text, way_out(status, what)), status=status, code=what.code, request_id=request_id
    )


def _message(what: Said) -> str:
    """Azure's words, ready for what follows them in brackets."""
    return what.message.removesuffix(".")


def _named(code: str, request_id: str) -> str:
    return f"[{code}; request {request_id}]" if request_id else f"[{code}]"


def _joined(text: str, way: str) -> str:
    return f"{text}. {way}" if way else text


def way_out(status: int, what: Said) -> str:
    """What a person can do about it; "" where Azure's own words are all there is."""
    for code in what.codes:
        found = WAYS.get(code.lower())
        if found:
            return found(what.message) if callable(found) else found
    return BY_STATUS.get(status, "")


QUOTA: Final = re.compile(
    r"require (?P<need>[\d.]+) new capacity in quota (?P<quota>.+?), which is bigger than the "
    r"current available capacity (?P<left>[\d.]+)\. The current quota usage is (?P<used>[\d.]+) "
    r"and the quota limit is (?P<limit>[\d.]+)"
)
ACTION: Final = re.compile(r"perform action '(?P<action>[^']+)' over scope '(?P<scope>[^']+)'")
LINKED: Final = re.compile(r"perform action\(?s?\)? '(?P<action>[^']+)' on the linked scope")
NAMESPACE: Final = re.compile(r"namespace '(?P<namespace>[\w.]+)'")


def _quota(message: str) -> str:
    found = QUOTA.search(message)
    if not found:
        return "Lower the capacity, free quota in this region, or ask Azure for more"
    need, left = float(found["need"]), float(found["left"])
    return (
        f"{need:g} more is needed, {left:g} of {found['limit']} is left ({found['used']} in use): "
        "lower the capacity, free quota in this region, or ask Azure for more"
    )


def _authorization(message: str) -> str:
    found = ACTION.search(message) or LINKED.search(message)
    if not found:
        return "Give the reconciler's identity a role that allows this"
    scope = found.groupdict().get("scope")
    return (
        f"Give the reconciler's identity a role with the action {found['action']}"
        f"{' on ' + scope if scope else ''}; a new role takes up to 10 minutes to work"
    )


def _registration(message: str) -> str:
    found = NAMESPACE.search(message)
    namespace = found["namespace"] if found else "NAMESPACE"
    return f"An owner registers it once: az provider register --namespace {namespace}"


TAKEN: Final = "Such names are unique in all of Azure: choose another one"
VERSION: Final = (
    "This cloud or region does not serve the API version: choose one that "
    "`az provider show --namespace NAMESPACE` lists"
)
SIGN_IN: Final = (
    "Azure does not accept the token: check the identity (RECONCILER_PLAN_CLIENT_ID, "
    "RECONCILER_APPLY_CLIENT_ID), its tenant, and RECONCILER_ARM_ENDPOINT"
)

WAYS: Final[Mapping[str, str | Callable[[str], str]]] = {
    "insufficientquota": _quota,
    "authorizationfailed": _authorization,
    "linkedauthorizationfailed": _authorization,
    "missingsubscriptionregistration": _registration,
    "flagmustbesetforrestore": (
        "A soft-deleted resource holds the name: say lifecycle.softDeleted: restore or purge, or "
        "use another name"
    ),
    "cannotdeleteresource": (
        "Something still lives in it: delete that first, or wait until its deletion has settled "
        "and run again"
    ),
    "scopelocked": "A lock forbids it: its owner removes it (`az lock list`), then run again",
    "requestdisallowedbypolicy": (
        "An Azure Policy forbids it: change the resource as the policy wants, or ask its owner "
        "for an exemption"
    ),
    "noregisteredproviderfound": VERSION,
    "invalidapiversionparameter": VERSION,
    "invalidresourcetype": VERSION,
    "roleassignmentexists": "The same role is already assigned under another name: adopt that one",
    "serverlessoffernotfound": (
        "The model has no offer for serverless endpoints here: check modelId and the region, and "
        "for partner models the marketplace subscription"
    ),
    # https://github.com/hashicorp/terraform-provider-azurerm/issues/31140
    "invalidmodelproviderdata": "The publisher asks for modelProviderData and accepted terms",
    # https://github.com/hashicorp/terraform-provider-azurerm/issues/32472
    "715-123420": "Azure says this when the quota for a partner's model is used up",
    "subscriptionnotfound": "Check the subscription id, and that the identity can see it",
    "storageaccountalreadytaken": TAKEN,
    "vaultalreadyexists": TAKEN,
    "customdomaininuse": TAKEN,
    "invalidauthenticationtokentenant": SIGN_IN,
    "resourcegroupnotfound": "Create the resource group first, or declare it",
    "parentresourcenotfound": "Create its parent first, or declare it",
}
BY_STATUS: Final = {401: SIGN_IN, 403: "Give the reconciler's identity a role that allows this"}
