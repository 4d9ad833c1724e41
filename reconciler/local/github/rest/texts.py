"""The limit on what people and bots write."""

from reconciler.local.github.wire import invalid

LONGEST = 65_536


def checked(text: str | None, resource: str) -> str | None:
    """The text as it is. 422 when it is too long."""
    if text is not None and len(text) > LONGEST:
        why = f"body is too long (maximum is {LONGEST} characters)"
        raise invalid(resource, "body", "custom", why)
    return text
