"""What one account of the sandbox holds, where it is kept, and the sums that ledgers are compared with."""
