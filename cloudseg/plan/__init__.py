"""Plans: what is to be changed, in which order, and the proof that nothing opens and nothing in use breaks."""
