"""Starts the policy pack; this never returns, and nothing may be printed before the port."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from pulumi_policy import EnforcementLevel, PolicyPack

# Run from a checkout, the folder of the pack is on the import path and its parent is not.
if any(importlib.util.find_spec(name) is None for name in ("kms_access", "policypack")):
    sys.path.append(str(Path(__file__).resolve().parent.parent))

from policypack.policies import policies

PolicyPack("kms-access", policies(), enforcement_level=EnforcementLevel.MANDATORY)
