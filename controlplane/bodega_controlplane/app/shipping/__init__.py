"""Use cases of shipping: rate cards, carriers that are down, what a parcel costs, and what that promises to a customer."""
