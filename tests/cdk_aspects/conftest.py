"""Settings that the library must see before it is imported, and the real command line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("CDK_VALIDATION", "false")
os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")

PROJECT = Path(__file__).resolve().parents[2]
CDK = PROJECT / "node_modules" / ".bin" / "cdk"


@pytest.fixture(scope="session")
def cdk_command() -> str:
    """The CDK command line of package.json."""
    if not CDK.exists():
        pytest.skip("the CDK command line is not installed: npm ci")
    return str(CDK)
