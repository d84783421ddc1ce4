"""Cases as data: definitions, rules, and what the checks and the access map say of them.

`tests/cases/corpus/README.md` explains the fields.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from kms_access.decisions.resolution import AccessState
from kms_access.inventory.model import Inventory
from kms_access.rules import Assessment, assess, load_rules
from kms_access.rules.findings import Finding
from kms_access.rules.model import Level
from kms_access.sources.cloudformation import load
from kms_access.sources.pulumi import read_stack
from tests.sources.pulumi import stack as pulumi

CASES = Path(__file__).parents[1] / "cases"
ACCOUNT, REGION = "111122223333", "eu-central-1"
RULES: Mapping[str, Any] = {
    "version": "1",
    "accounts": {"a": ACCOUNT},
    "deployers": ["role/deployer"],
}
STATES = {
    "allowed": AccessState.ALLOWED,
    "conditional": AccessState.CONDITIONAL,
    "undecided": AccessState.UNDECIDED,
    "delegated": AccessState.DELEGATED,
    "explicitly-denied": AccessState.EXPLICITLY_DENIED,
}
_FIELDS = {
    *("about", "statements", "key-policy", "key", "resources", "parameters", "conditions"),
    *("stacks", "pulumi", "rules", "same-as", "reports", "follows", "levels", "says", "access"),
    "exit",
}


@dataclass(frozen=True)
class Stack:
    """A template with the account that it is deployed to and the parameters given for it."""

    template: Mapping[str, Any]
    account: str = ACCOUNT
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """One definition with the answers that are right for it, independent of how it is read."""

    about: str
    stacks: Mapping[str, Stack]
    pulumi: tuple[Mapping[str, Any], ...]
    inventory: Inventory | None
    rules: Mapping[str, Any]
    same_as: str
    reports: tuple[frozenset[str], ...]
    follows: frozenset[str]
    levels: Mapping[str, Level]
    says: tuple[str, ...]
    access: tuple[Mapping[str, Any], ...]
    exit: int | None

    def assess(self, folder: Path, levels: Mapping[str, str] | None = None) -> Assessment:
        """Read the definitions and run every check; `levels` as in a rules file."""
        path = folder / "rules.yaml"
        given = {**self.rules, "checks": {**self.rules.get("checks", {}), **(levels or {})}}
        path.write_text(yaml.safe_dump(given, sort_keys=False), encoding="utf-8")
        return assess(self._read(folder), load_rules(path))

    def with_template(self, template: Mapping[str, Any]) -> Case:
        """The same case with another template in its only stack."""
        ((name, stack),) = self.stacks.items()
        return replace(self, stacks={name: replace(stack, template=template)})

    def _read(self, folder: Path) -> Inventory:
        if self.inventory is not None:
            return self.inventory
        if self.pulumi:
            return read_stack([pulumi.resource(**one) for one in self.pulumi], account=ACCOUNT)
        return load([write_assembly(self.stacks, folder)])


def write_assembly(stacks: Mapping[str, Stack], folder: Path) -> Path:
    """A cloud assembly of the stacks in a new folder below `folder`."""
    out = folder / "cdk.out"
    out.mkdir()
    artifacts = {}
    for name, stack in stacks.items():
        file = f"{name}.template.json"
        (out / file).write_text(json.dumps(stack.template), encoding="utf-8")
        artifacts[name] = {
            "type": "aws:cloudformation:stack",
            "environment": f"aws://{stack.account}/{REGION}",
            "properties": {"templateFile": file, "parameters": dict(stack.parameters)},
        }
    manifest = {"version": "55.0.0", "artifacts": artifacts}
    (out / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return out


def read_cases(file: Path) -> dict[str, Case]:
    """The cases of a file by their names."""
    data = yaml.safe_load(file.read_text(encoding="utf-8"))
    return {name: _case(name, given, file) for name, given in data["cases"].items()}


def fixture() -> dict[str, Any]:
    """The template that key policies are put into, anew with each call."""
    text = (CASES / "corpus" / "fixture.yaml").read_text(encoding="utf-8")
    template: dict[str, Any] = yaml.safe_load(text)
    return template


def _case(name: str, given: Mapping[str, Any], file: Path) -> Case:
    unknown = set(given) - _FIELDS
    assert not unknown, f"{name}: {unknown}"
    stacks = {"Corpus": Stack(_template(given))}
    if "stacks" in given:
        stacks = {stack: _stack(one, file) for stack, one in given["stacks"].items()}
    return Case(
        about=given["about"],
        stacks=stacks,
        pulumi=tuple(given.get("pulumi", ())),
        inventory=None,
        rules={**RULES, **given.get("rules", {})},
        same_as=given.get("same-as", ""),
        reports=tuple(
            frozenset([one] if isinstance(one, str) else one) for one in given.get("reports", ())
        ),
        follows=frozenset(given.get("follows", ())),
        levels={check: Level(level) for check, level in given.get("levels", {}).items()},
        says=tuple(given.get("says", ())),
        access=tuple(given.get("access", ())),
        exit=given.get("exit", 0),
    )


def _stack(given: Mapping[str, Any], file: Path) -> Stack:
    text = (file.parent / given["file"]).read_text(encoding="utf-8")
    return Stack(json.loads(text), given.get("account", ACCOUNT), given.get("parameters", {}))


def _template(given: Mapping[str, Any]) -> dict[str, Any]:
    template = fixture()
    template["Parameters"].update(given.get("parameters", {}))
    template["Conditions"].update(given.get("conditions", {}))
    template["Resources"].update(given.get("resources", {}))
    properties = template["Resources"]["K"]["Properties"]
    properties.update(given.get("key", {}))
    if "statements" in given:
        properties["KeyPolicy"] = {"Version": "2012-10-17", "Statement": given["statements"]}
    elif "key-policy" in given:
        properties["KeyPolicy"] = given["key-policy"]
    return template


def assert_checks(case: Case, assessment: Assessment) -> None:
    """Every check that must report does, at its level, and no check beyond them."""
    reported = {finding.check for finding in assessment.findings}
    missing = [sorted(one) for one in case.reports if not one & reported]
    beyond = reported - frozenset().union(case.follows, *case.reports)
    claims = [f"{f.check} ({f.level.value}): {f.claim}" for f in assessment.findings]
    assert (missing, sorted(beyond)) == ([], []), claims
    for check, level in case.levels.items():
        assert {f.level for f in assessment.findings if f.check == check} == {level}, claims
    for text in case.says:
        assert any(text in words(finding) for finding in assessment.findings), claims


def words(finding: Finding) -> str:
    """All that a finding says."""
    hops = (hop.text for hop in finding.proof.hops)
    texts = (finding.claim, finding.when, finding.rule, finding.fix)
    return "\n".join((*texts, *finding.details, *hops))


def assert_access(case: Case, assessment: Assessment) -> None:
    """Each listed subject can do what is listed and nothing else."""
    for expected in case.access:
        wanted = {
            action: STATES[state].value
            for state, actions in expected.items()
            if state in STATES
            for action in actions
        }
        assert set(expected) <= {*STATES, "who", "key"}, expected
        found = _states(assessment, expected["who"], expected.get("key"))
        denied = AccessState.EXPLICITLY_DENIED.value
        given = {a: s for a, s in found.items() if s != denied or a in wanted}
        assert given == wanted, (expected["who"], _difference(wanted, given))


def _states(assessment: Assessment, who: str, label: str | None) -> dict[str, str]:
    access_map = assessment.access_map
    keys = [key for key in access_map.keys if label is None or key.label == label]
    assert len(keys) == 1, (label, [key.label for key in access_map.keys])
    subjects = [subject for subject in access_map.subjects if subject.label == who]
    assert len(subjects) == 1 or (who == "everyone" and not subjects), who
    return {
        action: state.value
        for subject in subjects
        for action, state in access_map.states(subject, keys[0]).items()
    }


def _difference(wanted: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    default = AccessState.IMPLICITLY_DENIED.value
    return {
        action: f"{given.get(action, default)} instead of {wanted.get(action, default)}"
        for action in sorted({*wanted, *given})
        if wanted.get(action) != given.get(action)
    }


Fact = tuple[str, str, str, str, str, str]


def facts(findings: Iterable[Finding]) -> list[Fact]:
    """What tells findings apart, whatever the way in which a policy is written."""
    return sorted(
        (
            finding.check,
            finding.level.value,
            finding.principal_identity,
            finding.capability,
            finding.fingerprint,
            finding.claim.casefold(),
        )
        for finding in findings
    )
