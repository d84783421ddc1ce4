"""The tool as reports name it."""

from __future__ import annotations

import kms_access

NAME = "kms-access"
VERSION = kms_access.__version__
