"""What the demo shows fits its terminal, leaves out what only a browser knows, and what is not as
told ends it."""

import io
from itertools import pairwise
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from reconciler.local.demo.story import Story
from reconciler.local.demo.terminal import plain, shown
from reconciler.local.sandbox import Sandbox

GOLDENS = sorted((Path(__file__).parents[1] / "golden").rglob("*.md"))
NESTED = """\
<!-- reconciler:plan -->
#### dev

<details><summary>1 to update</summary>

```diff
~ Model deployment  contoso-ai/chat
    sku.capacity  50 → 250
```
<details><summary>All fields</summary>

secret detail

</details>

</details>

<details open><summary>Open</summary>

seen

</details>

> [!CAUTION]
> It will be **replaced**<br>soon.
"""


def rendered(text: str, width: int, *, color: bool = False) -> str:
    console = Console(
        width=width, file=io.StringIO(), highlight=False, force_terminal=color, legacy_windows=False
    )
    console.print(shown(text, "comment on #1"))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("path", GOLDENS, ids=lambda path: path.stem)
@pytest.mark.parametrize("width", [40, 80, 100])
def test_every_comment_fits_every_terminal_without_gaps(path: Path, width: int) -> None:
    lines = rendered(path.read_text(), width).splitlines()
    assert {cell_len(line) for line in lines} == {width}
    inside = [line.strip("│ ") for line in lines[1:-1]]
    assert inside[0]
    assert inside[-1]
    assert not any(not one and not other for one, other in pairwise(inside))
    if "hostile" not in path.stem:  # which names such things
        assert not any(tag in line for line in lines for tag in ("<!--", "details>", "[!"))


def test_what_is_folded_on_a_page_is_folded_in_a_terminal() -> None:
    found = rendered(NESTED, 80)
    assert "▸ 1 to update" in found
    assert "▸ Open" in found
    assert "seen" in found
    for hidden in ("All fields", "secret detail", "250"):
        assert hidden not in found


def test_alerts_and_breaks_become_words() -> None:
    assert "> **Caution**" in plain(NESTED)
    assert "**replaced** soon" in plain(NESTED)


def test_a_diff_keeps_its_columns_and_its_colours() -> None:
    text = f"```diff\n+ new\n    sku.capacity          {'word ' * 20}\n```"
    found = rendered(text, 60, color=True)
    assert "\x1b[32m+ new" in found
    lines = [line.strip("│ ") for line in Text.from_ansi(found).plain.splitlines()]
    assert lines[2].startswith("sku.capacity          word")
    assert lines[3].startswith("word")


@pytest.fixture
def story(tmp_path: Path) -> Story:
    (tmp_path / "host.log").write_text("what the app said\n")
    place = Sandbox("", "", "", "", "", "", {}, "", "", str(tmp_path / "host.log"), {})
    return Story(place, Console(width=60, file=io.StringIO(), highlight=False))


def test_what_is_not_as_told_ends_the_demo_with_what_was_seen(story: Story) -> None:
    story.expect(True, "unseen")
    with pytest.raises(SystemExit) as ended:
        story.expect([], "a plan is [not] empty")
    assert ended.value.code == 1
    assert isinstance(story.console.file, io.StringIO)
    said = story.console.file.getvalue()
    assert "a plan is [not] empty" in said
    assert "what the app said" in said
    assert "unseen" not in said


def test_waiting_gives_what_was_waited_for(story: Story) -> None:
    answers = iter([None, "", "it"])
    assert story.wait("waiting", lambda: next(answers)) == "it"


def test_long_lines_go_on_under_themselves(story: Story) -> None:
    story.say("word " * 30)
    story.line("word " * 30, 4)
    assert isinstance(story.console.file, io.StringIO)
    lines = [line for line in story.console.file.getvalue().splitlines() if line]
    assert all(len(line) <= 60 for line in lines)
    assert [line[:2] for line in lines].count("▌ ") >= 3
    assert lines[-1].startswith("      word")
