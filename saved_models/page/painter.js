// An exported model in the browser: captions to pixels by LiteRT.js.

import { loadAndCompile, loadLiteRt, Tensor } from './litert/index.js';
import { CaptionTokenizer } from './tokenizer.js';

const MODEL = ['model.tflite'];
const WASM = 'litert/wasm/'; // LiteRT.js takes the file in it that the browser can run

export class Painter {
  /**
   * Loads the model that lies in `folder`.
   * @param {string} folder
   * @param {string[]} files The LiteRT files in it that make a picture, one after the other.
   * @param {string} wasm Where LiteRT.js finds its WebAssembly.
   * @returns {Promise<Painter>}
   */
  static async load(folder, files = MODEL, wasm = WASM) {
    const fetched = (name) => fetch(`${folder}/${name}`).then((answer) => {
      if (!answer.ok) throw new Error(`${name}: ${answer.status} ${answer.statusText}`);
      return answer;
    });
    const [about, reading, vocabulary] = await Promise.all([
      fetched('model.json').then((answer) => answer.json()),
      fetched('reading.json').then((answer) => answer.json()),
      fetched('vocabulary.txt').then((answer) => answer.text()),
      loadPackedLiteRt(new URL(wasm, document.baseURI).href),
    ]);
    const tokens = vocabulary.replace(/\n$/, '').split('\n');
    const parts = [];
    for (const name of files)
      parts.push(await loadAndCompile(`${folder}/${name}`, { accelerator: 'wasm' }));
    return new Painter(about, new CaptionTokenizer(tokens, reading), parts);
  }

  constructor(about, tokenizer, parts) {
    this.about = about;
    this.tokenizer = tokenizer;
    this.parts = parts;
    const details = parts.flatMap((model) => model.getInputDetails());
    this.noiseDim = details.find((input) => input.name === 'noise').shape[1];
    this.size = parts.at(-1).getOutputDetails()[0].shape[1];
  }

  /**
   * y = G(z, T(x)) of one caption.
   * @param {string} caption
   * @param {Float32Array} noise N(0, 1), of length `noiseDim`.
   * @returns {Promise<ImageData>} Of `size` by `size` pixels.
   * @throws {TypeError} `caption` is no string, or `noise` not as many finite numbers.
   */
  async draw(caption, noise) {
    if (typeof caption !== 'string') throw new TypeError('`caption` must be a string');
    if (!(noise instanceof Float32Array && noise.length === this.noiseDim && noise.every(isFinite)))
      throw new TypeError(`\`noise\` must be a Float32Array of ${this.noiseDim} finite numbers`);
    const tensors = {
      token_ids: new Tensor(this.tokenizer.tokenIds(caption), [1, this.tokenizer.length]),
      noise: new Tensor(noise, [1, this.noiseDim]),
    };
    for (const part of this.parts) Object.assign(tensors, await part.run(tensors));
    const pixels = toPixels(await tensors.image.data(), this.size);
    for (const tensor of Object.values(tensors)) tensor.delete();
    return pixels;
  }
}

/** LiteRT.js fetches its WebAssembly, which lies here packed: 9 MB are 3. */
async function loadPackedLiteRt(wasm) {
  const plain = self.fetch;
  self.fetch = async (url, options) => {
    if (!String(url).endsWith('.wasm')) return plain(url, options);
    const answer = await plain(`${url}.gz`, options);
    if (!answer.ok) return answer;
    const bytes = await answer.blob();
    const [first] = new Uint8Array(await bytes.slice(0, 1).arrayBuffer());
    // Some servers say that a .gz is an encoding, and the browser has unpacked it then.
    const unpacked = first === 0x1f
      ? bytes.stream().pipeThrough(new DecompressionStream('gzip')) : bytes;
    return new Response(unpacked, { headers: { 'Content-Type': 'application/wasm' } });
  };
  try {
    await loadLiteRt(wasm);
  } finally {
    self.fetch = plain;
  }
}

/** From RGB in [-1, 1] to RGBA in [0, 255]: floor(127.5 (x + 1) + 0.5). */
function toPixels(image, size) {
  const pixels = new ImageData(size, size);
  for (let from = 0, to = 0; from < image.length; to++) {
    for (let channel = 0; channel < 3; channel++, from++, to++) {
      const clipped = Math.min(1, Math.max(-1, image[from]));
      pixels.data[to] = Math.floor(127.5 * (clipped + 1) + 0.5);
    }
    pixels.data[to] = 255;
  }
  return pixels;
}
