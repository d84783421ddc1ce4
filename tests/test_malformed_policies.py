"""Every malformed policy of the case tables blocks `kms-access check`, with its rule named."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from kms_access import cli
from kms_access.decisions.request_json import answer, read_request
from tests.decisions.test_authorize_cases import cases

FORMS = [f"K{number}" for number in range(13, 40)]
WARNINGS_ONLY = {"K15", "K18", "K19", "K20", "K21", "K22", "K23", "K24", "K25", "K30", "K33"}
"""Not malformed: what these rules say is about meaning, or AWS accepts it."""
WITH_THE_PRINCIPAL = {"K37", "K38"}
"""Likely mistakes that depend on who calls; the policy itself is accepted."""


def malformed() -> Iterator[Any]:
    """Policies of the case tables that carry an error, with the rules that say so."""
    seen = set()
    for parameters in cases():
        case, request = parameters.values
        if case["rule"] == "K42":
            # An intrinsic function is no mistake where a template stands around it.
            continue
        for field, label in (("resourcePolicy", "resourcePolicy"), ("identityPolicies", "[0]")):
            policy = request.get(field)
            policy = policy[0] if isinstance(policy, list) and policy else policy
            if not policy or not str(request["action"]).startswith("kms:"):
                continue
            result = answer(read_request(json.dumps(request)))
            rules = {
                finding["rule"]
                for finding in result["findings"]
                if finding.get("policy", "").endswith(label) and finding["severity"] == "error"
            }
            text = json.dumps([field, policy], sort_keys=True)
            if rules and text not in seen:
                seen.add(text)
                yield pytest.param(field, policy, rules, id=f"{case['name']}: {field}")


MALFORMED = list(malformed())


@pytest.mark.parametrize(("field", "policy", "rules"), MALFORMED)
def test_a_malformed_policy_is_a_finding(
    field: str,
    policy: Mapping[str, Any] | str,
    rules: set[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    key: dict[str, Any] = {"Type": "AWS::KMS::Key", "Properties": {}}
    user: dict[str, Any] = {"Type": "AWS::IAM::User", "Properties": {"UserName": "alice"}}
    if field == "resourcePolicy":
        key["Properties"]["KeyPolicy"] = policy
    else:
        user["Properties"]["Policies"] = [{"PolicyName": "P", "PolicyDocument": policy}]
    template = tmp_path / "template.json"
    content = {"Resources": {"Key": key, "User": user}}
    template.write_text(json.dumps(content), encoding="utf-8")
    code = cli.main(["check", str(template)])
    out, err = capsys.readouterr()
    assert code in (1, 3), (code, out, err)
    assert "Traceback" not in err
    assert all(f"rule {rule}" in out or f"({rule})" in out for rule in rules), (rules, out)


def test_every_form_is_there() -> None:
    proven = {rule for parameters in MALFORMED for rule in parameters.values[2]}
    wanted = set(FORMS) - WARNINGS_ONLY - WITH_THE_PRINCIPAL
    assert wanted - proven == set()
