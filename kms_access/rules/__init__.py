"""The rules file and the checks: AccessMap -> findings."""

from __future__ import annotations

from kms_access.rules.assessment import Assessment, assess
from kms_access.rules.findings import Finding
from kms_access.rules.loader import load_rules
from kms_access.rules.model import Level, Rules
from kms_access.rules.yaml_nodes import RulesError

__all__ = ["Assessment", "Finding", "Level", "Rules", "RulesError", "assess", "load_rules"]
