"""Landmark papers: one short module each, its algorithm in its own symbols, tied to the core by a test."""
