"""Which storage a setting names."""

from pathlib import Path
from typing import Any

import pytest

from reconciler.core.errors import Permanent
from reconciler.state.storage import Storage, queue_beside


def nobody() -> Any:
    raise AssertionError("a file needs no identity")


async def test_a_file_holds_state_and_messages(tmp_path: Path) -> None:
    storage = Storage(f"sqlite:{tmp_path}/state.db", "", nobody)
    store, queue = storage.store(), storage.queue()
    await queue.send({"run": "a"})
    assert await store.runs() == []
    await storage.close()


@pytest.mark.parametrize("state", ["", "sqlite:", "postgres:here", "state.db", "blob"])
async def test_a_state_that_cannot_be_meant_is_refused(state: str) -> None:
    with pytest.raises(Permanent, match="RECONCILER_STATE"):
        Storage(state, "", nobody).store()


def test_the_queue_is_in_the_account_of_the_container() -> None:
    found = queue_beside("https://stcontoso.blob.core.windows.net/reconciler")
    assert found == "https://stcontoso.queue.core.windows.net/reconcile"
    for wrong in ("http://a.blob.core.windows.net/x", "https://a.file.core.windows.net/x", "x"):
        with pytest.raises(Permanent, match="is no container"):
            queue_beside(wrong)
