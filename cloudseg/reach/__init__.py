"""Who really reaches whom: packets, routes and stages evaluated over the model."""
