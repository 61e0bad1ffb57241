"""The arrive flow: receive what another node has sent, and say what differs from the order."""
