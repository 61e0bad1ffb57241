"""Services of the hub to its nodes, reached over the broker; who calls is known from the connection."""
