"""Findings and access maps -> something a person or a machine reads."""
