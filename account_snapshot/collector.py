"""Asks IAM and KMS for everything that decides about access to keys, and writes the answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from account_snapshot.errors import REFUSED, CollectionError, code_of, message_of, stopping
from account_snapshot.progress import Progress
from account_snapshot.storage import write_json
from kms_access.sources.account_snapshot import layout
from kms_access.sources.account_snapshot.layout import AccountFolder
from kms_access.sources.account_snapshot.loading import read_header
from kms_access.sources.account_snapshot.responses import Response

_WORKERS = 8
_FALLBACK_REGION = "us-east-1"
_CONFIG = Config(
    # Slows down by itself when AWS throttles, on top of repeating.
    retries={"mode": "adaptive", "total_max_attempts": 12},
    max_pool_connections=_WORKERS,
    user_agent_extra="kms-access-snapshot",
)
_RECORDED = REFUSED | {"NotFoundException", "KMSInvalidStateException"}
"""Answers about one key that are kept as such; anything else stops the collection."""


@dataclass(frozen=True, slots=True)
class _Call:
    """One API call: its method, the list that its pages hold (empty for one answer), parameters."""

    method: str
    name: str
    lists: tuple[str, ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()


_DETAILS = _Call(
    "get_account_authorization_details",
    "GetAccountAuthorizationDetails",
    ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"),
)
_OF_REGION = {
    # First the aliases: a key that is made in between is then listed, and none is without its key.
    layout.ALIASES: _Call("list_aliases", "ListAliases", ("Aliases",)),
    layout.KEYS: _Call("list_keys", "ListKeys", ("Keys",)),
}
_OF_KEY = {
    layout.KEY: _Call("describe_key", "DescribeKey"),
    layout.KEY_POLICY: _Call("get_key_policy", "GetKeyPolicy", (), (("PolicyName", "default"),)),
    layout.GRANTS: _Call("list_grants", "ListGrants", ("Grants",)),
    layout.TAGS: _Call("list_resource_tags", "ListResourceTags", ("Tags",)),
}


@dataclass(frozen=True, slots=True, order=True)
class Refusal:
    """What AWS refused to tell; the snapshot keeps it open."""

    call: str
    subject: str
    code: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What a collection has: `asked` counts the parts that this run asked for."""

    account: str
    regions: tuple[str, ...]
    keys: int
    asked: int
    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class _Part:
    """One file that is still to be written."""

    file: Path
    client: Any
    call: _Call
    where: str
    parameters: Mapping[str, str]


def collect(
    output: Path,
    *,
    regions: Sequence[str] = (),
    profile: str | None = None,
    progress: Progress,
) -> Summary:
    """Write the snapshot of one account below `output`; what is there already is not asked again.

    `regions` are the Regions to look for keys in, all enabled ones if there are none. The account
    is that of the credentials that boto3 finds, or of `profile`. Raises `CollectionError` where
    AWS cannot be asked, and `SourceError` for a folder that holds something else.
    """
    return _Collector(output, profile, progress).run(regions)


