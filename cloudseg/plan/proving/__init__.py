"""What a plan proves, in parts: which states count, what lists let through in each of them, who is to blame."""
