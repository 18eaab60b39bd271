// The page: inputs from files, from pasted text or from the link; one check; its report.
import { fromBase64Url, utf8 } from './encoding.js';
import { element, foreign } from './present.js';
import { showReport } from './report.js';
import { verify } from './verify.js';

const find = (id) => document.getElementById(id);
const result = find('result');

// What was given last for each input, whatever way it came: { bytes, from: 'file'|'paste'|'link' }.
const given = { receipt: null, keys: null, entry: null, manifest: null };
// The file that is being read for an input, and when it will have been.
const reading = {};
let released = [];
// A report is shown only for the inputs that it was made from.
let round = 0;

/** Anything that changes the inputs makes the last result void. */
function changed() {
  round += 1;
  result.dataset.result = 'none';
  result.replaceChildren();
}

function take(name, input) {
  given[name] = input;
  delete reading[name];
  find(`${name}-state`).replaceChildren(...(input ? [describe(input)] : []));
  find('link-keys').hidden = given.keys?.from !== 'link';
  changed();
}

function describe({ from, name, bytes }) {
  const size = `${bytes.length.toLocaleString('en')} bytes`;
  if (from === 'file') return element('span', {}, 'File ', foreign(name), `, ${size}`);
  return from === 'link' ? element('span', { class: 'linked' }, `From the link, ${size}`) : element('span', {}, `Pasted text, ${size}`);
}

async function takeFile(name, file) {
  // A receipt or a key is small: a wrong file must not fill the memory.
  if (file.size > 64 * 1024 * 1024) {
    take(name, null);
    find(`${name}-state`).replaceChildren('This file is too large to be the right one.');
    return;
  }
  const paste = find(`${name}-text`);
  if (paste) paste.value = '';
  take(name, null);
  const content = file.arrayBuffer();
  reading[name] = content;
  const bytes = new Uint8Array(await content);
  // Something else may have been given since.
  if (reading[name] === content) take(name, { from: 'file', name: file.name, bytes });
}

function takeReleased(files) {
  released = [...files];
  find('files-state').textContent = released.length === 0 ? '' : `${released.length} ${released.length === 1 ? 'file' : 'files'}`;
  changed();
}

function wireInputs() {
  for (const name of Object.keys(given)) {
    find(`${name}-file`).addEventListener('change', ({ target }) => target.files[0] && takeFile(name, target.files[0]));
    find(`${name}-text`)?.addEventListener('input', ({ target }) => {
      find(`${name}-file`).value = '';
      const text = target.value.trim();
      take(name, text === '' ? null : { from: 'paste', bytes: utf8(`${text}\n`) });
    });
    wireDrop(find(`${name}-drop`), (files) => takeFile(name, files[0]));
  }
  find('files-file').addEventListener('change', ({ target }) => takeReleased(target.files));
  wireDrop(find('files-drop'), takeReleased);
  // A file dropped beside its place must not replace the page.
  for (const event of ['dragover', 'drop']) window.addEventListener(event, (dropped) => dropped.preventDefault());
}

function wireDrop(place, use) {
  const mark = (over) => (event) => {
    event.preventDefault();
    place.classList.toggle('over', over);
  };
  place.addEventListener('dragover', mark(true));
  place.addEventListener('dragleave', mark(false));
  place.addEventListener('drop', (event) => {
    mark(false)(event);
    if (event.dataTransfer.files.length > 0) use(event.dataTransfer.files);
  });
}

async function run() {
  await Promise.allSettled(Object.values(reading));
  changed();
  const asked = round;
  result.dataset.result = 'checking';
  result.replaceChildren(element('p', {}, 'Checking \u2026'));
  const bytes = Object.fromEntries(Object.entries(given).map(([name, input]) => [name, input?.bytes ?? null]));
  const report = await verify({ ...bytes, files: released });
  if (asked !== round) return;
  const fromLink = given.keys?.from === 'link';
  try {
    showReport(result, report, fromLink);
  } catch (problem) {
    report.result = 'unchecked';
    result.replaceChildren(element('p', { class: 'verdict unchecked', id: 'verdict', tabindex: '-1' }, `This page failed to show the result: ${problem.message}`));
  }
  result.dataset.keysFrom = given.keys?.from ?? 'nowhere';
  result.dataset.result = report.result;
  find('print').hidden = false;
  find('verdict').focus();
}

/** Inputs in the link, as #receipt=...&keys=...: Base64 for addresses. */
function takeLink() {
  const inLink = new URLSearchParams(location.hash.slice(1));
  const names = Object.keys(given).filter((name) => inLink.has(name));
  for (const name of names) {
    const bytes = fromBase64Url(inLink.get(name));
    // What cannot be read is given as nothing: then the check says that it is missing.
    take(name, bytes?.length ? { from: 'link', bytes } : null);
  }
  if (names.includes('receipt') && names.includes('keys')) run();
}

wireInputs();
find('check').addEventListener('submit', (event) => {
  event.preventDefault();
  run();
});
find('check').addEventListener('reset', () => {
  for (const name of Object.keys(given)) take(name, null);
  takeReleased([]);
  find('print').hidden = true;
  history.replaceState(null, '', location.pathname);
});
find('print').addEventListener('click', () => window.print());
window.addEventListener('hashchange', takeLink);
find('check').hidden = false;
takeLink();
