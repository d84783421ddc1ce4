"""Writes kms_access/rules/access-rules.schema.json from the types of the rules file."""

from __future__ import annotations

from pathlib import Path

from kms_access.rules.json_schema import FILE_NAME, generated_schema_text

SCHEMA_FILE = Path(__file__).parents[1] / "kms_access" / "rules" / FILE_NAME

if __name__ == "__main__":
    SCHEMA_FILE.write_text(generated_schema_text(), encoding="utf-8")
