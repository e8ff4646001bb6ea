"""Noise that a picture is drawn from, by seeds, so that each picture can be drawn again alone."""

import numpy as np


def sample_noise(num_pictures: int, noise_dim: int, seed: int) -> np.ndarray:
    """Noise of which picture i's depends on seed + i alone, so that each can be drawn again alone.

    Args:
        num_pictures: B.
        noise_dim: Z.
        seed: At least 0.

    Returns:
        float32 (B, Z), N(0, 1).

    Example:
        >>> bool((sample_noise(3, 4, seed=5)[1] == sample_noise(1, 4, seed=6)[0]).all())
        True
    """
    rows = [np.random.default_rng(seed + i).standard_normal(noise_dim) for i in range(num_pictures)]
    return np.asarray(rows, dtype=np.float32).reshape(num_pictures, noise_dim)


def candidate_noise(num_candidates: int, noise_dim: int, seed: int) -> np.ndarray:
    """Noise of one picture's candidates, of which candidate k's depends on (seed, k) alone.

    Formula:
        candidate 0: `sample_noise(1, noise_dim, seed)`
        candidate k: N(0, 1) by PCG64 of `numpy.random.SeedSequence(seed, spawn_key=(k,))`

    Args:
        num_candidates: N.
        noise_dim: Z.
        seed: Of the picture; at least 0.

    Returns:
        float32 (N, Z), N(0, 1).

    Example:
        >>> bool((candidate_noise(3, 4, seed=5)[:2] == candidate_noise(2, 4, seed=5)).all())
        True
    """
    noise = np.empty((num_candidates, noise_dim), np.float32)
    noise[:1] = sample_noise(1, noise_dim, seed)
    for k in range(1, num_candidates):
        # A spawn key, not a pair of seeds: (1, 1) would give what the seed 2**32 + 1 gives.
        stream = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(k,)))
        noise[k] = stream.standard_normal(noise_dim)
    return noise
