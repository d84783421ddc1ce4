"""`make demo`: the examples from both front ends, and blocked deployments in each.

Runs the real `cdk synth`. The policy pack runs as its own process, driven over its gRPC protocol
by the small engine of the tests, which runs the real Pulumi program: so the demo needs neither an
AWS account nor the `pulumi` command.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCENARIO = ROOT / "examples" / "three_keys_four_users"
PLATFORM = ROOT / "examples" / "payments_platform"
TYPESCRIPT = ROOT / "examples" / "typescript_cdk"
BUILD = ROOT / "build"
CDK = ROOT / "node_modules" / ".bin" / "cdk"


def title(text: str) -> None:
    print(f"\n==> {text}", flush=True)


def run(command: list[str], folder: Path = ROOT) -> int:
    """Run a command in the environment of this Python, with its output on the terminal."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    shown = " ".join(Path(part).name if os.path.isabs(part) else part for part in command)
    print(f"$ {shown.replace('python -m kms_access.cli', 'kms-access')}", flush=True)
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=environment, check=False).returncode


def kms_access(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "kms_access.cli", *arguments]


def synthesize(
    app: str, *more: str, folder: Path = SCENARIO / "cdk", output: str = "cdk.out"
) -> int:
    command = [str(CDK), "synth", "--quiet", "--no-notices", *more, "--app", app]
    return run([*command, "--output", str(BUILD / output)], folder)


def pulumi(operation: str, stack: str, *more: str, project: Path = SCENARIO) -> int:
    command = [sys.executable, "-m", "tests.small_engine", operation, "--program", "."]
    pack = ["--policy-pack", "../../policypack"]
    return run([*command, "--stack", stack, *pack, *more], project)


def expect(found: int, wanted: int, what: str) -> None:
    print(f"exit code {found}", flush=True)
    if found != wanted:
        sys.exit(f"error: {what} ended with {found}, expected {wanted}")


def main() -> None:
    shutil.rmtree(BUILD, ignore_errors=True)
    BUILD.mkdir()

    title("CDK: the scenario as it should be, through cdk synth")
    expect(synthesize("python3 app.py"), 0, "cdk synth of the clean app")
    title("who can do what, from the synthesized templates")
    expect(run(kms_access("map", str(BUILD / "cdk.out"))), 0, "kms-access map")

    if shutil.which("pulumi") is None:
        title("there is no pulumi command here: the small engine of the tests drives the pack")
    else:
        title("the small engine of the tests drives the pack: it needs no AWS account")
    title("Pulumi: the scenario as it should be, preview and update")
    state = BUILD / "state.json"
    expect(pulumi("preview", "clean"), 0, "preview of the clean program")
    expect(pulumi("up", "clean", "--export", str(state)), 0, "update of the clean program")
    title("who can do what, from the exported stack")
    expect(run(kms_access("map", str(state))), 0, "kms-access map")

    title("CDK: one statement lets David in, and cdk synth is blocked")
    blocked = synthesize("python3 broken_app.py")
    expect(blocked, 1, "cdk synth of the broken app")
    title("Pulumi: one statement lets David in, and the preview is blocked")
    expect(pulumi("preview", "broken"), 1, "preview of the broken program")
    title("Pulumi: without a preview the key is stopped before it exists")
    expect(pulumi("up", "broken", "--skip-preview"), 1, "update of the broken program")

    title("what was blocked, and why: the same evaluation from the command line")
    rules = (SCENARIO / "access-rules.yaml").relative_to(ROOT).as_posix()
    command = kms_access("check", "--rules", rules, "build/cdk.out")
    expect(run(command), 1, "kms-access check of the broken app")
    print("\nboth broken deployments were blocked: user david must not decrypt with alias/cmk-b")

    payments_platform()
    payments_platform_in_cdk()
    typescript()


def payments_platform() -> None:
    title("Pulumi: a payments platform of three teams and five keys, preview and update")
    state = BUILD / "platform.json"
    command = pulumi("up", "clean", "--export", str(state), project=PLATFORM)
    expect(command, 0, "update of the clean platform")
    title("who can do what on the platform, from the exported stack")
    expect(run(kms_access("map", str(state))), 0, "kms-access map")
    title("one role's policy reaches one key too many, and the preview is blocked")
    expect(pulumi("preview", "broken", project=PLATFORM), 1, "preview of the broken platform")
    title("without a preview that policy is stopped before it exists")
    stopped = pulumi("up", "broken", "--skip-preview", project=PLATFORM)
    expect(stopped, 1, "update of the broken platform")
    print("\nthe broken platform was blocked: data-reporting must not decrypt with alias/ledger")


def payments_platform_in_cdk() -> None:
    folder = PLATFORM / "cdk"
    title("CDK: the same platform, two stacks in a Stage")
    clean = synthesize("python3 app.py", folder=folder, output="platform.out")
    expect(clean, 0, "cdk synth of the clean platform")
    title("who can do what on the platform, from the synthesized templates")
    expect(run(kms_access("map", str(BUILD / "platform.out"))), 0, "kms-access map")
    title("the same word too much in a role's policy, and cdk synth is blocked")
    broken = ("-c", "broken=true")
    blocked = synthesize("python3 app.py", *broken, folder=folder, output="platform.out")
    expect(blocked, 1, "cdk synth of the broken platform")


def typescript() -> None:
    app = "node -r sucrase/register app.ts"
    rules = (TYPESCRIPT / "access-rules.yaml").relative_to(ROOT).as_posix()
    check = kms_access("check", "--rules", rules, "build/typescript.out")
    for context, code in (("broken=false", 0), ("broken=true", 1)):
        title(f"CDK in TypeScript, -c {context}: cdk synth, and kms-access check as the gate")
        synthesized = synthesize(app, "-c", context, folder=TYPESCRIPT, output="typescript.out")
        expect(synthesized, 0, "cdk synth of the TypeScript app")
        expect(run(check), code, "kms-access check of the TypeScript app")
    print("\nthe gate stopped the broken app: orders-reports must not decrypt with alias/orders")


if __name__ == "__main__":
    main()
