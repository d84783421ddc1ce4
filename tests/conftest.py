"""Settings for all tests."""

from __future__ import annotations

import os

from hypothesis import settings

# CI and a developer's machine run the same number of examples, without a deadline: no test times.
settings.register_profile("kms-access", max_examples=200, deadline=None, derandomize=False)
settings.register_profile("long", max_examples=20_000, deadline=None)
settings.load_profile(os.environ.get("KMS_ACCESS_HYPOTHESIS", "kms-access"))
