"""HTTP triggers: which function a request reaches, and who may call it."""

from typing import Any

import pytest

from reconciler.local.host.web import Keys, Route
from reconciler.local.host.worker import Function, NotHosted

KEYS = Keys("function-key", "master-key")


def a_route(template: str, **trigger: Any) -> Route:
    given = {"type": "httpTrigger", "name": "req", "route": template, **trigger}
    return Route.of(Function("one", "1", given), "api")


@pytest.mark.parametrize(
    ("template", "path", "values"),
    [
        ("runs", "/api/runs", {}),
        ("runs", "/API/Runs/", {}),
        ("runs", "/api/runs/x", None),
        ("runs", "/runs", None),
        ("runs/{id}", "/api/runs/a-1", {"id": "a-1"}),
        ("runs/{id}", "/api/runs", None),
        ("runs/{id?}", "/api/runs", {"id": None}),
        ("runs/{id:int}", "/api/runs/7", {"id": "7"}),
        ("runs/{id:int}", "/api/runs/seven", None),
        ("files/{*path}", "/api/files/a/b", {"path": "a/b"}),
        ("a.b", "/api/axb", None),
        ("", "/api/one", {}),
    ],
)
def test_a_template_fits_an_address(
    template: str, path: str, values: dict[str, str] | None
) -> None:
    found = a_route(template).pattern.fullmatch(path)
    assert (found and found.groupdict()) == values


def test_an_unknown_constraint_is_refused() -> None:
    with pytest.raises(NotHosted, match="regex"):
        a_route("runs/{id:regex}")


@pytest.mark.parametrize(
    ("level", "key", "opens"),
    [
        ("anonymous", "", True),
        ("function", "", False),
        ("function", "function-key", True),
        ("function", "master-key", True),
        ("function", "Function-Key", False),
        ("function", "schlüssel", False),
        ("admin", "function-key", False),
        ("admin", "master-key", True),
    ],
)
def test_a_level_asks_for_its_key(level: str, key: str, opens: bool) -> None:
    assert KEYS.open(level, key) is opens
