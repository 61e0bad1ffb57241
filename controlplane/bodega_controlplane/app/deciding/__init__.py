"""Where two truths met, or a person set a rule aside: conflicts, overrides, proposals."""
