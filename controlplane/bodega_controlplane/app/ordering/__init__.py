"""Orders: placed, promised, routed, moved to another node, and told why."""