class _Collector:
    def __init__(self, output: Path, profile: str | None, progress: Progress) -> None:
        try:
            self._session = boto3.Session(profile_name=profile)
        except BotoCoreError as error:
            raise CollectionError(f"no credentials: {error}") from None
        self._output = output
        self._progress = progress
        self._asked = 0

    def run(self, regions: Sequence[str]) -> Summary:
        home = self._session.region_name or (regions[0] if regions else _FALLBACK_REGION)
        with stopping("sts GetCallerIdentity"):
            account = self._client("sts", home).get_caller_identity()["Account"]
        folder = AccountFolder(self._output, account)
        wanted = tuple(regions) or self._enabled_regions(home)
        wanted = self._declare(folder, wanted)
        kms = {region: self._client("kms", region) for region in wanted}
        self._fetch(
            [_Part(folder.authorization_details, self._client("iam", home), _DETAILS, account, {})]
        )
        self._fetch(
            [
                _Part(folder.in_region(region, name), client, call, region, {})
                for region, client in kms.items()
                for name, call in _OF_REGION.items()
            ]
        )
        keys = {region: self._keys_of(folder, region) for region in wanted}
        self._fetch(
            [
                _Part(
                    folder.of_key(region, key_id, name),
                    kms[region],
                    call,
                    f"key {key_id} in {region}",
                    {"KeyId": key_id},
                )
                for region, key_ids in keys.items()
                for key_id in key_ids
                for name, call in _OF_KEY.items()
            ]
        )
        refusals = self._refusals(folder, keys)
        return Summary(account, wanted, sum(map(len, keys.values())), self._asked, refusals)

    def _client(self, service: str, region: str) -> Any:
        with stopping(f"{service} in {region}"):
            return self._session.client(service, region_name=region, config=_CONFIG)

    def _enabled_regions(self, home: str) -> tuple[str, ...]:
        with stopping("ec2 DescribeRegions"):
            found = self._client("ec2", home).describe_regions()["Regions"]
        return tuple(sorted(region["RegionName"] for region in found))

    def _declare(self, folder: AccountFolder, regions: Sequence[str]) -> tuple[str, ...]:
        """Say first which Regions belong to the snapshot: one that ends early is then no whole."""
        started = datetime.now(UTC).isoformat(timespec="seconds")
        if folder.snapshot.exists():
            header = read_header(folder)
            regions, started = (*header.regions, *regions), header.started or started
        regions = tuple(dict.fromkeys(regions))
        value = {
            "version": layout.VERSION,
            "account": folder.account,
            "regions": list(regions),
            "started": started,
        }
        write_json(folder.snapshot, value)
        return regions

    def _keys_of(self, folder: AccountFolder, region: str) -> tuple[str, ...]:
        listed = Response(folder.in_region(region, layout.KEYS))
        return () if listed.error else tuple(n.text("KeyId") for n in listed.objects("Keys"))

    def _fetch(self, parts: Sequence[_Part]) -> None:
        missing = [part for part in parts if not part.file.exists()]
        self._progress.expect(len(missing))
        self._asked += len(missing)
        with ThreadPoolExecutor(max_workers=_WORKERS) as pool:
            futures = {pool.submit(_fetch_part, part): part for part in missing}
            try:
                for future in as_completed(futures):
                    future.result()
                    self._progress.finish(futures[future].where)
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise

    def _refusals(
        self, folder: AccountFolder, keys: Mapping[str, Sequence[str]]
    ) -> tuple[Refusal, ...]:
        found = []
        for region, key_ids in keys.items():
            files = [
                (folder.in_region(region, name), call, region) for name, call in _OF_REGION.items()
            ]
            files += [
                (folder.of_key(region, key_id, name), call, f"key {key_id} in {region}")
                for key_id in key_ids
                for name, call in _OF_KEY.items()
            ]
            for file, call, subject in files:
                error = Response(file).error
                if error:
                    found.append(Refusal(call.name, subject, error))
        return tuple(sorted(found))


def _fetch_part(part: _Part) -> None:
    with stopping(f"{part.call.name} for {part.where}"):
        try:
            answer = _ask(part)
        except ClientError as error:
            if part.call is _DETAILS or code_of(error) not in _RECORDED:
                raise
            answer = {layout.ERROR: {"Code": code_of(error), "Message": message_of(error)}}
        write_json(part.file, answer)


def _ask(part: _Part) -> dict[str, Any]:
    """The answer as one response: all pages joined, without what belongs to the transport."""
    parameters = {**dict(part.call.parameters), **part.parameters}
    if not part.call.lists:
        method: Callable[..., dict[str, Any]] = getattr(part.client, part.call.method)
        answer = method(**parameters)
        return {name: value for name, value in answer.items() if name != "ResponseMetadata"}
    joined: dict[str, Any] = {name: [] for name in part.call.lists}
    for page in part.client.get_paginator(part.call.method).paginate(**parameters):
        for name in part.call.lists:
            joined[name] += page.get(name, [])
    return joined
