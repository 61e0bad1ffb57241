"""Conflicts: two facts that met, each resolved by a named and versioned rule, the same in any order of delivery.

One file per rule, all pure; `row.Conflict` is what each leaves behind, `table.CASES` names them all.
"""
