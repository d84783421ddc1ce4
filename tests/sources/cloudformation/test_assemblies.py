"""Assemblies that the real CDK wrote, without feature flags and with those of `cdk init`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kms_access.inventory.model import Identity, Inventory, Key
from kms_access.policies.text import Text
from kms_access.sources.cloudformation import load
from tests.sources.cloudformation.definitions import (
    actions,
    allowed,
    blocking,
    labels,
    named,
    principals,
)

ASSEMBLIES = Path(__file__).parent / "assemblies"
BOTH = ("ledger", "ledger-init")
LEDGER_KEY = "arn:aws:kms:eu-central-1:111122223333:key/<the id of key Ledger/Key961B73FD>"
REMOTE_KEY = "arn:aws:kms:us-east-1:111122223333:key/<the id of key Remote/Key961B73FD>"
NESTED = "Reader/NestedNestedStackNestedNestedStackResourceDEFDAA4D"
INNER_KEY = f"arn:aws:kms:eu-central-1:111122223333:key/<the id of key {NESTED}/InnerKeyAAF5645E>"


@pytest.fixture(params=BOTH)
def ledger(request: pytest.FixtureRequest) -> Inventory:
    return load([ASSEMBLIES / request.param])


def identity_at(inventory: Inventory, stack: str, label: str) -> Identity:
    found = [
        i for i in inventory.identities if (i.origin.container, i.origin.label) == (stack, label)
    ]
    assert len(found) == 1
    return found[0]


def key_at(inventory: Inventory, stack: str, label: str = "Key") -> Key:
    found = [k for k in inventory.keys if (k.origin.container, k.origin.label) == (stack, label)]
    assert len(found) == 1
    return found[0]


def test_roles_of_the_same_and_of_another_stack_are_recognised(ledger: Inventory) -> None:
    found = key_at(ledger, "Ledger").policies[0].document
    for stack, label in (("Ledger", "Writer"), ("Ledger", "Named"), ("Billing", "Api")):
        assert named(found, identity_at(ledger, stack, label))
    assert not named(found, identity_at(ledger, "Reader", "Role"))


def test_identity_policies_name_keys_of_every_stack(ledger: Inventory) -> None:
    role = identity_at(ledger, "Reader", "Role")
    assert allowed(role.policies) == {
        ("kms:Decrypt", LEDGER_KEY),
        ("kms:Decrypt", INNER_KEY),
        ("kms:DescribeKey", LEDGER_KEY),
        ("kms:Verify", REMOTE_KEY),
    }
    assert labels(role.boundary) == ["permissions boundary Limit"]
    inner = identity_at(ledger, "Reader", "Nested/Inner")
    assert allowed(inner.policies) == {("kms:Decrypt", LEDGER_KEY)}


def test_a_user_has_the_policies_of_its_groups(ledger: Inventory) -> None:
    alice = identity_at(ledger, "Reader", "Alice")
    encrypt = {("kms:Encrypt", LEDGER_KEY)} | {
        (f"kms:{name}*", LEDGER_KEY) for name in ("ReEncrypt", "GenerateDataKey")
    }
    reading = {(f"kms:{name}*", "*") for name in ("Describe", "Get", "List")}
    assert allowed(alice.policies) == encrypt | {("kms:DescribeKey", LEDGER_KEY)} | reading
    (of_aws,) = [p for p in alice.policies if allowed((p,)) == reading]
    assert of_aws.label == "managed policy arn:aws:iam::aws:policy/ReadOnlyAccess"
    imported = identity_at(ledger, "Reader", "existing")
    assert (imported.complete, allowed(imported.policies)) == (False, encrypt)


def test_a_stage_without_environment_has_unknown_parts(ledger: Inventory) -> None:
    found = key_at(ledger, "Prod-Ledger")
    assert isinstance(found.account, Text)
    assert str(found.arn).startswith("arn:aws:kms:<the Region of the")
    assert found.arn != key_at(ledger, "Ledger").arn
    writer = identity_at(ledger, "Prod-Ledger", "Writer")
    assert named(found.policies[0].document, writer)
    assert not named(found.policies[0].document, identity_at(ledger, "Ledger", "Writer"))
    assert allowed(writer.policies) == {
        (action, str(found.arn)) for action, _ in allowed(writer.policies)
    }


def test_aliases_tags_and_deployers_are_read(ledger: Inventory) -> None:
    found = key_at(ledger, "Ledger")
    assert (found.aliases, found.tags) == (("alias/ledger",), {"team": "ledger"})
    assert found.deployers == (
        "arn:aws:iam::111122223333:role/cdk-hnb659fds-cfn-exec-role-111122223333-eu-central-1",
    )
    assert identity_at(ledger, "Billing", "Api").tags == {"team": "billing"}


def test_an_empty_policy_document_is_the_default_policy(ledger: Inventory) -> None:
    (policy,) = key_at(ledger, "Remote").policies
    assert policy.label == "default key policy"


def test_nothing_of_it_is_left_out_but_the_partition_of_a_stage(ledger: Inventory) -> None:
    (note,) = ledger.not_covered
    assert (note.origin.identity, note.may_change_key_access) == ("Prod-Ledger", False)
    assert note.reason.endswith('is taken to be "aws", as that of the other stacks is')


def test_flags_make_no_difference_to_access() -> None:
    def access(name: str) -> dict[str, object]:
        inventory = load([ASSEMBLIES / name])
        facts: dict[str, object] = {}
        for key in inventory.keys:
            facts[str(key.origin)] = {
                (action, who)
                for statement in key.policies[0].document.statements
                for action in actions(statement)
                for who in principals(statement)
            }
        for found in inventory.identities:
            if "CrossRegionExport" not in found.label:
                facts[str(found.origin)] = (str(found.principal.arn), allowed(found.policies))
        return facts

    assert access("ledger") == access("ledger-init")


def test_keys_and_roles_of_two_accounts() -> None:
    inventory = load([ASSEMBLIES / "accounts-init"])
    partner = identity_at(inventory, "Partner", "Role")
    assert partner.principal.arn == "arn:aws:iam::444455556666:role/partner"
    key = key_at(inventory, "Keys")
    assert allowed(partner.policies) == {("kms:Decrypt", str(key.arn))}
    (grant,) = inventory.grants
    assert (grant.key_arn, grant.grantee) == (key.arn, partner.principal.arn)
    assert (grant.operations, grant.uncertain) == (("Decrypt",), None)
    assert blocking(inventory) == {}


def in_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, assembly: str, program: str
) -> Path:
    """A copy of a stored assembly in a working directory, as if `program` had been run there."""
    folder = tmp_path / "cdk.out"
    shutil.copytree(ASSEMBLIES / assembly, folder)
    for file in folder.rglob("*.metadata.json"):
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("/project/synthesize.py", program), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return Path("cdk.out")


@pytest.mark.parametrize("assembly", BOTH)
def test_positions_are_those_of_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, assembly: str
) -> None:
    folder = in_project(tmp_path, monkeypatch, assembly, f"{tmp_path}/infra/app.py")
    source = (Path(__file__).parent / "synthesize.py").read_text(encoding="utf-8").splitlines()
    inventory = load([folder])
    for stack, label, call in (
        ("Ledger", "Key", "kms.Key("),
        ("Ledger", "Writer", "iam.Role("),
        ("Reader", "Nested/Inner", "iam.Role(nested"),
    ):
        origins = [key.origin for key in inventory.keys]
        origins += [found.origin for found in inventory.identities]
        (origin,) = [o for o in origins if (o.container, o.label) == (stack, label)]
        assert origin.file == "infra/app.py"
        assert origin.line is not None
        assert call in source[origin.line - 1]


@pytest.mark.parametrize("program", ["/elsewhere/app.py", "site-packages/library.py"])
@pytest.mark.parametrize("assembly", BOTH)
def test_frames_outside_the_project_are_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, assembly: str
) -> None:
    folder = in_project(tmp_path, monkeypatch, assembly, program)
    template = folder / "Ledger.template.json"
    origin = key_at(load([folder]), "Ledger").origin
    assert origin.file == "cdk.out/Ledger.template.json"
    assert origin.line is not None
    assert '"Key961B73FD": {' in template.read_text(encoding="utf-8").splitlines()[origin.line - 1]


def test_no_absolute_path_is_shown_for_an_assembly_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(ASSEMBLIES / "ledger", tmp_path / "cdk.out")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    inventory = load([tmp_path / "cdk.out"])
    assert key_at(inventory, "Ledger").origin.file == "cdk.out/Ledger.template.json"
