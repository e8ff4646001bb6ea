// Captions to token ids, token for token as kgen's models read them.

const SUFFIX = '##';
const UNKNOWN = 1;

export class CaptionTokenizer {
  /**
   * @param {string[]} vocabulary Tokens in the order of their ids: the lines of vocabulary.txt.
   * @param {object} reading What reading.json holds.
   */
  constructor(vocabulary, reading) {
    this.length = reading.caption_length;
    this.mostBytes = reading.most_bytes;
    this.replaced = new Map(Object.entries(reading.replaced));
    for (const kind of ['removed', 'blank', 'apart', 'joined']) this[kind] = reading[kind];
    this.stopWords = new Set(reading.stop_words);
    this.continues = vocabulary.map((token) => token.startsWith(SUFFIX));
    this.ids = new Map(vocabulary.map((token, id) => [token, id]));
    this.known = new Set();
    // In a stretch of Chinese the tokens after the first have no mark, as those of words have.
    for (const [id, token] of vocabulary.entries()) {
      const signs = [...token];
      if (!signs.every((sign) => isIn(this.joined, sign))) continue;
      this.ids.set(SUFFIX + token, id);
      signs.forEach((sign) => this.known.add(sign));
    }
    this.longest = Math.max(...vocabulary.map((token) => [...token].length));
  }

  /** @returns {Int32Array} Ids, cut or padded with 0 to the length that the model takes. */
  tokenIds(caption) {
    const ids = this.words(caption).flatMap((word) => this.cut(word));
    const kept = ids.filter((id, n) => !this.stopWords.has(id) || this.continues[ids[n + 1]]);
    const padded = new Int32Array(this.length);
    padded.set(kept.slice(0, this.length));
    return padded;
  }

  /** @returns {string[]} Words of a caption that no token can spell. */
  unknownWords(caption) {
    return this.words(caption).filter((word) => this.cut(word)[0] === UNKNOWN);
  }

  /** What stands between blanks, each character that stands apart, each stretch of joined ones. */
  words(caption) {
    const words = [];
    let kind = null; // of the word that is being read
    for (const sign of this.replacedSigns(caption)) {
      const next = this.kind(sign);
      if (next === 'blank') kind = null;
      else if (next === kind && next !== 'apart') words[words.length - 1] += sign;
      else {
        words.push(sign);
        kind = next;
      }
    }
    return words;
  }

  * replacedSigns(caption) {
    for (const sign of caption) {
      const code = sign.codePointAt(0);
      if (isIn(this.removed, sign)) continue;
      const valid = code >= 0xd800 && code < 0xe000 ? '?' : sign; // half of a pair
      yield* this.replaced.get(valid) ?? valid;
    }
  }

  kind(sign) {
    if (isIn(this.blank, sign)) return 'blank';
    if (isIn(this.apart, sign)) return 'apart';
    if (!isIn(this.joined, sign)) return 'word';
    return this.known.has(sign) ? 'joined' : 'joined and unknown';
  }

  /** The ids of the longest tokens that fit, from the word's start on. */
  cut(word) {
    if (new TextEncoder().encode(word).length > this.mostBytes) return [UNKNOWN];
    const signs = [...word];
    const ids = [];
    for (let start = 0; start < signs.length;) {
      let end = Math.min(signs.length, start + this.longest);
      let id;
      for (; end > start; end--) {
        id = this.ids.get((start ? SUFFIX : '') + signs.slice(start, end).join(''));
        if (id !== undefined) break;
      }
      if (id === undefined) return [UNKNOWN];
      ids.push(id);
      start = end;
    }
    return ids;
  }
}

/** Whether a character is in ranges of code points, which are in rising order. */
function isIn(ranges, sign) {
  const code = sign.codePointAt(0);
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ranges[middle][1] < code) low = middle + 1;
    else high = middle;
  }
  return low < ranges.length && ranges[low][0] <= code;
}
