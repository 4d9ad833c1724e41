"""The parts of the emulated GitHub, put together."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from reconciler.local.github.events import Events
from reconciler.local.github.hooks import Hooks
from reconciler.local.github.pulls import Pulls
from reconciler.local.github.world import World


@dataclass
class Site:
    """What handlers work with. Whoever changes anything holds `lock`."""

    world: World
    hooks: Hooks
    events: Events
    pulls: Pulls
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
