"""Cutting long lists into pages, the way each type links them."""

from __future__ import annotations

import json
from urllib.parse import quote, urlencode

from reconciler.local.azure import errors
from reconciler.local.azure.model import Context, Resource, ResourceType

END = {"absent": b"", "null": b',"nextLink":null', "": b',"nextLink":""'}


def page(
    ctx: Context, kind: ResourceType, found: list[Resource], base_url: str
) -> tuple[list[Resource], bytes]:
    """The part of the list that this request asks for, and the `nextLink` member after it."""
    start = _number(ctx, kind.page_parameter, 0)
    size = kind.page_size
    if size is None:
        return found, END[kind.next_link_at_end]
    if start + size >= len(found):
        return found[start:], END[kind.next_link_at_end]
    query = {k: v for k, v in ctx.query.items() if k.lower() != kind.page_parameter.lower()}
    query[kind.page_parameter] = str(start + size)
    link = f"{base_url}{quote(ctx.id.text)}?{urlencode(query, safe='$')}"
    return found[start : start + size], b',"nextLink":' + json.dumps(link).encode()


def _number(ctx: Context, name: str, default: int) -> int:
    for key, value in ctx.query.items():
        if key.lower() == name.lower():
            if not value.isdigit():
                raise errors.bad_content(f"{name} is not a number")
            return int(value)
    return default
