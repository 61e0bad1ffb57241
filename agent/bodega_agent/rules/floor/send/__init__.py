"""The send flow: pick what another node should get, and ship it; `legs` also serves arriving."""
