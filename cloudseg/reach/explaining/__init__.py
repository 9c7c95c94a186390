"""Why one pair talks or does not, hop by hop."""
