"""The checks that GitHub wants before a merge, and who has to set each: pure."""

from collections.abc import Mapping
from typing import Any, Final

ANY: Final = -1
"""A check may come from any source: so GitHub writes it, or leaves it out."""


def by_rulesets(rules: list[Mapping[str, Any]]) -> dict[str, int]:
    """Who has to set each check. https://docs.github.com/en/rest/repos/rules#get-rules-for-a-branch"""
    return {
        str(check["context"]): check.get("integration_id") or ANY
        for rule in rules
        if rule.get("type") == "required_status_checks"
        for check in (rule.get("parameters") or {}).get("required_status_checks") or []
    }


def by_protection(branch: Mapping[str, Any]) -> dict[str, int]:
    """https://docs.github.com/en/rest/branches/branches#get-a-branch"""
    checks = (branch.get("protection") or {}).get("required_status_checks") or {}
    any_source = {str(one): ANY for one in checks.get("contexts") or []}
    named = {str(one["context"]): one.get("app_id") or ANY for one in checks.get("checks") or []}
    return {**any_source, **named}
