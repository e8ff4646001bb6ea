// The page: draws as the user types.

import { noiseOf } from './noise.js';
import { Painter } from './painter.js';

const byId = (id) => document.getElementById(id);
const caption = byId('caption');
const seed = byId('seed');
const pictures = byId('pictures');
let painter;
let wanted = 0; // the newest drawing that was asked for

const count = () => Number(document.querySelector('input[name="count"]:checked').value);

async function draw() {
  const mine = ++wanted;
  const text = caption.value;
  byId('seed-shown').value = seed.value;
  showUnknown(text);
  const drawn = [];
  const start = performance.now();
  for (let n = 0; n < count(); n++) {
    const noise = noiseOf(Number(seed.value) + n, painter.noiseDim);
    drawn.push(await painter.draw(text, noise));
    if (mine !== wanted) return; // the caption was changed meanwhile
  }
  const each = (performance.now() - start) / drawn.length;
  byId('timing').textContent = `${each.toFixed(1)} ms a picture · 每张 ${each.toFixed(1)} 毫秒`;
  show(drawn, text);
}

function show(drawn, text) {
  pictures.dataset.count = drawn.length;
  pictures.replaceChildren(...drawn.map((pixels, n) => {
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = painter.size;
    canvas.getContext('2d').putImageData(pixels, 0, 0);
    canvas.setAttribute('role', 'img');
    canvas.setAttribute('aria-label', `${text}, ${Number(seed.value) + n}`);
    return canvas;
  }));
  pictures.dataset.drawn = text;
  byId('save').disabled = false;
}

function showUnknown(text) {
  const unknown = [...new Set(painter.tokenizer.unknownWords(text))]
    .filter((word) => /[\p{L}\p{N}]/u.test(word));
  byId('notice').textContent =
    unknown.length ? `Not in its vocabulary · 不认识：${unknown.join(', ')}` : '';
}

function save() {
  const canvases = [...pictures.children];
  const columns = Math.sqrt(canvases.length);
  const sheet = document.createElement('canvas');
  sheet.width = sheet.height = columns * painter.size;
  const context = sheet.getContext('2d');
  canvases.forEach((canvas, n) => context.drawImage(
    canvas, (n % columns) * painter.size, Math.floor(n / columns) * painter.size));
  sheet.toBlob((blob) => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(blob);
    link.download = `${fileName(pictures.dataset.drawn)}.png`;
    link.click();
    URL.revokeObjectURL(link.href);
  });
}

const fileName = (text) =>
  [...text.matchAll(/[\p{L}\p{N}]+/gu)].map(String).join('_').slice(0, 40) || 'picture';

function offer(captions) {
  byId('ideas').replaceChildren(...captions.map((text) => {
    const idea = document.createElement('button');
    idea.type = 'button';
    idea.textContent = text;
    idea.onclick = () => { caption.value = text; draw(); };
    return idea;
  }));
}

/** Links to the page's other models, where it has several. */
function link(models, shown) {
  byId('models').replaceChildren(...models.length < 2 ? [] : models.map(({ name }) => {
    const other = document.createElement('a');
    other.textContent = name;
    other.href = `?model=${encodeURIComponent(name)}`;
    if (name === shown) other.setAttribute('aria-current', 'page');
    return other;
  }));
}

try {
  const { models, wasm } = await fetch('page.json').then((answer) => answer.json());
  const asked = new URLSearchParams(location.search).get('model');
  const about = models.find(({ name }) => name === asked) ?? models[0];
  link(models, about.name);
  painter = await Painter.load(about.folder, about.files, wasm);
  document.title = byId('name').textContent = painter.about.name;
  byId('about').textContent = [about.license, about.credit].filter(Boolean).join(' · ');
  pictures.classList.toggle('pixelated', about.pixelated);
  offer(about.captions);
  caption.value ||= about.captions[0] ?? '';
  caption.oninput = seed.oninput = draw;
  document.querySelectorAll('input[name="count"]').forEach((radio) => { radio.onchange = draw; });
  byId('save').onclick = save;
  window.painter = painter; // for whoever tries it from the console, and for the proof
  await draw();
} catch (error) {
  document.body.dataset.failed = error.message;
  byId('timing').textContent = `Cannot load the model · 无法载入模型: ${error.message}`;
}
