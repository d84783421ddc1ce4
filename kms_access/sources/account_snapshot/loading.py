"""From the folder of a snapshot to the inventory of its accounts."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from kms_access.inventory.model import Grant, Identity, Inventory, Key, ManagedPolicy
from kms_access.inventory.origin import NotCovered
from kms_access.policies.elements import describe
from kms_access.policies.principals import ACCOUNT_ID
from kms_access.sources.account_snapshot.identities import read_identities
from kms_access.sources.account_snapshot.keys import RegionReader
from kms_access.sources.account_snapshot.layout import SNAPSHOT, VERSION, AccountFolder
from kms_access.sources.account_snapshot.responses import Response
from kms_access.sources.interface import SourceError

_HELP = 'collect one with "kms-access snapshot --output DIR"'
REGION = re.compile(r"[a-z]{2,}(-[a-z0-9]+)+", re.ASCII)


@dataclass(frozen=True, slots=True)
class SnapshotHeader:
    """What `snapshot.json` says: the account, its Regions, and when the collection began."""

    account: str
    regions: tuple[str, ...]
    started: str = ""


def is_snapshot(folder: Path) -> bool:
    """Whether a folder holds a snapshot of at least one account."""
    return folder.is_dir() and any(folder.glob(f"*/{SNAPSHOT}"))


def accounts_of(folder: Path) -> tuple[str, ...]:
    """The accounts of which a folder holds a snapshot, sorted.

    Raises `SourceError` where there are none, and for a `snapshot.json` elsewhere than in a folder
    that is named by an account id.
    """
    if not folder.is_dir():
        found = "this is no folder" if os.path.lexists(folder) else "there is no such folder"
        raise SourceError(found, str(folder), help=_HELP)
    accounts = sorted(file.parent.name for file in folder.glob(f"*/{SNAPSHOT}"))
    for account in accounts:
        if not ACCOUNT_ID.fullmatch(account):
            message = f'"{account}" is no account id of twelve digits'
            raise SourceError(message, str(folder / account / SNAPSHOT))
    if not accounts:
        message = f"no snapshot of an account: there is no ACCOUNT/{SNAPSHOT}"
        raise SourceError(message, str(folder), help=_HELP)
    return tuple(accounts)


def read_header(folder: AccountFolder) -> SnapshotHeader:
    """What `snapshot.json` of an account says. Raises `SourceError`."""
    response = Response(folder.snapshot)
    version = response.raw("version")
    if version != str(VERSION):
        found = f"version {describe(version)} of a snapshot is not known"
        raise response.fail(f"{found}, accepted is {VERSION}", *["version"][: version is not None])
    account = response.text("account")
    if account != folder.account:
        message = f'the snapshot is of account "{account}", its folder of "{folder.account}"'
        raise response.fail(message, "account")
    regions = tuple(response.texts("regions"))
    for index, region in enumerate(regions):
        if not REGION.fullmatch(region):
            raise response.fail(f'"{region}" is no Region', "regions", index)
    return SnapshotHeader(account, regions, response.optional_text("started") or "")


def load_snapshot(folder: Path) -> Inventory:
    """The inventory of the accounts in a snapshot, in the layout of `layout`.

    Every key that ListKeys names must have all its files, every Region of `snapshot.json` its
    lists: a collection that is not finished is an error. Raises `SourceError` with file and place
    for whatever is missing, cannot be read, or has another form than the API's responses. What an
    API refused to tell stays open, in policies, grants, aliases or `not_covered`.
    """
    keys: list[Key] = []
    identities: list[Identity] = []
    grants: list[Grant] = []
    not_covered: list[NotCovered] = []
    managed: list[ManagedPolicy] = []
    for account in accounts_of(folder):
        place = AccountFolder(folder, account)
        header = read_header(place)
        details = Response(place.authorization_details)
        if details.error:
            message = f"GetAccountAuthorizationDetails answered {details.error}: nobody is known"
            raise details.fail(message, "Error")
        found, policies = read_identities(details, account)
        identities += found
        managed += policies
        for region in header.regions:
            reader = RegionReader(place, region)
            keys += reader.keys
            grants += reader.grants
            not_covered += reader.not_covered
    return Inventory(
        tuple(sorted(keys, key=lambda key: key.origin.identity)),
        tuple(sorted(identities, key=lambda one: one.origin.identity)),
        tuple(sorted(grants, key=lambda grant: grant.origin.identity)),
        tuple(sorted(dict.fromkeys(not_covered))),
        managed_policies=tuple(managed),
    )
