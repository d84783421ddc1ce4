"""The steps of a detour in words."""

from __future__ import annotations

from kms_access.decisions.detour_steps import described_step, described_steps

__all__ = ["described_step", "described_steps"]
