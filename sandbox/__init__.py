"""The development stack: real servers on this machine, and a stand-in for Stripe. For development only."""
