"""Going on with work that was left in the middle: table and prompt (flow), what scans do (steps), effects."""
