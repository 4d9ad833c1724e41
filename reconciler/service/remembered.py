"""Specs that are not read twice: a commit never changes, and one look at the head serves all who
asked before it began."""

import asyncio
from collections import OrderedDict
from collections.abc import Coroutine, Mapping
from typing import Any, Final

from reconciler.ports import Specs

COMMITS: Final = 12
"""So many are kept: the head, the one before, and what pull requests would make of them."""


class Remembered:
    """``ports.Specs`` over another one."""

    def __init__(self, specs: Specs) -> None:
        self._specs = specs
        self._looking: asyncio.Task[str] | None = None
        self._next: asyncio.Task[str] | None = None
        """The look that has not begun yet: whoever asks now may share it."""
        self._texts: OrderedDict[str, asyncio.Task[Mapping[str, str]]] = OrderedDict()

    async def head(self) -> str:
        """The newest commit, looked up after this was called: who asks after a push sees it."""
        if self._next is None:
            self._next = _kept(self._look(self._looking))
        return await asyncio.shield(self._next)

    async def _look(self, earlier: "asyncio.Task[str] | None") -> str:
        if earlier is not None:
            await asyncio.wait([earlier])
        self._looking, self._next = self._next, None
        return await self._specs.head()

    async def read(self, commit: str) -> Mapping[str, str]:
        """The files of a commit; read once, also when many ask at the same time."""
        if commit not in self._texts:
            self._texts[commit] = _kept(self._read(commit))
        self._texts.move_to_end(commit)
        return await asyncio.shield(self._texts[commit])

    async def _read(self, commit: str) -> Mapping[str, str]:
        try:
            texts = await self._specs.read(commit)
        except BaseException:
            self._texts.pop(commit, None)  # whoever asks again may have more luck
            raise
        while len(self._texts) > COMMITS:
            self._texts.popitem(last=False)
        return texts


def _kept[T](work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """A task that goes on when those who wait for it are gone, and whose error is then nobody's."""
    task = asyncio.create_task(work)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return task
