"""How much is tried: once as much on a person's machine, more where a night is long enough."""

import os

SCALE = float(os.environ.get("RECONCILER_PROOF_SCALE") or 1)


def scaled(count: int) -> int:
    """So many, times ``RECONCILER_PROOF_SCALE``; at least one."""
    return max(1, round(count * SCALE))
