"""The hold flow: table and prompts (flow), what scans do (steps), what they know (facts) and ask for (effects)."""
