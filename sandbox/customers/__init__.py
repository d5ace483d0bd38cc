"""A merchant's configuration and its generated customers, as data and as records at the gateway."""
