"""Collects what an AWS account already has, with boto3: the one part of the project that asks AWS.

`kms-access snapshot` runs it; it needs the extra `snapshot`. The layout of what it writes is that
of `kms_access.sources.account_snapshot.layout`.
"""

from __future__ import annotations

from account_snapshot.collector import Refusal, Summary, collect
from account_snapshot.errors import CollectionError

__all__ = ["CollectionError", "Refusal", "Summary", "collect"]
