"""Pulumi stacks as a source of definitions: what a policy pack sees, as plain data."""

from __future__ import annotations

from kms_access.sources.pulumi.coverage import is_relevant
from kms_access.sources.pulumi.event_log import is_event_log, load_event_log
from kms_access.sources.pulumi.export import is_export, load_export
from kms_access.sources.pulumi.reader import read_stack
from kms_access.sources.pulumi.resource import StackResource

__all__ = [
    "StackResource",
    "is_event_log",
    "is_export",
    "is_relevant",
    "load_event_log",
    "load_export",
    "read_stack",
]
