"""The servers of the stack, each started, waited for and stopped on this machine."""
