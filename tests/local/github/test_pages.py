"""Pages show a pull request as a person would see it, and nothing that a text smuggles in."""

from __future__ import annotations

import pytest

from reconciler.local.github import EmulatedGitHub
from reconciler.local.github.pages.markdown import render
from tests.local.github.client import REPO, Client


async def test_a_pull_request_is_shown_with_its_words_checks_annotations_and_files() -> None:
    async with Client(EmulatedGitHub()) as client:
        number = await client.a_pull()
        words = "> [!WARNING]\n> Look\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
        comment = await client.send("POST", f"./issues/{number}/comments", {"body": words})
        path = f"./issues/comments/{comment.body['id']}/reactions"
        await client.send("POST", path, {"content": "rocket"})
        sha = (await client.send("GET", f"./pulls/{number}")).body["head"]["sha"]
        await client.send(
            "POST", f"./statuses/{sha}", {"state": "success", "context": "reconciler"}
        )
        note = {"path": "specs/two.yaml", "start_line": 3, "end_line": 3,
                "annotation_level": "failure", "message": "No <such> region"}  # fmt: skip
        output = {"title": "Refused", "summary": "**One** error", "annotations": [note]}
        body = {"name": "dev", "head_sha": sha, "conclusion": "failure", "output": output}
        run = await client.send("POST", "./check-runs", body, token=await client.app_token())
        status, page = await client.text(f"/{REPO}/pull/{number}")
        assert status == 200
        for shown in ('class="alert alert-warning"', "<td>1</td>", "🚀 1", "reconciler", "Refused",
                      "No &lt;such&gt; region", "specs/two.yaml:3", 'class="add"',
                      "Some checks were not successful"):  # fmt: skip
            assert shown in page, shown
        status, page = await client.text(f"/{REPO}/runs/{run.body['id']}")
        assert (status, "<strong>One</strong> error" in page) == (200, True)


async def test_indexes_lead_everywhere_and_unknown_pages_are_404() -> None:
    async with Client(EmulatedGitHub()) as client:
        number = await client.a_pull()
        await client.send("POST", "./issues", {"title": "Drift <b>"})
        assert f'href="/{REPO}"' in (await client.text("/"))[1]
        page = (await client.text(f"/{REPO}"))[1]
        assert f'href="/{REPO}/pull/{number}"' in page
        assert "Drift &lt;b&gt;" in page
        assert (await client.text(f"/{REPO}/issues/2"))[0] == 200
        for path in ("/nobody/nothing", f"/{REPO}/pull/99", f"/{REPO}/settings", "/favicon.ico"):
            assert (await client.text(path))[0] == 404, path


async def test_links_to_lines_of_a_file_lead_there() -> None:
    async with Client(EmulatedGitHub()) as client:
        files = {"specs/a b#c.yaml": "kind: One\nname: <two>\n"}
        sha = await client.github.backdoor.commit(REPO, files)
        status, page = await client.text(f"/{REPO}/blob/{sha}/specs/a%20b%23c.yaml")
        assert status == 200
        assert '<span class="line" id="L2">   2  name: &lt;two&gt;' in page
        assert (await client.text(f"/{REPO}/blob/main/specs/account.yaml"))[0] == 200
        for path in ("main/specs", "main/nothing.yaml", f"{'0' * 40}/README.md", "--all/README.md"):
            assert (await client.text(f"/{REPO}/blob/{path}"))[0] == 404, path
        assert (await client.text("/no/body/blob/main/README.md"))[0] == 404


@pytest.mark.parametrize(
    ("text", "forbidden"),
    [
        ("<script>alert(1)</script>", "alert"),
        ("<img src=x onerror=alert(1)>", "onerror"),
        ("[a](javascript:alert(1))", 'href="javascript'),
        ('<a href="javascript:alert(1)">a</a>', "javascript"),
        ("<iframe src='https://evil'></iframe>", "<iframe"),
        ("<style>body{display:none}</style>", "display"),
        ("</section></body>", "</body>"),
        ('<p style="position:fixed">x</p>', "position"),
        ("<details open ontoggle=alert(1)>x", "ontoggle"),
        ("```\n</code></pre><script>x</script>\n```", "<script"),
    ],
)
def test_what_html_may_not_do_is_taken_out(text: str, forbidden: str) -> None:
    assert forbidden not in render(text)


def test_what_github_would_link_is_linked_and_code_is_left_alone() -> None:
    shown = render("@octocat see #12, https://example.com/x. `@nobody #1`", "/o/r")
    assert '<a class="mention" href="/octocat">@octocat</a>' in shown
    assert '<a href="/o/r/issues/12">#12</a>' in shown
    assert '<a href="https://example.com/x">https://example.com/x</a>.' in shown
    assert "<code>@nobody #1</code>" in shown


def test_details_diffs_tasks_and_alerts_are_rendered() -> None:
    shown = render(
        "<details><summary>More</summary>\n\n```diff\n-a\n+b\n```\n\n</details>\n\n"
        "- [x] done\n- [ ] open\n\n> [!NOTE]\n> Words\n\n> [!NOTE] not one\n"
    )
    for piece in (
        "<details><summary>More</summary>",
        '<span class="del">-a',
        "</details>",
        "☑ done",
        "☐ open",
        '<div class="alert alert-note">',
        "<blockquote>",
    ):
        assert piece in shown, piece
