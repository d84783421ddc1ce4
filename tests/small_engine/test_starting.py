"""How packs and the command are started."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.small_engine import Engine
from tests.small_engine.testbed import CHAIN, RECORDER, STACK, judge, write_pack, write_program

ROOT = STACK + "pulumi:pulumi:Stack::shop-dev"


def test_variables_of_the_caller_win_over_those_of_the_host(tmp_path: Path) -> None:
    pack = write_pack(tmp_path / "recorder", RECORDER)
    record = tmp_path / "record.jsonl"
    program = write_program(tmp_path / "program", "import pulumi\n")
    environment = {"RECORD": str(record), "PULUMI_STACK": "from-ci"}
    outcome = Engine(program=program, policy_pack=pack, environment=environment).preview()
    assert outcome.error == ""
    start = json.loads(record.read_text().splitlines()[0])
    assert start["names"][2] == "from-ci"
    assert outcome.registered == (ROOT,)


def test_executable_pack_is_started_directly(tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    pack.write_text(
        f"#!{sys.executable}\nfrom pulumi_policy import *\n"
        "PolicyPack('file', [StackValidationPolicy('s', 's', lambda a, report: report('seen'))])\n"
    )
    pack.chmod(0o755)
    program = write_program(tmp_path / "program", "import pulumi\n")
    outcome = Engine(program=program, policy_pack=pack).preview()
    assert outcome.error == ""
    assert [item.urn for item in outcome.diagnostics] == [ROOT]


def test_installed_module_can_be_the_pack(tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    pack.mkdir()
    (pack / "PulumiPolicy.yaml").write_text("version: 3.2.1\nruntime: python\n")
    (pack / "pyproject.toml").write_text('[project]\nname = "some-guard"\n')
    module = tmp_path / "installed" / "some_guard"
    module.mkdir(parents=True)
    (module / "__init__.py").write_text("")
    # This form starts without "-u", so the pack itself has to make its output unbuffered.
    (module / "__main__.py").write_text(
        "import io, sys\nfrom pulumi_policy import *\n"
        "raw = open(1, 'wb', buffering=0, closefd=False)\n"
        "sys.stdout = io.TextIOWrapper(raw, write_through=True)\n"
        "PolicyPack('guard', [StackValidationPolicy('s', 's', lambda a, report: report('seen'))])\n"
    )
    program = write_program(tmp_path / "program", "import pulumi\n")
    environment = {"PYTHONPATH": str(module.parent)}
    engine = Engine(program=program, policy_pack=pack, environment=environment)
    outcome = engine.preview()
    assert outcome.error == ""
    assert engine.pack_label == f"guard@v3.2.1 (local: {pack})"
    assert [item.message for item in outcome.diagnostics] == ["s\nseen"]


def test_proxy_of_the_machine_is_never_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "grpc_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    program = write_program(tmp_path / "program", CHAIN)
    outcome = Engine(program=program, policy_pack=judge(tmp_path / "pack")).preview()
    assert outcome.error == ""
    assert len(outcome.registered) == 5


def test_autonaming_settings_are_refused_rather_than_ignored(tmp_path: Path) -> None:
    program = write_program(tmp_path / "program", CHAIN)
    config = {"pulumi:autonaming": '{"mode": "verbatim"}'}
    outcome = Engine(program=program, config=config).preview()
    assert (outcome.exit_code, outcome.registered) == (1, ())
    assert outcome.error == 'config "pulumi:autonaming" is not supported'


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.small_engine", *arguments],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_command_previews_and_shows_what_pack_and_program_print(tmp_path: Path) -> None:
    program = write_program(tmp_path / "program", CHAIN + "\n    pulumi.log.warn('mind the gap')\n")
    pack = judge(tmp_path / "pack", stack="ADVISORY")
    with (pack / "__main__.py").open("r+") as file:
        source = file.read()
        file.seek(0)
        file.write("import sys\nprint('judging', file=sys.stderr)\n" + source)
    done = command("preview", "--program", str(program), "--policy-pack", str(pack))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "mind the gap",
        "judging",
        "Policies:",
        f"    ⚠️ judge@v1.2.3 (local: {pack})",
        "        - [advisory]  all-together  (aws:iam/user:User: bad)",
        "          the stack",
        "          limit 7.0",
        "5 resources, created 0",
    ]


def test_command_prints_the_policies_and_exports_the_state(tmp_path: Path) -> None:
    program = write_program(tmp_path / "program", CHAIN)
    (program / "Pulumi.dev.yaml").write_text("config:\n  aws:region: eu-north-1\n")
    pack = judge(tmp_path / "pack", one="MANDATORY", stack="MANDATORY")
    config = tmp_path / "levels.json"
    config.write_text('{"one": "advisory"}')
    export = tmp_path / "state.json"
    done = command(
        *("up", "--skip-preview", "--program", str(program), "--policy-pack", str(pack)),
        *("--policy-pack-config", str(config), "--config", "shop:size=big"),
        *("--export", str(export)),
    )
    assert done.returncode == 1, done.stderr
    assert done.stdout.splitlines() == [
        "Policies:",
        f"    ❌ judge@v1.2.3 (local: {pack})",
        "        - [mandatory]  all-together  (aws:iam/user:User: bad)",
        "          the stack",
        "          limit 7.0",
        "        - [advisory] [severity: high]  one  (aws:iam/user:User: bad)",
        "          each alone",
        "          refused",
        "5 resources, created 3",
    ]
    resources = json.loads(export.read_text())["deployment"]["resources"]
    provider = next(item for item in resources if item["type"] == "pulumi:providers:aws")
    assert provider["inputs"]["region"] == "eu-north-1"


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["--program", "nowhere"], 1, 'error: the program folder "'),
        (["--program", ".", "--config", "size=big"], 2, 'takes ns:key=value, not "size=big"'),
        (["--program", ".", "--state", "nowhere"], 2, 'cannot read "nowhere"'),
        (["--program", ".", "--policy-pack-config", "nowhere"], 2, 'cannot read "nowhere"'),
    ],
)
def test_command_refuses_what_it_cannot_use(arguments: list[str], code: int, text: str) -> None:
    done = command("preview", *arguments)
    assert done.returncode == code
    assert text in done.stderr
