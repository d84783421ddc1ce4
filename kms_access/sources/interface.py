"""What every source of definitions has in common."""

from __future__ import annotations

from kms_access.inventory.input_error import InputError


class SourceError(InputError):
    """Definitions that cannot be read at all."""
