"""One module per noun of the API: each function is an operation on the account's state, with parameters and ids."""
