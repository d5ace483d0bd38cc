"""How every command that changes something takes who and why, keeps it, and asks before what is final."""
