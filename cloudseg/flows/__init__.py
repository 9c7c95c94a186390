"""Flow logs become conversations: who opened a connection to whom, on which port, how often, first and last seen.

Three tables, one after the other, and none of them is ever walked row by row in Python:

1. *records*: what a format's reader selects from its files, one row for each row of the log (``columns.RECORDS``);
2. *sightings*: records that say the same, counted together in the one scan of the files (``columns.SIGHTINGS``). This
   is the aggregate that a cloud's own engine is asked for;
3. *conversations*: sightings of both directions and of all observers put together, each with who opened it and how that
   is known (``columns.CONVERSATIONS``).
"""
