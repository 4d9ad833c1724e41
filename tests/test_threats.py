"""docs/threats.md: every threat names tests, and every test that is named exists."""

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "docs" / "threats.md"
NAMED = re.compile(r"`([\w/.]+\.py)::(\w+)`")


def rows(text: str) -> list[list[str]]:
    """The cells of every row, without headings."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if row[0] != "threat" and set(row[0]) - set("-: ")]


@cache
def defined_in(path: Path) -> frozenset[str]:
    """The tests that pytest collects from a file, by reading it."""
    if not path.is_file() or not path.name.startswith("test_"):
        return frozenset()
    body = ast.parse(path.read_text()).body
    classes = [node for node in body if isinstance(node, ast.ClassDef)]
    inside = [node for one in classes if one.name.startswith("Test") for node in one.body]
    return frozenset(
        node.name
        for node in [*body, *inside]
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    )


def problems(text: str, folder: Path = TESTS) -> list[str]:
    """What is wrong with a table of threats."""
    found = []
    for row in rows(text):
        named = NAMED.findall(row[-1])
        if len(row) != 3 or not all(row):
            found.append(f"{row[0]}: it has to say what stands against it, and the tests")
        elif not named or NAMED.sub("", row[-1]).strip():
            found.append(f"{row[0]}: it names no test, or something that is none")
        found += [
            f"{row[0]}: there is no {file}::{name}"
            for file, name in named
            if f"test_{name}" not in defined_in(folder / file)
        ]
    return found


def test_every_threat_names_tests_that_exist() -> None:
    assert problems(PAGE.read_text()) == []


def test_there_are_as_many_threats_as_there_were_and_none_twice() -> None:
    threats = Counter(row[0] for row in rows(PAGE.read_text()))
    assert len(threats) >= 60
    assert max(threats.values()) == 1


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        ("| a | b | `test_here.py::it_holds` |", ""),
        ("| a | b | `test_here.py::it_holds_inside` |", ""),
        ("| a | b | |", "what stands against it"),
        ("| a | | `test_here.py::it_holds` |", "what stands against it"),
        ("| a | b |", "what stands against it"),
        ("| a | b | soon |", "names no test"),
        ("| a | b | `test_here.py::it_holds` and more |", "names no test"),
        ("| a | b | `test_here.py::it_is_gone` |", "there is no test_here.py::it_is_gone"),
        ("| a | b | `test_here.py::helper` |", "there is no"),
        ("| a | b | `test_gone.py::it_holds` |", "there is no"),
        ("| a | b | `helper.py::it_holds` |", "there is no"),
    ],
)
def test_a_row_without_a_test_is_found(row: str, wrong: str, tmp_path: Path) -> None:
    inside = "class TestMore:\n    async def test_it_holds_inside(self): ...\n"
    (tmp_path / "test_here.py").write_text(f"def test_it_holds(): ...\ndef helper(): ...\n{inside}")
    (tmp_path / "helper.py").write_text("def test_it_holds(): ...\n")
    found = problems(f"| threat | what | tests |\n| --- | --- | --- |\n{row}\n", tmp_path)
    assert bool(found) is bool(wrong), found
    assert wrong in "".join(found)
