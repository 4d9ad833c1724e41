"""Plans and runs for other programs. These names are a contract: nothing is renamed or removed."""

from reconciler.core.model import Check, Json, Plan, Run, Step, change_json


def plan_json(plan: Plan) -> dict[str, Json]:
    """A plan: what differs, what to think of it, and what reading cost."""
    return {
        "environment": plan.environment,
        "commit": plan.commit,
        "digest": plan.digest,
        "summary": plan.summary,
        "changes": [change_json(change) for change in plan.changes],
        "checks": [_check(check) for check in plan.checks],
        "requests": {"reads": plan.reads},
        "unmanaged": [{"kind": key.kind, "name": key.name} for key in plan.unmanaged],
    }


def run_json(run: Run) -> dict[str, Json]:
    """A run: its plan, and how each step stands (``state`` null: not started)."""
    return {
        "id": run.id,
        "environment": run.plan.environment,
        "state": run.state,
        "detail": run.detail,
        "requestedBy": run.requested_by,
        "createdAt": run.created_at,
        "endedAt": run.ended_at,
        "plan": plan_json(run.plan),
        "steps": [_step(run, step) for step in run.plan.steps],
    }


def _check(check: Check) -> dict[str, Json]:
    return {
        "rule": check.rule,
        "level": check.level,
        "message": check.message,
        "source": check.source,
    }


def _step(run: Run, step: Step) -> dict[str, Json]:
    outcome = run.outcomes.get(step.id)
    return {
        "id": step.id,
        "verb": step.verb,
        "kind": step.key.kind,
        "name": step.key.name,
        "armId": step.arm_id,
        "state": outcome.state if outcome else None,
        "detail": outcome.detail if outcome else "",
        "startedAt": outcome.started_at if outcome else "",
        "endedAt": outcome.ended_at if outcome else "",
        "requestId": outcome.request_id if outcome else "",
        "endpoint": outcome.endpoint if outcome else "",
    }
