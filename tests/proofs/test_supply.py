"""What is installed is what was chosen."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
INSTALLERS = ["Makefile", "Dockerfile", ".ci/run", "pyproject.toml", ".npmrc", "azure.yaml"]
LISTS = sorted(path.name for path in ROOT.glob("requirements*"))
SECOND = re.compile(
    r"(?<![\w-])--?(extra-index-url|index-url|find-links|trusted-host|default-index|index)\b"
    r"|\bregistry\s*=|index-strategy|@\s*(https?|git\+)",
    re.I,
)


def test_no_package_comes_from_a_second_index() -> None:
    """Asking two, the one with the higher version wins, whoever put it there."""
    assert len(LISTS) >= 4
    for name in [*INSTALLERS, *LISTS]:
        assert not SECOND.search((ROOT / name).read_text()), name
    assert not list(ROOT.glob("pip.conf"))
    assert not list(ROOT.glob("uv.toml"))
    for name in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / name).read_text().splitlines():
            if line and not line.lstrip().startswith("#"):
                assert re.match(r"[A-Za-z0-9._-]+(\[[\w,-]+\])?==[\w.!+]+( ;.*)?$", line), line


def test_what_would_ask_a_second_index_is_recognised() -> None:
    for line in (
        "pip install --extra-index-url https://x y",
        "--index-url https://x",
        "--find-links ./wheels",
        "registry=https://x",
        "thing @ git+https://x/y",
        "thing @ https://x/y.whl",
    ):
        assert SECOND.search(line), line


def test_packages_of_npm_are_known_by_their_content_and_run_nothing() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    packages = {name: one for name, one in lock.items() if name and not one.get("link")}
    assert len(packages) > 50
    unknown = [name for name, one in packages.items() if "sha512-" not in one.get("integrity", "")]
    assert unknown == []
    calls = re.findall(r"npm (?:ci|install|i)\b[^&\n]*", (ROOT / "Makefile").read_text())
    assert calls
    assert all(call.startswith("npm ci") and "--ignore-scripts" in call for call in calls)
