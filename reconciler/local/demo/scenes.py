"""The story, scene by scene."""

from typing import Any, Final

from rich.markup import escape

from reconciler.local.asking import ask
from reconciler.local.demo.pulls import Pulls
from reconciler.local.demo.story import ENVIRONMENT, Story
from reconciler.local.repository import CHECK

MODELS: Final = "specs/openai/deployments.yaml"
VLLM: Final = "specs/machine-learning/vllm.yaml"
CHAT: Final = (
    "/resourceGroups/rg-ai-dev/providers/Microsoft.CognitiveServices"
    "/accounts/aoai-contoso-dev/deployments/chat"
)
NEXT: Final = "# A fine-tuned model is deployed like any other"
ASSISTANT: Final = """\
apiVersion: aigitops/v1
kind: ModelDeployment
metadata:
  name: assistant
spec:
  account: aoai-contoso-${environment}
  sku: {name: GlobalStandard, capacity: 20}
  model: {format: OpenAI, name: gpt-5-mini, version: "2025-08-07"}
  versionUpgradeOption: NoAutoUpgrade
  raiPolicyName: strict
verify:
  request:
    messages: [{role: user, content: ping}]
    max_completion_tokens: 64
  expect: {status: 200, path: "choices[0].message"}
---
"""


def tell(story: Story) -> None:
    """All of it."""
    pulls = Pulls.of(story)
    declared(story)
    merged(story, pulls, proposed(story, pulls))
    healed(story, pulls)
    refused(story, pulls)


def declared(story: Story) -> None:
    story.say(
        "An Azure and a GitHub of our own are up, emulated on this machine; the repository holds "
        "the specs, and the Function App looks after both. Apply what is declared."
    )
    run = story.reconcile("apply")
    story.say(f"{len(run['steps'])} steps later everything stands. The second plan is empty.")
    empty(story)


def proposed(story: Story, pulls: Pulls) -> int:
    """A pull request, and what is said on it."""
    story.say("A team needs a model of its own, and longer answers of another: a pull request.")
    title = "A model for the assistant"
    commit = pulls.push(
        "assistant", title, (MODELS, NEXT, f"{ASSISTANT}{NEXT}"), (VLLM, "len 8192", "len 16384")
    )
    number = pulls.open("assistant", title)
    story.say("The webhook wakes the app. It plans what merging would do, and says so:")
    checks = pulls.checks(commit)
    text = story.wait(
        "waiting for the comment",
        lambda: planned(pulls, number, commit),
        seen=lambda: pulls.comment(number, "plan"),
    )
    story.show(text, f"comment on #{number}")
    for name in ("assistant", "vllm-dev/blue", "16384"):
        story.expect(name in text, f"the comment does not name {name}: {text}")
    pulls.show_checks(checks)
    story.expect(passing(checks) and len(checks) > 1, f"not every check passed: {checks}")
    return number


def merged(story: Story, pulls: Pulls, number: int) -> None:
    """The merge is applied and reported."""
    story.say("That is what they want. The check that merging waits for has passed: merge.")
    made = pulls.merge(number)
    run = story.wait("waiting for the apply", lambda: story.newest("push", "sweep", commit=made))
    said = Headlines(story, pulls, number)
    done = story.follow(run, said.look)
    under_way = [line for line in said.lines if "Applying" in line]
    story.expect(under_way, f"no comment told that it was being applied: {said.lines}")
    names = {change["name"] for change in done["plan"]["changes"]}
    story.expect(len(names) == 2, f"two resources were to change, not {sorted(names)}")
    text = story.wait(
        "waiting for the result",
        lambda: applied(pulls, number),
        seen=lambda: said.lines,
    )
    story.show(text, f"another comment on #{number}")
    for word in ("assistant", "blue", "done"):
        story.expect(word in text, f"the comment does not say {word}: {text}")


