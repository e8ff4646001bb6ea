// Noise by a seed: the same seed gives the same picture on every device.

/**
 * Formula: u by SplitMix32 of the seed, z by Box and Muller 1958, eq. 1 and 2:
 * z = sqrt(-2 ln u1) (cos 2π u2, sin 2π u2).
 *
 * It is other noise than that of the same seed in Python.
 * @param {number} seed A whole number.
 * @param {number} length
 * @returns {Float32Array} N(0, 1).
 */
export function noiseOf(seed, length) {
  let state = seed | 0;
  const uniform = () => { // in (0, 1)
    state = (state + 0x9e3779b9) | 0;
    let bits = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97);
    return (((bits ^ (bits >>> 15)) >>> 0) + 0.5) / 2 ** 32;
  };
  const noise = new Float32Array(length);
  for (let n = 0; n < length; n += 2) {
    const radius = Math.sqrt(-2 * Math.log(uniform()));
    const angle = 2 * Math.PI * uniform();
    noise[n] = radius * Math.cos(angle);
    if (n + 1 < length) noise[n + 1] = radius * Math.sin(angle);
  }
  return noise;
}
