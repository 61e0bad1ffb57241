"""Quick reconcile of one bin: count it blind, see what could explain the difference (explain), post it."""
