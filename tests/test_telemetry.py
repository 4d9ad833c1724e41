"""What the reconciler tells about itself: logs, metrics, traces, and no secret in any of them."""

import asyncio
import io
import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from reconciler.core.errors import Permanent
from reconciler.local.azure import Fault
from reconciler.telemetry import METRICS, fields, measure, monitor, start_export, start_logs, work
from reconciler.telemetry.logs import JsonLines, Redact, TextLines
from reconciler.telemetry.redact import redactor, secrets_of
from tests.desk import ACCOUNT_ID, Desk, a_desk
from tests.engine.estates import ACCOUNT, GROUP, chat

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "observability.md"
CANARY = "canary-7f3a"


class Ear:
    """The OpenTelemetry SDK, in memory."""

    def __init__(self) -> None:
        self.spans = InMemorySpanExporter()
        self.reader = InMemoryMetricReader()
        tracers = TracerProvider(shutdown_on_exit=False)
        tracers.add_span_processor(SimpleSpanProcessor(self.spans))
        meters = MeterProvider([self.reader], shutdown_on_exit=False)
        measure.listen(tracers, meters)

    def metrics(self) -> Mapping[str, list[tuple[Mapping[str, Any], float]]]:
        data = self.reader.get_metrics_data()
        if data is None:
            return {}
        return {
            metric.name: [_point(one) for one in metric.data.data_points]
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    def named(self, name: str) -> list[ReadableSpan]:
        return [one for one in self.spans.get_finished_spans() if one.name == name]


@pytest.fixture
def ear() -> Iterator[Ear]:
    one = Ear()
    yield one
    measure.deafen()
    one.reader.shutdown()


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with a_desk(tmp_path) as one:
        yield one


def _point(one: Any) -> tuple[Mapping[str, Any], float]:
    return dict(one.attributes), one.value


class Paper:
    """A logger of its own, written to memory by our handler."""

    def __init__(self, formatter: logging.Formatter, hide: frozenset[str] = frozenset()) -> None:
        self.stream = io.StringIO()
        handler = logging.StreamHandler(self.stream)
        handler.setFormatter(formatter)
        handler.addFilter(Redact(redactor(hide)))
        self.log = logging.Logger("reconciler.paper")
        self.log.addHandler(handler)

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


# Logs


def test_a_log_line_carries_what_is_being_worked_on() -> None:
    paper = Paper(JsonLines())
    with work("run", run="r1", environment="dev", commit="c1"):
        with work("step", step="put:Account/contoso"):
            paper.log.info("%s is done", "it")
        paper.log.warning("over")
    paper.log.info("idle")
    inside, outside, idle = paper.lines
    about = {"run": "r1", "environment": "dev", "commit": "c1"}
    assert {**about, "step": "put:Account/contoso"}.items() <= inside.items()
    assert [inside["message"], inside["level"]] == ["it is done", "info"]
    assert about.items() <= outside.items()
    assert "step" not in outside
    assert set(idle) == {"time", "level", "logger", "message"}


async def test_steps_at_the_same_time_do_not_mix_up_their_names() -> None:
    async def step(name: str) -> str:
        with work("step", step=name):
            await asyncio.sleep(0)
            return fields()["step"]

    with work("run", run="r1"):
        names = [f"s{number}" for number in range(50)]
        assert await asyncio.gather(*(step(name) for name in names)) == names
        assert dict(fields()) == {"run": "r1"}


def test_text_lines_are_for_people() -> None:
    paper = Paper(TextLines())
    with work("run", run="r1"):
        paper.log.warning("slow")
    assert re.fullmatch(r"\d\d:\d\d:\d\d warning slow \(run=r1\)\n", paper.text)


def test_arguments_that_do_not_fit_are_logged_all_the_same() -> None:
    paper = Paper(JsonLines())
    paper.log.info("%d apples", "no")
    assert "apples" in paper.lines[0]["message"]


SECRETS = [
    f"https://x.blob.core.windows.net/a/b?sv=2024&sig={CANARY}&se=2026",
    f"GET https://management.azure.com/op/1?t=639&c={CANARY}#frag",
    f"https://user:{CANARY}@example.com/repo.git",
    f"Authorization: Bearer {CANARY}{CANARY}",
    f"Basic {CANARY}{CANARY}",
    f"eyJhbGciOi.eyJvaWQiOi{CANARY}.{CANARY}",
    f"AccountName=x;AccountKey={CANARY}==;EndpointSuffix=y",
    f"InstrumentationKey={CANARY};IngestionEndpoint=y",
    f"SharedAccessSignature=sv%3D2{CANARY}",
    f'{{"client_secret": "{CANARY}"}}',
    f'{{\\"password\\": \\"{CANARY}\\"}}',
    f"api-key: {CANARY}",
    f"ghp_{'a' * 20}{CANARY.replace('-', '')}",
    f"-----BEGIN RSA PRIVATE KEY-----\n{CANARY}\n-----END RSA PRIVATE KEY-----",
]


@pytest.mark.parametrize("text", SECRETS)
@pytest.mark.parametrize("formatter", [JsonLines(), TextLines()], ids=["json", "text"])
def test_nothing_that_looks_secret_is_logged(formatter: logging.Formatter, text: str) -> None:
    paper = Paper(formatter)
    paper.log.error(text.replace("%", "%%"))
    paper.log.error("said: %s", text)
    try:
        raise RuntimeError(text) from ValueError(text)
    except RuntimeError:
        paper.log.exception("it broke", stack_info=True)
    assert CANARY not in paper.text
    assert CANARY.replace("-", "") not in paper.text
    assert "RuntimeError" in paper.text


def test_the_values_of_secret_settings_are_never_logged() -> None:
    odd = f'{CANARY}"\\quoted'
    environment = {
        "RECONCILER_SECRET_TOKEN": odd,
        "AZURE_CLIENT_SECRET": "the-client-canary",
        "GITHUB_TOKEN": "plain-canary",
        "GITHUB_WEBHOOK_SECRET": "hook-canary",
        "RECONCILER_ARM_ENDPOINT": "https://management.azure.com",
    }
    hide = secrets_of(environment)
    assert len(hide) == 4
    paper = Paper(JsonLines(), hide)
    paper.log.info("a body: %s", json.dumps(dict(environment)))
    paper.log.info("as it is: %s", " ".join(environment.values()))
    assert "canary" not in paper.text
    assert "https://management.azure.com" in paper.text


def test_ordinary_words_are_logged_as_they_are() -> None:
    words = "put ModelDeployment/contoso/chat is done: answered 200 in 0.4 s (request 1f-2e)"
    assert redactor()(words) == words


@pytest.mark.parametrize(
    ("name", "value"), [("RECONCILER_LOG", "xml"), ("RECONCILER_LOG_LEVEL", "loud")]
)
def test_a_way_of_logging_that_does_not_exist_is_refused(name: str, value: str) -> None:
    with pytest.raises(Permanent, match=f"{name} is '{value}'"):
        start_logs({name: value})


def test_a_process_logs_as_its_settings_say() -> None:
    code = """
import logging, os, sys
from reconciler.telemetry import start_logs
start_logs(os.environ); start_logs(os.environ)
logging.getLogger("reconciler.x").info("hello %s", os.environ["RECONCILER_SECRET_A"])
logging.getLogger("other").info("not ours")
"""
    environment = {"RECONCILER_SECRET_A": CANARY, "RECONCILER_LOG_LEVEL": "info"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    (line,) = [json.loads(one) for one in done.stderr.splitlines()]
    assert [line["message"], line["logger"]] == ["hello (secret)", "reconciler.x"]


def test_the_app_says_at_its_start_what_is_wrong_and_keeps_secrets(tmp_path: Path) -> None:
    code = """
from reconciler.app import service
try:
    service()
except Exception as error:
    print(type(error).__name__)
"""
    environment = {
        "PATH": os.environ["PATH"],
        "RECONCILER_STATE": f"sqlite:{tmp_path / 'state.db'}",
        "RECONCILER_STTAE": CANARY,
        "RECONCILER_REPO_URL": f"https://user:{CANARY}@example.com/specs.git",
        "RECONCILER_SECRET_A": CANARY,
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, text=True
    )
    lines = [json.loads(one) for one in done.stderr.splitlines()]
    assert [(one["level"], one["message"].partition(":")[0]) for one in lines] == [
        ("warning", "settings"),
        ("info", "git"),
    ]
    assert "did you mean RECONCILER_STATE?" in lines[0]["message"]
    assert done.stdout == "Permanent\n"
    assert CANARY not in done.stderr


def test_a_connection_string_of_no_use_is_told_without_repeating_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert start_export({}) is False
    with caplog.at_level("WARNING", "reconciler.telemetry"):
        monitor.start(f"InstrumentationKey={CANARY}")
    assert [one.getMessage() for one in caplog.records] == [
        "APPLICATIONINSIGHTS_CONNECTION_STRING is of no use (ValueError)"
    ]


# Metrics and traces


async def test_an_apply_is_one_trace_from_the_run_to_its_requests(desk: Desk, ear: Ear) -> None:
    commit = desk.declare(GROUP, ACCOUNT, chat())
    run = await desk.apply()
    (span,) = ear.named("run")
    steps = ear.named("step")
    assert span.attributes is not None
    assert span.attributes["reconciler.run"] == run.id
    assert span.attributes["reconciler.commit"] == commit
    assert span.attributes["reconciler.environment"] == "dev"
    assert {one.attributes["reconciler.step"] for one in steps if one.attributes} == {
        step.id for step in run.plan.steps
    }
    assert all(one.parent and one.parent.span_id == span.context.span_id for one in steps)
    puts = ear.named("ARM PUT")
    ids = {one.context.span_id for one in steps}
    assert puts
    assert all(one.parent and one.parent.span_id in ids for one in puts)
    assert len({one.context.trace_id for one in (span, *steps, *puts)}) == 1


async def test_runs_are_counted_by_how_they_ended(desk: Desk, ear: Ear) -> None:
    desk.declare(GROUP, ACCOUNT)
    await desk.apply()
    await desk.ask("plan")
    older, _ = await desk.ask(), await desk.ask()
    await desk.work()
    assert (await desk.run(older)).state == "superseded"
    cancelled = await desk.ask()
    await desk.service.cancel(cancelled)
    counted = {
        (about["environment"], about["mode"], about["outcome"]): value
        for about, value in ear.metrics()["reconciler.runs"]
    }
    assert counted == {
        ("dev", "apply", "done"): 2,
        ("dev", "plan", "done"): 1,
        ("dev", "apply", "superseded"): 1,
        ("dev", "apply", "cancelled"): 1,
    }


async def test_requests_are_counted_by_status_and_throttles_by_who_refused(
    desk: Desk, ear: Ear
) -> None:
    desk.world.azure.faults.add(
        [Fault(path="/accounts$", method="GET", status=429, count=2, retry_after_s=1)]
    )
    desk.declare(GROUP, ACCOUNT)
    await desk.apply()
    found = ear.metrics()
    refused = sum(v for about, v in found["reconciler.arm.requests"] if about["status"] == "429")
    assert refused == 2
    assert sum(value for _, value in found["reconciler.arm.throttles"]) == 2
    sent = sum(value for _, value in found["reconciler.arm.requests"])
    seen = [one for one in desk.world.azure.requests.entries if "/subscriptions/" in one.path]
    assert sent == len(seen)


async def test_drift_and_how_long_it_has_lasted_are_measured(desk: Desk, ear: Ear) -> None:
    desk.declare(GROUP, ACCOUNT, chat(2), environment="selfHeal: report")
    await desk.apply()
    await desk.service.handle({"check": "dev"})
    assert ear.metrics()["reconciler.drift"] == [({"environment": "dev"}, 0)]
    desk.world.patch(f"{ACCOUNT_ID}/deployments/chat", {"sku": {"capacity": 7}})
    await desk.service.handle({"check": "dev"})
    desk.skip(100)
    await desk.service.handle({"check": "dev"})
    found = ear.metrics()
    assert found["reconciler.drift"] == [({"environment": "dev"}, 1)]
    ((_, age),) = found["reconciler.unreconciled.age"]
    assert 100 <= age < 3600


async def test_a_run_that_waits_shows_in_the_age_of_the_queue(desk: Desk, ear: Ear) -> None:
    desk.declare(GROUP)
    await desk.service.sweep()
    assert ear.metrics()["reconciler.queue.age"] == [({}, 0)]
    await desk.ask("plan")
    desk.skip(100)
    await desk.service.sweep()
    ((_, age),) = ear.metrics()["reconciler.queue.age"]
    assert 100 <= age < 3600


def test_a_gauge_is_not_repeated_until_it_is_measured_again(ear: Ear) -> None:
    """An instance that no longer looks after an environment must not go on about it."""
    measure.gauge(measure.DRIFT, 3, {"environment": "dev"})
    assert ear.metrics()["reconciler.drift"]
    assert "reconciler.drift" not in ear.metrics()


async def test_no_span_holds_a_query_or_the_words_of_an_error(ear: Ear) -> None:
    url = f"https://management.azure.com/subscriptions/1/op?sig={CANARY}"
    with pytest.raises(RuntimeError), work("step", step="s1"), measure.arm_request("GET", url):
        raise RuntimeError(url)
    spans = ear.spans.get_finished_spans()
    text = "".join(one.to_json() for one in spans)
    assert CANARY not in text
    assert "RuntimeError" in text
    assert "/subscriptions/1/op" in text
    requests = ear.metrics()["reconciler.arm.requests"]
    assert requests == [({"http.request.method": "GET", "status": "none"}, 1)]


def test_while_nobody_listens_opentelemetry_is_not_imported() -> None:
    code = """
import sys
import reconciler.cli, reconciler.engine, reconciler.service, reconciler.azure.client
from reconciler.telemetry import work, arm_request, run_ended, start_export
assert not start_export({})
with work("run", run="r"), arm_request("GET", "https://x/") as asked:
    asked.answered(200)
run_ended("dev", "plan", "done")
sys.exit(any(name.startswith("opentelemetry") for name in sys.modules))
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=ROOT, check=True)


# The page


def test_the_page_lists_every_metric_with_its_unit_and_no_other() -> None:
    rows = re.findall(
        r"^\| `(reconciler\.[a-z.]+)` \| (\w+) \| `([^`]+)` \|", PAGE.read_text(), re.M
    )
    assert sorted(rows) == sorted((one.name, one.instrument, one.unit) for one in METRICS)


def test_the_page_lists_every_field_of_a_log_line() -> None:
    paper = Paper(JsonLines())
    try:
        with work("run", run="r", environment="e", commit="c", step="s"):
            raise RuntimeError
    except RuntimeError:
        with work("run", run="r", environment="e", commit="c", step="s"):
            paper.log.exception("broke")
    listed = re.findall(r"^\| `([a-z]+)` \| ", PAGE.read_text(), re.M)
    assert sorted(listed) == sorted(paper.lines[0])
