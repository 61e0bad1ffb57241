"""The node: owns the local ledger, drives the devices, keeps working without a network."""
