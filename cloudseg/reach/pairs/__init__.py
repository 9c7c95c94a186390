"""All pairs at once: atoms, classes and rows of masks."""
