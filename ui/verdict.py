"""The sign of a verdict on a difference; its word stands beside it."""

from __future__ import annotations

SIGNS = {"better": "▲", "worse": "▼", "tie": "≈", "undecided": "?"}
"""▲ and ▼ only where a paired interval excludes 0."""
