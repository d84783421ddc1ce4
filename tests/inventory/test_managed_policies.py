"""AWS managed policies against K185 and K187, and the vendored file against its package."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from datetime import date
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from kms_access.inventory.managed_policies import managed_policy, vendored_policies
from kms_access.policies.answers import Truth
from kms_access.policies.context import RequestContext
from kms_access.policies.document import Effect, PolicyDocument, Statement
from kms_access.policies.grammar import IDENTITY_POLICY, PERMISSIONS_BOUNDARY
from kms_access.policies.text import DIGIT, Unknown, Value, concat

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "generate_managed_policies.py"
DATA = json.loads(
    (ROOT / "kms_access" / "inventory" / "managed_policies.json").read_text(encoding="utf-8")
)
OF_DEPLOYMENT = Unknown("the partition of the deployment", "[a-z-]")
KEY = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def arn_of(name: str, partition: str | Unknown = "aws") -> Value:
    return concat(("arn:", partition, ":iam::aws:policy/", name))


def known(name: str, partition: str | Unknown = "aws") -> PolicyDocument:
    document = managed_policy(arn_of(name, partition))
    assert document is not None
    return document


def allowing(name: str, action: str, partition: str | Unknown = "aws") -> list[Statement]:
    return [
        statement
        for statement in known(name, partition).statements
        if statement.effects == {Effect.ALLOW}
        and statement.action is not None
        and statement.action.matches(action).truth is Truth.TRUE
    ]


def always_allow(action: str) -> set[str]:
    """The policies with a statement that allows the action on `*` without a condition."""
    return {
        name
        for name in DATA["policies"]
        for statement in allowing(name, action)
        if not statement.conditions
        and statement.resource is not None
        and [pattern.source for pattern in statement.resource.patterns] == ["*"]
        and not statement.resource.negated
    }


ADMINISTRATORS = {"AdministratorAccess", "PowerUserAccess", "AIDevOpsAgentActionsPolicy"}


class TestFacts:
    def test_extent_and_date_of_k185(self) -> None:
        found = vendored_policies()
        assert (found.count, found.count_with_kms) == (1582, 229)
        assert (found.newest_change, found.moto) == (date(2026, 9, 30), "5.2.5")
        assert len(DATA["policies"]) + len(DATA["without_kms"]) == found.count
        named = [name for name in DATA["policies"] if '"kms:' in json.dumps(DATA["policies"][name])]
        assert len(named) == 218

    @pytest.mark.parametrize(
        ("action", "others"),
        [
            (
                "kms:Decrypt",
                {
                    "AmazonCognitoUnAuthedIdentitiesSessionPolicy",
                    "AmazonSecurityLakePermissionsBoundary",
                },
            ),
            ("kms:PutKeyPolicy", set()),
            ("kms:ScheduleKeyDeletion", set()),
            ("kms:CreateGrant", {"AmazonMSKFullAccess"}),
        ],
    )
    def test_always_allowed_on_every_key_as_k187(self, action: str, others: set[str]) -> None:
        assert always_allow(action) == ADMINISTRATORS | others

    @pytest.mark.parametrize("name", ["PowerUserAccess", "AIDevOpsAgentActionsPolicy"])
    def test_k21_policies_that_reach_kms_by_not_action(self, name: str) -> None:
        (statement,) = allowing(name, "kms:Decrypt")
        assert statement.action is not None
        assert statement.action.negated
        assert "iam:*" in [pattern.source for pattern in statement.action.patterns]

    @pytest.mark.parametrize(
        "name", ["service-role/AWSLambdaBasicExecutionRole", "AmazonSQSFullAccess"]
    )
    @pytest.mark.parametrize("partition", ["aws", OF_DEPLOYMENT], ids=str)
    def test_a_policy_without_kms_is_known_to_give_nothing(
        self, name: str, partition: str | Unknown
    ) -> None:
        document = known(name, partition)
        assert (document.statements, document.problems, document.unreadable) == ((), (), None)

    def test_a_boundary_keeps_its_denies(self) -> None:
        document = known("AmazonSecurityLakePermissionsBoundary")
        denies = {s.index: s for s in document.statements if s.effects == {Effect.DENY}}
        assert set(denies) == {1, 4, 5, 6}
        answers = {
            action: denies[1].covers(action, KEY, RequestContext({})).truth
            for action in ("kms:PutKeyPolicy", "kms:Decrypt")
        }
        assert answers == {"kms:PutKeyPolicy": Truth.TRUE, "kms:Decrypt": Truth.FALSE}

    def test_statements_keep_their_place_in_the_policy_of_aws(self) -> None:
        (statement,) = known("ReadOnlyAccess").statements
        assert (statement.index, statement.sid) == (1, "ReadOnlyActionsGroup2")

    def test_a_document_is_of_the_grammar_that_is_asked_for(self) -> None:
        for grammar in (IDENTITY_POLICY, PERMISSIONS_BOUNDARY):
            for name in ("AdministratorAccess", "AmazonSQSFullAccess"):
                document = managed_policy(arn_of(name), grammar)
                assert document is not None
                assert document.grammar is grammar


class TestDocuments:
    @pytest.mark.parametrize("partition", ["aws", OF_DEPLOYMENT], ids=str)
    def test_every_document_is_read_without_errors(self, partition: str | Unknown) -> None:
        errors = {
            (name, problem.rule)
            for name in DATA["policies"]
            for problem in known(name, partition).errors
        }
        # Only AWS can attach it: it is of a service-linked role. K32 leaves the statement open.
        refused_by_k32 = "aws-service-role/AmazonTimestreamInfluxDBServiceRolePolicy"
        assert errors == {(refused_by_k32, "K32")}

    def test_no_document_is_unreadable_or_empty(self) -> None:
        for name in DATA["policies"]:
            document = known(name)
            assert document.unreadable is None
            assert document.statements, name
            assert all(statement.uncertain is None for statement in document.statements), name

    def test_an_unknown_partition_leaves_open_what_is_given(self) -> None:
        (statement,) = allowing("AmazonMSKFullAccess", "kms:CreateGrant", OF_DEPLOYMENT)
        assert statement.uncertain is not None
        assert statement.uncertain.text == (
            'whether "AmazonMSKFullAccess" of <the partition of the deployment>'
            ' is the same as that of "aws"'
        )
        answer = statement.covers("kms:CreateGrant", KEY, RequestContext({}))
        assert answer.truth is Truth.UNKNOWN
        assert allowing("AmazonMSKFullAccess", "kms:Decrypt", OF_DEPLOYMENT) == []

    def test_arns_in_a_policy_are_of_the_partition_of_the_policy(self) -> None:
        name = next(n for n, p in DATA["policies"].items() if '"arn:aws:kms:' in json.dumps(p))
        sources = [
            pattern.source
            for statement in known(name, OF_DEPLOYMENT).statements
            if statement.resource is not None
            for pattern in statement.resource.patterns
        ]
        assert sources
        assert not [source for source in sources if str(source).startswith("arn:aws:")]
        assert [source for source in sources if "<the partition of the d" in str(source)]


class TestUnknownPolicies:
    @pytest.mark.parametrize(
        "arn",
        [
            arn_of("NewerThanTheData"),
            arn_of("AWSLambdaBasicExecutionRole"),
            arn_of("administratoraccess"),
            arn_of("AdministratorAccess", "aws-cn"),
            arn_of("AmazonSQSFullAccess", "aws-us-gov"),
            arn_of("AdministratorAccess", Unknown("a China partition", shape="aws-cn")),
            concat(("arn:aws-", Unknown("a suffix"), ":iam::aws:policy/AdministratorAccess")),
            concat(("arn:aws:iam::aws:policy/", Unknown("a name"))),
            concat(("arn:aws:iam::", Unknown("an account", DIGIT), ":policy/AdministratorAccess")),
            concat((Unknown("an ARN"),)),
            "arn:aws:iam::111122223333:policy/AdministratorAccess",
            "arn:aws:iam::aws:role/AdministratorAccess",
            "arn:aws:iam:eu-central-1:aws:policy/AdministratorAccess",
            "arn:aws:kms::aws:policy/AdministratorAccess",
            "AdministratorAccess",
            "",
        ],
        ids=str,
    )
    def test_content_is_not_known(self, arn: Value) -> None:
        assert managed_policy(arn) is None


def _table(*statements: Any, **more: Any) -> dict[str, Any]:
    document = {"Version": "2012-10-17", "Statement": list(statements), **more}
    entry = {"DefaultVersionId": "v3", "Document": document, "Path": "/service-role/"}
    return {"P": {**entry, "UpdateDate": "2026-01-02T03:04:05+00:00"}}


def _allow(**elements: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "kms:*", "Resource": "*", **elements}


def _but(action: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "NotAction": action, "Resource": "*"}


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_managed_policies", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class TestReduction:
    @pytest.mark.parametrize(
        ("written", "kept"),
        [
            (_allow(), _allow()),
            (_allow(Action=["s3:*", "KMS:Decrypt"]), _allow(Action="KMS:Decrypt")),
            (_allow(Action=["*:Get*", "k?s:x", "iam:*"]), _allow(Action=["*:Get*", "k?s:x"])),
            (_allow(Action="kms:NewerAction"), _allow(Action="kms:NewerAction")),
            (_allow(Action=["s3:*", "kmsx:Decrypt", "km:*"]), None),
            (
                _allow(Resource=["arn:aws:s3:::a", "arn:*:k*:*:*:key/*"]),
                _allow(Resource="arn:*:k*:*:*:key/*"),
            ),
            (_allow(Resource="arn:*:s3:::*"), None),
            (_allow(Resource="arn:aws*"), _allow(Resource="arn:aws*")),
            (_allow(Resource="arn:${a:b}:kms:*:*:*"), _allow(Resource="arn:${a:b}:kms:*:*:*")),
            (_but(["s3:*", "kms:Decrypt"]), _but(["s3:*", "kms:Decrypt"])),
            (_but(["s3:*", "kms:*"]), None),
            (_but("*"), None),
            (_but("kms:?*"), _but("kms:?*")),
            (
                {"Effect": "Deny", "Action": ["s3:*", "*"], "NotResource": ["arn:aws:kms:*"]},
                {"Effect": "Deny", "Action": "*", "NotResource": ["arn:aws:kms:*"]},
            ),
            (_allow(Sid="S", Condition={"Bool": {}}), _allow(Sid="S", Condition={"Bool": {}})),
        ],
    )
    def test_what_can_match_kms_is_kept(self, script: ModuleType, written: Any, kept: Any) -> None:
        extract = script.build(_table({**_allow(), "Action": "s3:*"}, written))
        if kept is None:
            assert extract == script.Extract({}, ["service-role/P"])
        else:
            entry = {"version": "v3", "statements": {"1": kept}}
            assert extract == script.Extract({"service-role/P": entry}, [])

    def test_a_single_statement_needs_no_list(self, script: ModuleType) -> None:
        extract = script.build(_table(Statement=_allow()))
        assert extract.policies["service-role/P"]["statements"] == {"0": _allow()}

    @pytest.mark.parametrize(
        ("table", "message"),
        [
            (_table(Version="2008-10-17"), '"service-role/P" has the Version "2008-10-17"'),
            (_table(_allow(Principal="*")), '"service-role/P" has a statement with Principal'),
        ],
    )
    def test_a_form_that_has_not_been_seen_is_refused(
        self, script: ModuleType, table: Any, message: str
    ) -> None:
        with pytest.raises(script.TableError, match=message) as caught:
            script.build(table)
        assert caught.value.help


class TestScript:
    """The command, over a small table in place of moto's."""

    @pytest.fixture
    def command(
        self, script: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> Callable[..., int]:
        monkeypatch.setattr(script, "installed_version", lambda: "5.2.5")
        monkeypatch.setattr(script, "read_table", lambda: _table(_allow()))
        return lambda *arguments: int(script.main(list(arguments), tmp_path / "data.json"))

    def test_writes_sources_policies_and_the_same_bytes_twice(
        self, command: Callable[..., int], tmp_path: Path
    ) -> None:
        written = []
        for _ in range(2):
            assert command() == 0
            written.append((tmp_path / "data.json").read_bytes())
        assert written[0] == written[1]
        assert json.loads(written[0]) == {
            "generated_by": "scripts/generate_managed_policies.py",
            "sources": {"moto": "5.2.5", "newest_change": "2026-01-02"},
            "number_of_policies": 1,
            "policies": {"service-role/P": {"version": "v3", "statements": {"0": _allow()}}},
            "without_kms": [],
        }

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            (lambda text: text, 0),
            (lambda text: text.replace('"moto": "5.2.5"', '"moto": "5.2.4"'), 0),
            (lambda text: text.replace("2026-01-02", "2026-01-01"), 1),
            (lambda text: text.replace('"number_of_policies": 1', '"number_of_policies": 2'), 1),
            (lambda text: text.replace("kms:*", "kms:Decrypt"), 1),
            (lambda text: text.replace("\n", "\r\n"), 1),
            (lambda text: "", 1),
            (lambda text: "[]", 1),
        ],
    )
    def test_check_finds_changed_facts_and_writes_nothing(
        self, command: Callable[..., int], tmp_path: Path, change: Callable[[str], str], code: int
    ) -> None:
        assert command() == 0
        changed = change((tmp_path / "data.json").read_text(encoding="utf-8")).encode()
        (tmp_path / "data.json").write_bytes(changed)
        assert command("--check") == code
        assert (tmp_path / "data.json").read_bytes() == changed

    def test_check_finds_a_missing_file(self, command: Callable[..., int], tmp_path: Path) -> None:
        assert command("--check") == 1
        assert not (tmp_path / "data.json").exists()

    def test_a_missing_package_is_named_and_nothing_written(
        self,
        script: ModuleType,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setattr(script, "PACKAGE", "no-such-package")
        assert script.main([], tmp_path / "data.json") == 2
        assert not (tmp_path / "data.json").exists()
        assert capsys.readouterr().err.startswith(
            'error: package "no-such-package" is not installed\nhelp: '
        )


def test_the_file_is_what_the_script_makes_of_moto(
    script: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded = vendored_policies().moto
    try:
        installed = metadata.version("moto")
    except metadata.PackageNotFoundError:
        pytest.skip(f"moto {recorded}, the source of the file, is not installed")
    if installed != recorded:
        pytest.skip(f"the file is made from moto {recorded}, installed is {installed}")
    assert script.main(["--check"]) == 0, capsys.readouterr().err
