"""The ledger's figures: postings a second beside bare commits and beside pgledger, on one server in one run."""
