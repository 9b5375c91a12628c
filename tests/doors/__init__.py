"""Every public function of the library, and how it is called rightly: what `test_hostile_input` changes one at a time.

A door is a public function, constructor or method of a module below `diffusion_teach`, found by looking (`door`). Right
values come from three tables: `examples` of single doors, `parameters` by their names, `instances` of classes. What may
come in place of a right value, and which kinds of parameters take it, `hostile` says.
"""

from __future__ import annotations

from tests.doors.door import SLOW, Door, doors
from tests.doors.hostile import HOSTILE, called, kinds

__all__ = ["HOSTILE", "SLOW", "Door", "called", "doors", "kinds"]
