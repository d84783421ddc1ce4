"""`python -m kms_access.cli`."""

from __future__ import annotations

import sys

from kms_access.cli import main

sys.exit(main())
