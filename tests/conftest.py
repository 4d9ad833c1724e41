"""What tests have counted is shown at the end, so that it can be quoted."""

from typing import Any


def pytest_terminal_summary(terminalreporter: Any) -> None:
    counted = [
        f"{name}: {value}"
        for report in terminalreporter.getreports("passed")
        for name, value in report.user_properties
    ]
    if counted:
        terminalreporter.section("counted", sep="-")
        terminalreporter.write_line("\n".join(sorted(counted)))
