"""How far an intruder gets, and what that makes of the whole estate."""
