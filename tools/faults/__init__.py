"""Do the claims notice? Faults are planted in a chapter or in the library, and the claim that names them must fail.

python -m tools.faults                       every fault of every chapter, then each chapter for seeds 0 to 9
python -m tools.faults 00_ink --only curl    those of one chapter whose claim or name contains a text
python -m tools.faults 00_ink --no-seeds     the faults alone; --no-faults: the seeds alone

A fault with a size is halved until the claim lets it through: the book's ledger shows the smallest that was caught and
the largest that passed. Only the claim's own failure counts, no exception on the way. `planted/` holds the faults, a
file a chapter; `results/` what became of them, with hashes of what was run: a test refuses stale ones.
"""
