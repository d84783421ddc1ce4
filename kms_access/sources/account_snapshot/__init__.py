"""What an account already has -> Inventory: responses of IAM's and KMS's APIs in a folder."""

from __future__ import annotations

from kms_access.sources.account_snapshot.loading import accounts_of, is_snapshot, load_snapshot

__all__ = ["accounts_of", "is_snapshot", "load_snapshot"]
