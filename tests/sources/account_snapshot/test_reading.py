"""Snapshots in their layout: what an answer means, and every error with file and place."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from kms_access.inventory.model import Identity, Inventory
from kms_access.policies.answers import Truth
from kms_access.policies.document import PolicyDocument
from kms_access.policies.grammar import PERMISSIONS_BOUNDARY
from kms_access.policies.principals import PrincipalKind
from kms_access.sources.account_snapshot import is_snapshot, load_snapshot
from kms_access.sources.interface import SourceError
from tests.builders import ACCOUNT, OTHER, REGION, document, iam, role_arn, user_arn
from tests.sources.account_snapshot.folder import (
    DETAILS,
    HEADER,
    LEDGER,
    SERVICE,
    SHARED,
    files,
    key_arn,
    of_key,
    write,
)

KEYS, ALIASES = f"kms/{REGION}/list-keys.json", f"kms/{REGION}/list-aliases.json"


def read(folder: Path, change: Callable[[dict[str, Any]], Any] | None = None) -> Inventory:
    found = files()
    if change is not None:
        change(found)
    return load_snapshot(write(folder, found))


def named(inventory: Inventory, name: str) -> Identity:
    return next(one for one in inventory.identities if one.principal.name == name)


def actions(document: PolicyDocument) -> list[str]:
    """Which of these actions a document speaks of for sure."""
    asked = ("kms:Encrypt", "kms:Decrypt", "kms:Sign")
    return [a for a in asked for s in document.statements if s.reaches(a).truth is Truth.TRUE]


def test_the_whole_snapshot(tmp_path: Path) -> None:
    inventory = read(tmp_path)
    ledger, service = inventory.keys
    assert (ledger.arn, service.arn) == (key_arn(LEDGER), key_arn(SERVICE))
    assert (ledger.aliases, service.aliases) == (("alias/ledger",), ("alias/aws/s3",))
    assert (ledger.further_aliases, service.further_aliases) == (False, False)
    assert (ledger.manager, service.manager) == ("CUSTOMER", "AWS")
    assert (ledger.multi_region, service.multi_region) == (False, True)
    assert (ledger.account, ledger.region, ledger.partition) == (ACCOUNT, REGION, "aws")
    assert dict(ledger.tags) == {"team": "payments"}
    (grant,) = inventory.grants
    assert (grant.key_arn, grant.grantee) == (ledger.arn, role_arn("service/backup"))
    assert (grant.uncertain, grant.problems) == (None, ())
    api, dana = named(inventory, "api"), named(inventory, "dana")
    assert api.principal.kind is PrincipalKind.ROLE
    assert api.principal.path_and_name == "/service/api"
    assert [actions(policy.document) for policy in api.policies] == [
        ["kms:Encrypt"],
        ["kms:Decrypt"],
    ]
    assert dict(api.tags) == {"team": "payments"}
    assert len(api.trust) == 1
    assert dana.boundary[0].document.grammar is PERMISSIONS_BOUNDARY
    assert actions(dana.boundary[0].document) == ["kms:Decrypt"]
    assert [policy.label for policy in dana.policies] == ["inline policy View of group auditors"]
    assert [managed.arn for managed in inventory.managed_policies] == [SHARED]
    assert inventory.not_covered == ()


def test_definitions_have_a_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inventory = read(tmp_path)
    api = named(inventory, "api")
    assert api.origin.line is not None
    assert api.origin.file == f"{tmp_path.name}/{ACCOUNT}/{DETAILS}"
    line = (tmp_path / ACCOUNT / DETAILS).read_text().splitlines()[api.origin.line - 1]
    assert line.strip().startswith(f'"Arn": "{role_arn("service/api")}"')
    policy = f"{ACCOUNT}/{of_key(LEDGER, 'get-key-policy')}"
    assert inventory.keys[0].policies[0].origin.file == f"{tmp_path.name}/{policy}"
    monkeypatch.chdir(tmp_path)
    for folder in (tmp_path, Path(".")):
        assert load_snapshot(folder).keys[0].policies[0].origin.file == policy


@pytest.mark.parametrize(
    "write_document",
    [json.dumps, lambda policy: quote(json.dumps(policy)), lambda policy: policy],
    ids=["text", "percent-encoded", "object"],
)
def test_documents_as_tools_write_them(
    tmp_path: Path, write_document: Callable[[object], object]
) -> None:
    policy = document(iam("kms:Sign", Sid="Größe"), iam("kms:Encrypt"))

    def change(found: dict[str, Any]) -> None:
        role = found[DETAILS]["RoleDetailList"][0]
        role["RolePolicyList"][0]["PolicyDocument"] = write_document(policy)

    document_read = named(read(tmp_path, change), "api").policies[0].document
    assert actions(document_read) == ["kms:Encrypt", "kms:Sign"]


def test_managed_policies_that_the_answer_lacks(tmp_path: Path) -> None:
    admin, lost = "arn:aws:iam::aws:policy/AdministratorAccess", f"{SHARED}Lost"

    def change(found: dict[str, Any]) -> None:
        found[DETAILS]["RoleDetailList"][0]["AttachedManagedPolicies"] = [
            {"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn} for arn in (admin, lost)
        ]

    _, of_aws, unknown = named(read(tmp_path, change), "api").policies
    assert actions(of_aws.document) == ["kms:Encrypt", "kms:Decrypt", "kms:Sign"]
    assert unknown.document.unreadable is not None
    assert lost in unknown.document.unreadable.text


def test_what_aws_has_accepted_is_no_problem_and_stays_open(tmp_path: Path) -> None:
    def change(found: dict[str, Any]) -> None:
        grant = found[of_key(LEDGER, "list-grants")]["Grants"][0]
        grant["GranteePrincipal"] = "AROADELETEDROLE000000"
        policy = document(iam("kms:*") | {"Colour": "red"})
        found[DETAILS]["RoleDetailList"][0]["RolePolicyList"][0]["PolicyDocument"] = policy

    inventory = read(tmp_path, change)
    assert inventory.grants[0].problems == ()
    (statement,) = named(inventory, "api").policies[0].document.statements
    assert statement.uncertain is not None
    assert named(inventory, "api").policies[0].document.problems == ()


def test_a_key_that_went_while_the_snapshot_was_taken(tmp_path: Path) -> None:
    def change(found: dict[str, Any]) -> None:
        gone = {"Error": {"Code": "NotFoundException", "Message": "no such key"}}
        for name in ("describe-key", "get-key-policy", "list-grants", "list-resource-tags"):
            found[of_key(LEDGER, name)] = gone

    inventory = read(tmp_path, change)
    assert [key.arn for key in inventory.keys] == [key_arn(SERVICE)]
    assert [note.may_change_key_access for note in inventory.not_covered] == [False]


def test_several_accounts(tmp_path: Path) -> None:
    found = json.loads(json.dumps(files()).replace(ACCOUNT, OTHER))
    write(write(tmp_path), found, OTHER)
    inventory = load_snapshot(tmp_path)
    assert {key.account for key in inventory.keys} == {ACCOUNT, OTHER}
    assert len(inventory.identities) == 4


def test_what_is_a_snapshot(tmp_path: Path) -> None:
    assert not is_snapshot(tmp_path)
    assert not is_snapshot(tmp_path / "nothing")
    assert is_snapshot(write(tmp_path))


def _set(file: str, value: Any, *path: Any) -> Callable[[dict[str, Any]], None]:
    def change(found: dict[str, Any]) -> None:
        if not path:
            found[file] = value
            return
        node = found[file]
        for step in path[:-1]:
            node = node[step]
        if value is None:
            del node[path[-1]]
        else:
            node[path[-1]] = value

    return change


DESCRIBED = of_key(LEDGER, "describe-key")
ROLE = ("RoleDetailList", 0)
ERRORS: list[tuple[Callable[[dict[str, Any]], None], str, str]] = [
    (_set(DETAILS, None), DETAILS, "the snapshot lacks this file"),
    (_set(KEYS, None), KEYS, "the snapshot lacks this file"),
    (_set(ALIASES, None), ALIASES, "the snapshot lacks this file"),
    *(
        (_set(of_key(LEDGER, name), None), of_key(LEDGER, name), "the snapshot lacks this file")
        for name in ("describe-key", "get-key-policy", "list-grants", "list-resource-tags")
    ),
    (_set(HEADER, 2, "version"), f"{HEADER}:2:14", "accepted is 1"),
    (_set(HEADER, None, "version"), HEADER, "version null of a snapshot is not known"),
    (_set(HEADER, OTHER, "account"), f"{HEADER}:3:14", f'is of account "{OTHER}"'),
    (_set(HEADER, ["../x"], "regions"), f"{HEADER}:5:5", '"../x" is no Region'),
    (_set(HEADER, [REGION, "us-east-1"], "regions"), "us-east-1/list-keys.json", "lacks this file"),
    (
        _set(
            DETAILS,
            '{"UserDetailList": [',
        ),
        f"{DETAILS}:1:21",
        "no JSON",
    ),
    (_set(DETAILS, "[]"), DETAILS, "a list is no response, an object is expected"),
    (_set(DETAILS, '{"a": 1, "a": 2}'), f"{DETAILS}:1:7", '"a" stands here more than once'),
    (_set(DETAILS, None, "Policies"), DETAILS, 'there is no "Policies", a list is expected'),
    (_set(DETAILS, "x", *ROLE), DETAILS, '"x" stands where an object is expected'),
    (_set(DETAILS, role_arn("x", OTHER), *ROLE, "Arn"), DETAILS, "is of another account"),
    (_set(DETAILS, user_arn("x"), *ROLE, "Arn"), DETAILS, "is no ARN of a role"),
    (_set(DETAILS, None, *ROLE, "AssumeRolePolicyDocument"), DETAILS, "a string is expected"),
    (_set(DETAILS, [], "GroupDetailList"), DETAILS, 'lacks the group "auditors"'),
    (_set(DETAILS, "v9", "Policies", 0, "DefaultVersionId"), DETAILS, 'default version "v9"'),
    (
        _set(DETAILS, {"Error": {"Code": "AccessDenied", "Message": "no"}}),
        DETAILS,
        "GetAccountAuthorizationDetails answered AccessDenied",
    ),
    (_set(KEYS, f"{key_arn(LEDGER)}x", "Keys", 0, "KeyArn"), f"{KEYS}:5:17", "is not the ARN"),
    (_set(KEYS, "../x", "Keys", 0, "KeyId"), KEYS, "is not the ARN"),
    (_set(DESCRIBED, 7, "KeyMetadata"), f"{DESCRIBED}:2:18", "the number 7, an object is expected"),
    (_set(of_key(LEDGER, "list-grants"), {}), "list-grants.json", 'there is no "Grants"'),
    (_set(of_key(LEDGER, "get-key-policy"), {}), "get-key-policy.json", 'there is no "Policy"'),
]


@pytest.mark.parametrize(("change", "place", "message"), ERRORS, ids=range(len(ERRORS)))
def test_errors(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], place: str, message: str
) -> None:
    with pytest.raises(SourceError) as caught:
        read(tmp_path, change)
    text = str(caught.value)
    assert place in text
    assert message in text


def test_folders_that_are_none(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    other = write(tmp_path / "other", account="production")
    for folder, message in (
        (tmp_path / "nothing", "there is no such folder"),
        (file, "this is no folder"),
        (tmp_path, "no snapshot of an account"),
        (other, '"production" is no account id'),
    ):
        with pytest.raises(SourceError, match=message):
            load_snapshot(folder)
