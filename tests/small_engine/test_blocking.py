"""What a policy pack stops, and which levels it has."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.small_engine import Engine
from tests.small_engine.testbed import (
    CHAIN,
    STACK,
    judge,
    names,
    state_resources,
    write_pack,
    write_program,
)


def test_mandatory_resource_policy_refuses_in_update_before_creation(tmp_path: Path) -> None:
    program = write_program(tmp_path / "program", CHAIN)
    pack = judge(tmp_path / "pack", one="MANDATORY", stack="ADVISORY")
    outcome = Engine(program=program, policy_pack=pack).up(skip_preview=True)
    assert outcome.exit_code == 1
    assert names(outcome.created) == ["first"]
    assert "last" not in names(outcome.registered)
    assert outcome.error == ""
    assert [(item.policy, item.phase) for item in outcome.diagnostics] == [("one", "resource")]
    assert STACK + "aws:iam/user:User::first" in state_resources(outcome)
    assert STACK + "aws:iam/user:User::bad" not in state_resources(outcome)


def test_nothing_is_accepted_after_a_refusal(tmp_path: Path) -> None:
    source = """
        import pulumi_aws as aws
        aws.iam.User("bad")
        for index in range(30):
            aws.iam.User(f"free-{index}")
    """
    program = write_program(tmp_path / "program", source)
    pack = judge(tmp_path / "pack", one="MANDATORY")
    outcome = Engine(program=program, policy_pack=pack).up(skip_preview=True)
    assert outcome.exit_code == 1
    assert names(outcome.registered)[-1] == "bad"
    assert "bad" not in names(outcome.created)


def test_mandatory_resource_policy_at_preview_still_sees_the_whole_stack(tmp_path: Path) -> None:
    program = write_program(tmp_path / "program", CHAIN)
    pack = judge(tmp_path / "pack", one="MANDATORY", stack="ADVISORY")
    outcome = Engine(program=program, policy_pack=pack).up()
    assert outcome.exit_code == 1
    assert outcome.error == ""
    assert outcome.created == ()
    assert names(outcome.registered)[-1] == "last"
    bad = STACK + "aws:iam/user:User::bad"
    assert [(d.policy, d.level, d.urn, d.phase, d.message) for d in outcome.diagnostics] == [
        ("one", "mandatory", bad, "resource", "each alone\nrefused"),
        ("all-together", "advisory", bad, "stack", "the stack\nlimit 7.0"),
    ]


def test_mandatory_stack_policy_blocks_a_preview_but_fails_an_update_too_late(
    tmp_path: Path,
) -> None:
    program = write_program(tmp_path / "program", CHAIN)
    pack = judge(tmp_path / "pack", stack="MANDATORY")
    engine = Engine(program=program, policy_pack=pack)
    preview = engine.up()
    assert (preview.exit_code, preview.created) == (1, ())
    update = engine.up(skip_preview=True)
    assert update.exit_code == 1
    assert update.error == ""
    assert names(update.created) == ["first", "bad", "last"]
    assert STACK + "aws:iam/user:User::last" in state_resources(update)
    assert [item.level for item in update.diagnostics] == ["mandatory"]


@pytest.mark.parametrize(
    ("config", "exit_code", "levels"),
    [
        ({}, 1, ["mandatory", "mandatory"]),
        ({"all": "disabled"}, 0, []),
        ({"all": "disabled", "one": "advisory"}, 0, ["advisory"]),
        (
            {"one": "disabled", "all-together": {"enforcementLevel": "advisory", "limit": 3}},
            0,
            ["advisory"],
        ),
    ],
)
def test_policy_levels_follow_the_configuration(
    tmp_path: Path, config: dict[str, object], exit_code: int, levels: list[str]
) -> None:
    program = write_program(tmp_path / "program", CHAIN)
    pack = judge(tmp_path / "pack", one="MANDATORY", stack="MANDATORY")
    outcome = Engine(program=program, policy_pack=pack, policy_config=config).preview()
    assert outcome.error == ""
    assert outcome.exit_code == exit_code
    assert [item.level for item in outcome.diagnostics] == levels
    if "all-together" in config:
        assert outcome.diagnostics[0].message == "the stack\nlimit 3.0"


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"all-together": {"limit": "many"}}, "validating policy config: all-together: limit"),
        ({"one": "loud"}, '"loud" is not a valid enforcement level'),
        ({"unheard-of": {"limit": 1}}, 'invalid enforcement level ""'),
    ],
)
def test_wrong_policy_configuration_stops_the_run(
    tmp_path: Path, config: dict[str, object], text: str
) -> None:
    program = write_program(tmp_path / "program", CHAIN)
    outcome = Engine(
        program=program, policy_pack=judge(tmp_path / "pack"), policy_config=config
    ).preview()
    assert outcome.exit_code == 1
    assert text in outcome.error
    assert outcome.registered == ()


def test_remediation_changes_what_is_analysed_and_created(tmp_path: Path) -> None:
    pack = write_pack(
        tmp_path / "pack",
        """
        from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy

        def tag(args):
            if args.resource_type == "aws:iam/user:User":
                return {**{key: args.props[key] for key in list(args.props)}, "path": "/team/"}

        def check(args, report):
            report(str(args.props.get("path")))

        PolicyPack("fixer", [
            ResourceValidationPolicy(
                "fix", "fix", check, EnforcementLevel.REMEDIATE, remediate=tag),
        ])
        """,
    )
    program = write_program(tmp_path / "program", "import pulumi_aws as a\na.iam.User('u')\n")
    outcome = Engine(program=program, policy_pack=pack).preview()
    urn = STACK + "aws:iam/user:User::u"
    (diagnostic,) = [item for item in outcome.diagnostics if item.urn == urn]
    assert (diagnostic.message, diagnostic.level) == ("fix\n/team/", "mandatory")
