"""Captioned pictures: readers, the procedural scenes, batches."""
