"""Use cases of shipping: rate cards, carriers that are down, what a parcel costs, what a customer is promised."""
