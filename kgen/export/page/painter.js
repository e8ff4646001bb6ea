// An exported model in the browser: captions to pixels by LiteRT.js.

import { loadAndCompile, loadLiteRt, Tensor } from './litert/index.js';
import { CaptionTokenizer } from './tokenizer.js';

export class Painter {
  /** Loads the model that lies in `folder`. */
  static async load(folder) {
    const fetched = (name) => fetch(`${folder}/${name}`).then((answer) => {
      if (!answer.ok) throw new Error(`${name}: ${answer.status} ${answer.statusText}`);
      return answer;
    });
    const [about, reading, vocabulary] = await Promise.all([
      fetched('model.json').then((answer) => answer.json()),
      fetched('reading.json').then((answer) => answer.json()),
      fetched('vocabulary.txt').then((answer) => answer.text()),
      loadLiteRt(new URL('litert/wasm/', document.baseURI).href),
    ]);
    const tokens = vocabulary.replace(/\n$/, '').split('\n');
    const model = await loadAndCompile(`${folder}/model.tflite`, { accelerator: 'wasm' });
    return new Painter(about, new CaptionTokenizer(tokens, reading), model);
  }

  constructor(about, tokenizer, model) {
    this.about = about;
    this.tokenizer = tokenizer;
    this.model = model;
    const shapes = Object.fromEntries(
      model.getInputDetails().map((input) => [this.nameOf(input), [...input.shape]]));
    this.inputs = model.getInputDetails().map((input) => this.nameOf(input));
    this.noiseDim = shapes.noise[1];
    this.size = [...model.getOutputDetails()[0].shape][1];
  }

  /** `serving_default_noise:0` is the input `noise`. */
  nameOf(input) {
    return input.name.includes('token_ids') ? 'token_ids' : 'noise';
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
    const [image] = await this.model.run(this.inputs.map((name) => tensors[name]));
    const pixels = toPixels(await image.data(), this.size);
    for (const tensor of [...Object.values(tensors), image]) tensor.delete();
    return pixels;
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
