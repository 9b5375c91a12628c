"""How fast the book is, beside two well-known libraries, on the machine at hand: python -m benchmarks, or make bench.

| part       | question                                                    | module        |
|------------|-------------------------------------------------------------|---------------|
| `roofline` | how fast can this machine multiply at all?                  | `roofline`    |
| `speed`    | images a second in training, and peak memory                | `speed`       |
| `quality-…`| how good are the digits after 30, 60, 120, 300 s?           | `quality`     |
| `sampling` | seconds for 1,000 images, and how good they are             | `sampling`    |
| `scaling`  | seconds a step against batch, width, resolution, processes  | `scaling`     |

Each part writes what it measured into results.json, and `report` renders the page book/fast.md from that file alone.
"""
