"""What the children of an account have in common: when they may be written, how they refuse."""

from __future__ import annotations

from reconciler.local.azure.model import ArmError, Context

ACCOUNT = "Microsoft.CognitiveServices/accounts"


def account_ready(ctx: Context) -> None:
    """Refuse while the account itself is being worked on.

    DefangLabs/pulumi-defang issue 274 quotes code and state; the exact words are unverified.
    """
    words = ctx.id.text.split("/")
    account = ctx.cloud.find("/".join(words[:9]))
    if account is not None and not account.settled:
        raise ArmError(
            400,
            "AccountProvisioningStateInvalid",
            f"Account {account.id} in state {account.state}.",
        )


def not_found(ctx: Context) -> ArmError:
    """The provider's own 404, as deployments answer it (public recordings of ASO)."""
    return ArmError(404, "NotFound", f"Specified resource '{ctx.id.text}' cannot be found.")


def invalid(message: str) -> ArmError:
    """A body that makes no sense. For most of them code and words are unverified."""
    return ArmError(400, "InvalidResourceProperties", message)
