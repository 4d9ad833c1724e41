"""The owned list follows what is declared, also where nothing has to be sent."""

from dataclasses import replace

from reconciler.core.live import Live
from reconciler.core.owning import bookkeeping
from tests.core.builders import (
    a_deployment,
    an_account,
    as_azure,
    live_of,
    owned_of,
    plan_of,
)


def test_what_is_found_as_declared_is_adopted() -> None:
    account = an_account()
    plan = plan_of([account], live_of(account))
    settled, gone = bookkeeping(plan, [account], live_of(account), {})
    assert settled == tuple(owned_of(account).values())
    assert gone == ()
    assert plan.adopted == (account.key,)


def test_what_is_owned_as_declared_is_left_alone() -> None:
    account, owned = an_account(), owned_of(an_account())
    live = live_of(account)
    assert bookkeeping(plan_of([account], live, owned), [account], live, owned) == ((), ())


def test_a_declaration_that_changed_without_a_difference_is_written_down() -> None:
    before, now = an_account(), an_account(location="eastus2", protect=True)
    live, owned = live_of(before), owned_of(before)
    settled, _ = bookkeeping(plan_of([now], live, owned), [now], live, owned)
    assert [one.protect for one in settled] == [True]


def test_secrets_that_were_sent_are_remembered() -> None:
    account = an_account()
    own = replace(owned_of(account)[account.arm_id.lower()], secrets={"key": "d"})
    owned, now = {account.arm_id.lower(): own}, an_account(protect=True)
    live = live_of(account)
    settled, _ = bookkeeping(plan_of([now], live, owned), [now], live, owned)
    assert settled[0].secrets == {"key": "d"}


def test_what_changes_is_written_down_by_the_run() -> None:
    before, now = a_deployment(capacity=1), a_deployment(capacity=2)
    live, owned = live_of(before), owned_of(before)
    assert bookkeeping(plan_of([now], live, owned), [now], live, owned) == ((), ())


def test_what_is_gone_and_not_declared_is_forgotten() -> None:
    chat = a_deployment()
    owned = owned_of(chat)
    assert bookkeeping(plan_of([], Live(), owned), [], Live(), owned) == ((), (*owned,))
    assert bookkeeping(plan_of([chat], Live(), owned), [chat], Live(), owned) == ((), ())


def test_a_resource_that_moved_is_adopted_while_its_old_self_goes() -> None:
    old = a_deployment("chat", "old")
    now = replace(a_deployment("chat", "ai"), key=old.key)
    live, owned = live_of(old, as_azure(now)), owned_of(old)
    plan = plan_of([now], live, owned)
    settled, gone = bookkeeping(plan, [now], live, owned)
    assert [change.action for change in plan.changes] == ["delete"]
    assert [one.arm_id for one in settled] == [now.arm_id]
    assert gone == ()
