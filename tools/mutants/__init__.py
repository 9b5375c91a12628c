"""Do the tests notice? Faults are planted in a copy of the source, one at a time, and the module's own tests must fail.

python -m tools.mutants                            those of `planted.toml`: mistakes that people make in this field
python -m tools.mutants drawn --seed 0 --count 100 operators and constants of the core, changed by chance
python -m tools.mutants --only heat --jobs 2       those whose file or name contains a text, two at once

A mutant that no test kills is a hole in the tests, and the exit status is 1. One of the drawn ones may change nothing
that matters, as a tolerance or a chunk's size does: then `explained.toml` says why.
"""
