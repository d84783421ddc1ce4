"""`kms-access snapshot` against a moto server over HTTP."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from kms_access import cli
from kms_access.decisions.access_map import access_map
from kms_access.decisions.lookup import find_key, find_subject
from kms_access.inventory.model import Identity, Inventory, Key
from kms_access.policies.document import Effect
from kms_access.sources.account_snapshot import load_snapshot
from kms_access.sources.interface import SourceError
from tests.account_snapshot.account import AWAY, HOME, Account
from tests.account_snapshot.aws import Aws

PER_KEY = ("DescribeKey", "GetKeyPolicy", "ListGrants", "ListResourceTags")


def snapshot(folder: Path, *more: str) -> int:
    regions = [] if "--region" in more else ["--region", HOME, "--region", AWAY]
    return cli.main(["snapshot", "--output", str(folder), *regions, *more])


def identity(inventory: Inventory, name: str) -> Identity:
    return next(one for one in inventory.identities if one.principal.name == name)


def key(inventory: Inventory, key_id: str) -> Key:
    return next(one for one in inventory.keys if str(one.arn).endswith(key_id))


def state(inventory: Inventory, who: str, action: str, key_name: str) -> str:
    facts = access_map(inventory)
    subject, found = find_subject(facts, who), find_key(facts, key_name)
    return facts.evaluator.access(subject, found, action).state.value


def test_the_inventory_is_that_of_the_account(account: Account, tmp_path: Path) -> None:
    assert snapshot(tmp_path) == 0
    inventory = load_snapshot(tmp_path)

    assert {str(k.arn) for k in inventory.keys} == {
        f"arn:aws:kms:{HOME}:{account.id}:key/{account.ledger}",
        f"arn:aws:kms:{HOME}:{account.id}:key/{account.signing}",
        f"arn:aws:kms:{AWAY}:{account.id}:key/{account.away}",
    }
    ledger = key(inventory, account.ledger)
    assert ledger.aliases == ("alias/ledger",)
    assert ledger.tags == {"team": "payments"}
    assert ledger.description == "the ledger"
    assert (ledger.spec, ledger.usage) == ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")
    assert (ledger.manager, ledger.state, ledger.multi_region) == ("CUSTOMER", "Enabled", False)
    signing = key(inventory, account.signing)
    assert (signing.spec, signing.usage) == ("ECC_NIST_P256", "SIGN_VERIFY")
    (grant,) = inventory.grants
    assert (grant.key_arn, grant.operations) == (ledger.arn, ("Decrypt",))
    assert grant.constraints.encryption_context_equals == {"table": "ledger"}
    assert (grant.uncertain, grant.problems) == (None, ())

    api, backup, dana = (identity(inventory, name) for name in ("api", "backup", "dana"))
    assert [p.label for p in api.policies] == ["inline policy Use", "managed policy Shared"]
    assert [p.label for p in api.boundary] == ["permissions boundary Shared"]
    assert api.trust[0].document.statements[0].effects == {Effect.ALLOW}
    assert (backup.tags, backup.principal.path_and_name) == ({"team": "ops"}, "/service/backup")
    assert [p.label for p in dana.policies] == ["inline policy View of group auditors"]
    assert not inventory.not_covered
    # The default version of the policy decides, not the newest.
    assert state(inventory, "role api", "kms:Decrypt", "alias/ledger") == "allowed"
    assert state(inventory, "role api", "kms:DescribeKey", "alias/ledger") == "denied by default"
    assert state(inventory, "user dana", "kms:DescribeKey", "alias/ledger") == "allowed"
    backup_state = state(inventory, "role backup", "kms:Decrypt", "alias/ledger")
    assert backup_state == "allowed under a condition"


def test_all_enabled_regions_are_asked_without_region(
    account: Account, aws: Aws, tmp_path: Path
) -> None:
    enabled = boto3.client("ec2", region_name=HOME).describe_regions()["Regions"]
    assert cli.main(["snapshot", "--output", str(tmp_path)]) == 0
    header = json.loads((tmp_path / account.id / "snapshot.json").read_text())
    assert set(header["regions"]) == {region["RegionName"] for region in enabled}
    assert aws.asked["ListKeys"] == len(enabled) > 10


def test_pages_are_joined(account: Account, aws: Aws, tmp_path: Path) -> None:
    kms, iam = boto3.client("kms", region_name=HOME), boto3.client("iam")
    for number in range(5):
        grantee = f"arn:aws:iam::11112222333{number}:root"
        kms.create_grant(KeyId=account.ledger, GranteePrincipal=grantee, Operations=["Decrypt"])
        kms.create_alias(AliasName=f"alias/number-{number}", TargetKeyId=account.ledger)
        kms.tag_resource(KeyId=account.ledger, Tags=[{"TagKey": f"{number}", "TagValue": "x"}])
        iam.create_user(UserName=f"user-{number}")
    aws.asked.clear()
    aws.page = 2
    assert snapshot(tmp_path, "--region", HOME) == 0
    inventory = load_snapshot(tmp_path)
    ledger = key(inventory, account.ledger)
    assert (len(inventory.keys), len(ledger.aliases), len(ledger.tags)) == (2, 6, 6)
    assert len(inventory.grants) == 6
    assert len(inventory.identities) == 8
    assert aws.asked["ListGrants"] == 3 + 1
    assert aws.asked["ListResourceTags"] == 3 + 1
    assert aws.asked["GetAccountAuthorizationDetails"] == 2


def test_what_a_stopped_run_has_finished_is_not_asked_again(
    account: Account, aws: Aws, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.refuse["ListGrants", account.signing] = "KMSInternalExceptionOfTheTest"
    assert snapshot(tmp_path) == 2
    error = capsys.readouterr().err
    assert "ListGrants" in error
    assert account.signing in error
    assert "run the same command again" in error
    assert "Traceback" not in error
    with pytest.raises(SourceError, match="the snapshot lacks this file"):
        load_snapshot(tmp_path)
    finished = {file: file.read_bytes() for file in tmp_path.rglob("*.json")}

    aws.refuse.clear()
    aws.asked.clear()
    assert snapshot(tmp_path) == 0
    asked = sum(aws.asked[name] for name in PER_KEY)
    have = [file for file in finished if file.parent.parent.name == "keys"]
    assert asked == 3 * len(PER_KEY) - len(have)
    assert aws.asked["ListKeys"] == aws.asked["GetAccountAuthorizationDetails"] == 0
    for file, text in finished.items():
        if file.name != "snapshot.json":
            assert file.read_bytes() == text
    assert len(load_snapshot(tmp_path).keys) == 3


def test_a_partly_written_file_never_counts(
    account: Account, aws: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def torn(descriptor: int) -> None:
        raise OSError(28, "No space left on device", "list-keys.json")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", torn)
        assert snapshot(tmp_path) == 2
    assert not list(tmp_path.rglob("*.json")) or all(
        file.name.startswith(".") for file in tmp_path.rglob("*.json")
    )
    assert [file.name for file in tmp_path.rglob("*.part")] == [".snapshot.json.part"]
    assert snapshot(tmp_path) == 0
    assert not list(tmp_path.rglob("*.part"))
    assert len(load_snapshot(tmp_path).keys) == 3


def test_a_complete_snapshot_is_not_taken_for_a_new_one(
    account: Account, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert snapshot(tmp_path, "--region", HOME) == 0
    assert snapshot(tmp_path, "--region", HOME) == 2
    assert "remove the folder to collect the account anew" in capsys.readouterr().err
    assert snapshot(tmp_path, "--region", AWAY) == 0
    assert len(load_snapshot(tmp_path).keys) == 3


def test_throttled_requests_are_repeated(account: Account, aws: Aws, tmp_path: Path) -> None:
    throttled = ("GetKeyPolicy", account.ledger)
    aws.refuse[throttled], aws.times[throttled] = "ThrottlingException", 2
    assert snapshot(tmp_path) == 0
    assert aws.times[throttled] == 0
    assert aws.asked["GetKeyPolicy"] == 3 + 2
    policy = key(load_snapshot(tmp_path), account.ledger).policies[0]
    assert policy.document.unreadable is None


@pytest.mark.parametrize(
    ("call", "open_actions"),
    [
        ("GetKeyPolicy", ("kms:Decrypt", "kms:PutKeyPolicy")),
        ("ListGrants", ("kms:Encrypt", "kms:Verify")),
    ],
)
def test_what_a_key_does_not_tell_stays_undecided(
    call: str,
    open_actions: tuple[str, ...],
    account: Account,
    aws: Aws,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    aws.refuse[call, account.ledger] = "AccessDeniedException"
    assert snapshot(tmp_path) == 0
    error = capsys.readouterr().err
    assert f"{call} for key {account.ledger} in {HOME} answered AccessDeniedException" in error
    inventory = load_snapshot(tmp_path)
    assert len(inventory.keys) == 3
    for action in open_actions[:1]:
        assert state(inventory, "user dana", action, "alias/ledger") == "undecided"
    signing = key(inventory, account.signing)
    assert state(inventory, "user dana", "kms:Sign", str(signing.arn)) == "denied by default"


@pytest.mark.parametrize(
    ("call", "part", "words"),
    [
        ("DescribeKey", "ledger", "spec, usage and manager of key"),
        ("ListResourceTags", "ledger", "the tags of key"),
        ("ListKeys", "", "the keys of account"),
    ],
)
def test_what_is_refused_besides_policies_blocks(
    call: str, part: str, words: str, account: Account, aws: Aws, tmp_path: Path
) -> None:
    aws.refuse[call, getattr(account, part) if part else ""] = "AccessDeniedException"
    assert snapshot(tmp_path, "--region", HOME) == 0
    notes = load_snapshot(tmp_path).not_covered
    assert [words in note.reason for note in notes] == [True]
    assert notes[0].may_change_key_access


def test_refused_aliases_are_not_taken_for_none(account: Account, aws: Aws, tmp_path: Path) -> None:
    aws.refuse["ListAliases", ""] = "AccessDeniedException"
    assert snapshot(tmp_path, "--region", HOME) == 0
    for found in load_snapshot(tmp_path).keys:
        assert [isinstance(alias, str) for alias in found.aliases] == [False]
        assert found.further_aliases


@pytest.mark.parametrize(
    ("call", "code", "help"),
    [
        ("GetCallerIdentity", "ExpiredToken", "renew the credentials"),
        ("GetAccountAuthorizationDetails", "AccessDenied", "SecurityAudit"),
    ],
)
def test_without_these_nothing_can_be_said(
    call: str,
    code: str,
    help: str,
    aws: Aws,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    aws.refuse[call, ""] = code
    assert snapshot(tmp_path) == 2
    error = capsys.readouterr().err
    assert call in error
    assert code in error
    assert help in error


def test_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    file.write_text("")
    for arguments, words in (
        (["--output", str(file)], "is no folder"),
        (["--output", str(tmp_path), "--region", "Frankfurt"], '"Frankfurt" is no Region'),
    ):
        assert cli.main(["snapshot", *arguments]) == 2
        assert words in capsys.readouterr().err


def test_the_extra_is_named_where_boto3_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def nothing(name: str, package: Any = None) -> None:
        return None

    monkeypatch.setattr("kms_access.cli.snapshot.find_spec", nothing)
    assert cli.main(["snapshot", "--output", str(tmp_path)]) == 2
    assert "pip install kms-access[snapshot]" in capsys.readouterr().err
