"""A human-in-the-loop labelling pipeline."""
