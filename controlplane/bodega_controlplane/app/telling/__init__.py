"""What the world outside is told: events in one numbered row, and webhooks that carry them."""
