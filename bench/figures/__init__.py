"""What is measured, a module a figure; the ledger has a folder of its own."""
