"""The texts about what kept an evaluation from happening."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cdk_aspects import _evaluation
from cdk_aspects._verdict import blocked, own_failure


def raised(call: Callable[[], object]) -> BaseException:
    try:
        call()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def test_blocked_has_the_layout_of_a_finding() -> None:
    verdict = blocked("assembly", 2, "it cannot be read", help="look at it", note="")
    assert verdict.exit_code == 2
    assert verdict.text == "error  assembly  it cannot be read\n  help   look at it"
    assert [(v.check, v.text) for v in verdict.violations] == [("assembly", verdict.text)]


def test_own_failure_names_itself_and_the_place_in_our_code() -> None:
    error = raised(lambda: _evaluation.evaluate(Path(), "not a path"))  # type: ignore[arg-type]
    verdict = own_failure(error)
    assert verdict.exit_code == 4
    lines = verdict.text.splitlines()
    assert lines[0] == (
        "error  internal-error  kms-access itself failed, so nothing is proven about this app"
    )
    assert lines[1].startswith("  what   AttributeError: ")
    assert lines[2].startswith("  where  kms_access/rules/")
    assert lines[3].startswith("  note   a fault of kms-access, not of the app")


def test_own_failure_outside_our_code_has_no_place() -> None:
    assert "where" not in own_failure(raised(lambda: 1 // 0)).text


def test_messages_cannot_write_to_the_terminal_or_flood_it() -> None:
    def fail() -> None:
        raise ValueError("odd\x1b[31m\u202e" + "x" * 10_000 + "\nsecond line")

    text = own_failure(raised(fail)).text
    assert r"  what   ValueError: odd\x1b[31m\u202exxx" in text
    assert "second line" not in text
    assert len(text) < 1_000


def test_an_error_without_a_message() -> None:
    assert "\n  what   KeyboardInterrupt\n" in own_failure(KeyboardInterrupt()).text
