"""Why a collection stopped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

REFUSED = frozenset({"AccessDenied", "AccessDeniedException"})
_CREDENTIALS = (
    *("ExpiredToken", "ExpiredTokenException", "RequestExpired", "InvalidClientTokenId"),
    *("UnrecognizedClientException", "SignatureDoesNotMatch", "IncompleteSignature"),
)
_GO_ON = "run the same command again: it goes on where it stopped"


class CollectionError(Exception):
    """A collection that stopped; the text says why, `help` what to do."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.help = help


def code_of(error: ClientError) -> str:
    """AWS's code of an error, such as `AccessDeniedException`."""
    return str(error.response.get("Error", {}).get("Code", ""))


def message_of(error: ClientError) -> str:
    """AWS's text of an error."""
    return str(error.response.get("Error", {}).get("Message", ""))


@contextmanager
def stopping(call: str) -> Iterator[None]:
    """Turn what boto3 raises into a `CollectionError`; `call` says what was asked, and where."""
    try:
        yield
    except ClientError as error:
        code = code_of(error)
        help = _GO_ON
        if code in _CREDENTIALS:
            help = f"renew the credentials and {_GO_ON}"
        elif code in REFUSED:
            help = "use credentials that may call it, such as the AWS managed policy SecurityAudit"
        raise CollectionError(f"{call} answered {code}: {message_of(error)}", help) from None
    except (BotoCoreError, ResponseParserError) as error:
        raise CollectionError(f"{call} failed: {_first_lower(str(error))}", _GO_ON) from None


def _first_lower(text: str) -> str:
    return text[:1].lower() + text[1:].rstrip(".")
