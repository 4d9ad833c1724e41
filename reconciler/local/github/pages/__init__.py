"""Pages for people: issues and pull requests as they would see them."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.local.github.site import Site
from reconciler.local.github.wire import Reply, Request


@dataclass
class Pages:
    site: Site

    async def handle(self, request: Request) -> Reply:
        return Reply(404, b"", {"Content-Type": "text/html"})