def healed(story: Story, pulls: Pulls) -> None:
    """A change behind its back."""
    story.say("Somebody opens the portal and gives a deployment another capacity by hand …")
    story.expect(not story.newest("drift"), "something was healed before anybody changed it")
    subscription = story.place.environment["AZURE_SUBSCRIPTION_ID"]
    address = f"{story.place.azure}/_emulator/resources/subscriptions/{subscription}{CHAT}"
    ask(address, {"sku": {"capacity": 3}}, method="PATCH")
    story.line("[dim]by hand:[/] chat  sku.capacity  10 → 3", 2)
    story.say("… the timer finds it, opens an issue, and puts it back.")
    marker = f"drift-{ENVIRONMENT}"
    issue = story.wait("waiting for the timer", lambda: pulls.issue(marker, "all"))
    story.follow(story.wait("waiting for the apply", lambda: story.newest("drift")))
    story.expect(live(address) == 10, f"the capacity is {live(address)}, not 10")
    issue = story.wait("waiting for the issue to close", lambda: pulls.issue(marker, "closed"))
    story.show(issue["body"], f"issue #{issue['number']}, closed: {issue['title']}")
    empty(story)


def refused(story: Story, pulls: Pulls) -> None:
    """What cannot work is not merged."""
    story.say("Not everything can be merged. A slip of the finger:")
    title, branch = "More for the assistant", "assistant-more"
    good, slip, greedy = (
        f"sku: {{name: GlobalStandard, {words}}}\n  model: {{format: OpenAI, name: gpt-5-mini"
        for words in ("capacity: 20", "capcity: 40", "capacity: 40000")
    )
    commit = pulls.push(branch, title, (MODELS, good, slip))
    number = pulls.open(branch, title)
    remarked(story, pulls, pulls.checks(commit), "capcity", line="capcity: 40")
    story.say("It is mended, and asks for more than the policy allows, and than Azure will give:")
    commit = pulls.push(branch, "Mended", (MODELS, slip, greedy))
    remarked(story, pulls, pulls.checks(commit), "39980")
    why = pulls.refused_merge(number)
    story.line(f"[red]refused[/] {escape(why)}", 2)
    story.expect(CHECK in why, f"it was refused for another reason: {why}")


def remarked(
    story: Story, pulls: Pulls, checks: list[dict[str, Any]], word: str, line: str = ""
) -> None:
    """A check has failed, and says why where it is written."""
    pulls.show_checks(checks)
    own = next(one for one in checks if one["name"] == CHECK)
    story.expect(own["conclusion"] == "failure", f"the check is {own['conclusion']}")
    notes = [note for one in checks for note in pulls.annotations(one)]
    found = [note for note in notes if note["path"] == MODELS and word in note["message"]]
    story.expect(found, f'no remark in {MODELS} says "{word}": {notes}')
    there = pulls.lines(MODELS)[found[0]["start_line"] - 1]
    story.expect(line in there, f'the remark on "{word}" stands on another line: {there}')


class Headlines:
    """What a comment says first, each time that it is another."""

    def __init__(self, story: Story, pulls: Pulls, number: int) -> None:
        self.story, self.pulls, self.number = story, pulls, number
        self.lines: list[str] = []

    def look(self) -> None:
        text = self.pulls.comment(self.number, f"apply-{ENVIRONMENT}")
        line = next((one for one in text.splitlines() if one.startswith("### ")), "")
        if line and line not in self.lines[-1:]:
            self.lines.append(line)
            words = escape(line.removeprefix("### ").replace("`", ""))
            self.story.line(f"[dim]#{self.number} says:[/] {words}", 2)


def planned(pulls: Pulls, number: int, commit: str) -> str | None:
    """The comment, once it tells the plan of a commit."""
    text = pulls.comment(number, "plan")
    return text if commit[:7] in text and "### Planning" not in text else None


def applied(pulls: Pulls, number: int) -> str | None:
    text = pulls.comment(number, f"apply-{ENVIRONMENT}")
    return text if "### Applied" in text else None


def passing(checks: list[dict[str, Any]]) -> bool:
    return all(one["conclusion"] in ("success", "neutral") for one in checks)


def empty(story: Story) -> None:
    plan = story.reconcile("plan")
    changes = plan["plan"]["changes"]
    story.expect(not changes, f"a plan that has to be empty is not: {changes}")


def live(address: str) -> int:
    return int(ask(address)["sku"]["capacity"])
