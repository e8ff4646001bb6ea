"""Timings. A figure counts as a ratio to one measured in the same run: machines are noisy."""
