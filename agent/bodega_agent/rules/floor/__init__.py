"""The floor's flows: pure tables and rules, one room a flow; `engine.step` is the way in."""
