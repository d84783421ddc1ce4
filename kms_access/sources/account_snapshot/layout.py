"""Where the parts of an account snapshot are.

    DIR/ACCOUNT/snapshot.json                        version, account and Regions of the snapshot
    DIR/ACCOUNT/iam/account-authorization-details.json
    DIR/ACCOUNT/kms/REGION/list-aliases.json
    DIR/ACCOUNT/kms/REGION/list-keys.json
    DIR/ACCOUNT/kms/REGION/keys/KEY-ID/describe-key.json
    DIR/ACCOUNT/kms/REGION/keys/KEY-ID/get-key-policy.json
    DIR/ACCOUNT/kms/REGION/keys/KEY-ID/list-grants.json
    DIR/ACCOUNT/kms/REGION/keys/KEY-ID/list-resource-tags.json

Every file but the first is one response of the API of that name, all pages joined: what
`aws iam get-account-authorization-details` and `aws kms list-keys` and so on print. An API that
refused to answer leaves `{"Error": {"Code": …, "Message": …}}`.
"""

from __future__ import annotations

from pathlib import Path

VERSION = 1
ERROR = "Error"
SNAPSHOT = "snapshot.json"
AUTHORIZATION_DETAILS = "account-authorization-details.json"
KEYS = "list-keys.json"
ALIASES = "list-aliases.json"
KEY = "describe-key.json"
KEY_POLICY = "get-key-policy.json"
GRANTS = "list-grants.json"
TAGS = "list-resource-tags.json"


class AccountFolder:
    """The part of a snapshot that is about one account."""

    def __init__(self, folder: Path, account: str) -> None:
        self.path = folder / account
        self.account = account

    @property
    def snapshot(self) -> Path:
        """What the snapshot of this account is: version, account, Regions."""
        return self.path / SNAPSHOT

    @property
    def authorization_details(self) -> Path:
        """The answer of GetAccountAuthorizationDetails."""
        return self.path / "iam" / AUTHORIZATION_DETAILS

    def in_region(self, region: str, name: str) -> Path:
        """The answer of ListKeys (`KEYS`) or ListAliases (`ALIASES`) in a Region."""
        return self.path / "kms" / region / name

    def of_key(self, region: str, key_id: str, name: str) -> Path:
        """The answer about one key: `KEY`, `KEY_POLICY`, `GRANTS` or `TAGS`."""
        return self.path / "kms" / region / "keys" / key_id / name
