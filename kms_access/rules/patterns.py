"""What texts of a rules file look like, as regular expressions for the loader and the schema."""

from __future__ import annotations

ACCOUNT_ID = "[0-9]{12}"
ORGANIZATION_ID = "o-[a-z0-9]{10,32}"
ARN = "arn(:[^:]*){4}:.+"
SERVICE_PRINCIPAL = r"[a-z0-9.-]+\.amazonaws\.com(\.cn)?"
PRINCIPAL = rf"(role|user)/.+|{ARN}|{SERVICE_PRINCIPAL}|{ACCOUNT_ID}|{ORGANIZATION_ID}"
CALLING_SERVICE = r"[a-z0-9-]+(\.[a-z0-9-]+\.amazonaws\.com(\.cn)?)?"
DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
FINGERPRINT = "[0-9a-f]{16}"
_FILE_NAME = "[A-Za-z0-9_-][A-Za-z0-9._-]*"
INCLUDED = rf"(package:[A-Za-z_][A-Za-z0-9_]*/)?{_FILE_NAME}(/{_FILE_NAME})*"
