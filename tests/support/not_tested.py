"""What a run could not test is said in its last lines, so that nobody takes it for tested.

not_tested(what, why)         skip this test
pytest_terminal_summary       a hook for conftest.py
"""

from typing import Any, NoReturn

import pytest

_SIGN = "NOT TESTED: "


def not_tested(what: str, why: str) -> NoReturn:
    pytest.skip(f"{_SIGN}{what}, because {why}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    left_out: dict[str, list[str]] = {}
    for report in terminalreporter.getreports("skipped"):
        where: Any = report.longrepr  # a tuple of file, line and reason
        reason = str(where[2])
        if _SIGN in reason:
            left_out.setdefault(reason.partition(_SIGN)[2], []).append(report.nodeid)
    for what, names in left_out.items():
        terminalreporter.section(f"{len(names)} TESTS DID NOT RUN", "!", red=True, bold=True)
        terminalreporter.line(f"{_SIGN}{what}", red=True, bold=True)
        for name in names:
            terminalreporter.line(f"  {name}")
