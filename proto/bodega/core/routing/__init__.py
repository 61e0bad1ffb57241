"""Which nodes serve an order, with which carrier service, and why not the others: pure, the same at hub and node."""
