"""What is wrong with a configuration, said so that the reader can mend it."""

from collections.abc import Sequence
from typing import Literal

import msgspec


class Finding(msgspec.Struct, frozen=True):
    """One problem: which variable, what is the matter with it, what to do about it."""

    severity: Literal["error", "warning"]
    variable: str
    problem: str
    fix: str

    def __str__(self) -> str:
        return f"{self.severity}: {self.variable} {self.problem}\n    fix: {self.fix}"


class SettingsError(Exception):
    """The configuration cannot be started with; `findings` holds every problem, not the first."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in findings))
