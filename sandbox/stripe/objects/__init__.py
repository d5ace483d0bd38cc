"""One module per noun of the API: each function is an operation and takes the world, its parameters and ids."""
