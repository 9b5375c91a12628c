"""Landmark papers: one short module each, its algorithm in its own symbols, tied to the core by a test.

They stay bare: a page of checks would hide the formula. What is wrong with an argument is told by torch's error or by
none; the same algorithms in `objectives`, `samplers` and `exact` check whatever they are given.
"""
