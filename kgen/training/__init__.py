"""Losses, penalties, averaging; the GAN; callbacks; the run that assembles everything."""
