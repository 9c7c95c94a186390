"""What was observed, put beside what was read: conversations joined with interfaces, segments and rules."""
