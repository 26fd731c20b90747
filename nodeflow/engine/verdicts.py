"""What the gradient check found, as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from nodeflow.derive.silent import Finding

Status = Literal["ok", "kink", "small", "fault"]


@dataclass(frozen=True)
class NodeCheck:
    """What the check of one node's gradient found."""

    relative_error: float
    status: Status
    """ok, fault; kink: the cost has two slopes there; small: too small to measure, since the
    rounding errors of the cost are as large as what the gradient changes in it."""
    checked: int
    """How many numbers (or, for other nodes than parameters, directions) were tried."""
    gradient: float = 0.0
    difference: float = 0.0
    """The gradient and the difference that are farthest apart."""
    reason: str = ""
    """Why it is at fault, where the graph or the two numbers tell."""


@dataclass(frozen=True)
class Check:
    """The outcome: valid if no gradient is at fault.

    A kink (ReLU at 0) is no fault, nor is a gradient that is too small to measure. The largest
    relative error is that of the gradients that were measured.
    """

    valid: bool
    max_relative_error: float
    nodes: dict[str, NodeCheck] = field(default_factory=dict)
    implied: str = ""
    """Which cost the gradients were compared with, where no node of the graph is it."""
    findings: tuple[Finding, ...] = ()
    """What in the graph computes in vain."""
    unlike_rates: str = ""
    """Which wired updates have another rate than most: no gradient tells whether that is meant."""
    left_out: int = 0
    """How many gradients were not checked, since all of them would take too long."""

    def as_dict(self) -> dict[str, Any]:
        """Return the outcome as plain data."""
        return {
            "valid": self.valid,
            "max_relative_error": self.max_relative_error,
            "nodes": {
                key: {
                    "relative_error": found.relative_error,
                    "status": found.status,
                    "checked": found.checked,
                    "gradient": found.gradient,
                    "difference": found.difference,
                    "reason": found.reason,
                }
                for key, found in self.nodes.items()
            },
            "implied": self.implied or None,
            "findings": [finding.as_dict() for finding in self.findings],
            **({"unlike_rates": self.unlike_rates} if self.unlike_rates else {}),
            **({"left_out": self.left_out} if self.left_out else {}),
        }
