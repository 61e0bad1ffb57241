"""Pickups and lockers: staging a parcel, and handing it to the customer who knows its code. Two flows of one room."""
