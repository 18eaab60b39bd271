// The result as the reader sees it.
import { base64, hex } from './encoding.js';
import { element, foreign, hasUnusual, labelOf, meaningOf, showTime } from './present.js';

/** Shows a report in `place`; `fromLink` when the keys came with the link. */
export function showReport(place, report, fromLink) {
  place.replaceChildren(
    verdict(report, fromLink),
    ...(report.shown ? proven(report) : []),
    ...signatures(report),
    ...keys(report, fromLink),
    ...(report.shown ? [limits(report)] : []),
  );
}

function verdict({ result, reason, hint, cautions, receiptDigest, checkedAt }, fromLink) {
  const linked = result === 'verified' && fromLink;
  const [mark, title] = {
    verified: linked ? ['!', 'Verified only against keys that came with the link'] : ['\u2713', 'Verified'],
    refused: ['\u2717', 'REFUSED'],
    unchecked: ['?', 'Not checked'],
  }[result];
  const notes = [];
  if (result === 'verified') {
    notes.push(linked
      ? element('p', {}, 'Whoever made the link chose the keys. This shows that the receipt fits those keys. It does not show whose keys they are. Get the ledger\u2019s keys from elsewhere and check again.')
      : element('p', {}, 'The entry below is in the ledger whose keys you gave.'));
  } else {
    notes.push(element('p', { id: 'reason' }, foreign(reason)), element('p', {}, foreign(hint)));
    if (result === 'refused') notes.push(element('p', {}, 'Do not rely on this receipt.'));
    if (fromLink) notes.push(element('p', {}, 'The keys came with the link. Whoever made the link chose them.'));
  }
  if (result === 'verified') notes.push(...cautions.map((caution) => element('p', { class: 'caution' }, element('strong', {}, 'Note: '), foreign(caution))));
  notes.push(element('p', { class: 'record' }, `Checked at ${showTime(Math.floor(checkedAt / 1000))} by this computer\u2019s clock.`,
    ...(receiptDigest ? [' SHA-256 of the receipt: ', code(receiptDigest), '.'] : [])));
  return element('div', { class: `verdict ${linked ? 'linked' : result}` },
    element('h2', { tabindex: '-1', id: 'verdict' }, element('span', { class: 'mark', 'aria-hidden': 'true' }, mark), title), ...notes);
}

function proven({ shown, signatures: signed }) {
  const genuine = signed.filter(({ status: outcome }) => outcome === 'verified');
  const times = genuine.filter(({ key, time }) => !key.witness && time !== null).map(({ time }) => showTime(time));
  const witnesses = genuine.filter(({ key }) => key.witness).map(({ name, time }) => element('div', {}, foreign(name), `, ${showTime(time)}`));
  return [
    section('What was verified', table([
      ['Ledger', foreign(shown.origin)],
      ['Entry', `index ${shown.index} (the first entry has index 0)`],
      ['Size of the ledger when signed', `${shown.size} ${shown.size === 1n ? 'entry' : 'entries'}`],
      ['Signed at', times.length === 0 ? 'the ledger\u2019s signature that was checked states no time' : [...new Set(times)].join('; ')],
      ['Witnesses who signed too', witnesses.length === 0 ? 'none that you named' : element('div', {}, ...witnesses)],
      ['Root of the ledger\u2019s tree', code(hex(shown.root))],
    ])),
    section('The entry', ...entry(shown.entry)),
    ...(shown.manifest ? [section('The manifest', ...manifest(shown))] : []),
  ];
}

function entry({ raw, length, fields }) {
  if (raw === null) return [element('p', {}, `The entry is ${length} bytes that are not text. This page cannot show them.`)];
  const unusual = hasUnusual(raw)
    ? [element('p', { class: 'caution' }, element('strong', {}, 'Note: '), 'The entry has characters other than plain English letters, digits and signs. Some letters look like others.')]
    : [];
  const whole = element('details', {}, element('summary', {}, `The entry as it is in the ledger (${length} bytes)`), preformatted(raw));
  if (!fields) {
    return [...unusual, element('p', {}, 'This page does not know the form of this entry. It is shown as it is.'), preformatted(raw)];
  }
  const meaning = typeof fields.type === 'string' ? meaningOf(fields.type) : null;
  const rows = Object.entries(fields).map(([field, value]) => [fieldName(field, fields.type), fieldValue(value)]);
  return [element('p', { class: 'meaning' }, meaning ?? 'This page does not know this type of entry. Its fields are shown as they are.'), ...unusual, table(rows), whole];
}

// A text that gets a frame of its own, which scrolls.
const LONG = 600;

function fieldName(field, type) {
  return labelOf(field, type) ?? element('span', { class: 'raw' }, foreign(field));
}

function fieldValue(value) {
  if (typeof value === 'string' && value.length > LONG) return preformatted(value);
  if (typeof value === 'string') return /^sha256:[0-9a-f]{64}$/.test(value) ? code(value) : foreign(value);
  if (typeof value === 'object' && value !== null) return preformatted(indented(value));
  return foreign(JSON.stringify(value));
}

/** JSON with line breaks, but for what is large: depth would make its indents huge. */
function indented(value) {
  const plain = JSON.stringify(value);
  return plain.length > 2000 ? plain : JSON.stringify(value, null, 2);
}

function manifest({ manifest: { digest, subjects }, files }) {
  const said = files ?? subjects.map((subject) => ({ ...subject, given: null }));
  const rows = said.map(({ name, digest: sha256, given }) => element('tr', {},
    element('th', { scope: 'row' }, foreign(name)),
    element('td', {}, status(given === null ? 'unknown' : 'verified', given === null ? 'not given, not compared' : 'the same')),
    element('td', {}, code(sha256))));
  return [
    element('p', {}, 'The manifest that you gave is the one that was entered in the ledger. Its digest is ', code(digest), '.'),
    wide(['Released file', 'The file that you gave', 'SHA-256'], rows),
  ];
}

function signatures({ signatures: signed, trust }) {
  if (signed.length === 0) return [];
  const words = {
    verified: 'genuine',
    failed: 'NOT GENUINE',
    unknown: 'by a key that you did not give: not checked, does not count',
  };
  const rows = signed.map(({ name, id, kind, status: outcome, time }) => element('tr', {},
    element('th', { scope: 'row' }, foreign(name)),
    element('td', { class: 'id' }, code(id)),
    element('td', {}, kind ?? '\u2013'),
    element('td', {}, status(outcome, words[outcome])),
    element('td', {}, time === null ? '\u2013' : showTime(time))));
  const rule = trust === 'policy'
    ? 'The policy decides: one of the log\u2019s keys and the quorum of witnesses must have signed.'
    : 'Every key of one generation of the ledger\u2019s keys must have signed.';
  return [section('The signatures', element('p', {}, `${rule} A signature by a known key that is not genuine refuses the receipt.`),
    wide(['Signed by', 'Key id', 'Kind', 'Result', 'Time that it states'], rows))];
}

function keys({ keys: given, keysDigest }, fromLink) {
  if (given.length === 0) return [];
  const rows = given.map(({ name, id, kind, role, publicKey }) => element('tr', {},
    element('th', { scope: 'row' }, foreign(name)),
    element('td', { class: 'id' }, code(id)),
    element('td', {}, kind),
    element('td', {}, foreign(role)),
    element('td', {}, code(shorten(base64(publicKey))))));
  const advice = fromLink
    ? 'These keys came with the link, so whoever made the link chose them. '
    : 'These are the keys that you gave. This page cannot know whose they are. ';
  return [section('The keys that it was checked with',
    element('p', {}, advice, 'Compare them with what the custodian or the court has published: the whole lines, or the SHA-256 of the whole file. A key id alone is short, and another key can be made to match it.'),
    wide(['Name', 'Key id', 'Kind', 'Taken as', 'Public key'], rows),
    element('p', {}, 'SHA-256 of the file of keys: ', code(keysDigest)),
    element('details', {}, element('summary', {}, 'The keys, whole'), preformatted(given.map(({ line }) => line).join('\n'))))];
}

function limits({ shown, signatures: signed }) {
  const items = [
    'That what the entry says is true. The ledger shows that it was recorded, and that it was not changed since.',
    'That this is the only entry about the matter. Others may come before or after it, such as a recall.',
    'Whose keys they are. That rests on where you got them.',
    'The times. They are what each signer states.',
  ];
  if (!signed.some(({ status: outcome, key }) => outcome === 'verified' && key.witness)) items.push('That everybody sees the same ledger. No witness\u2019s signature was checked.');
  if (!shown.manifest) items.push('The manifest and the released files. You did not give the manifest.');
  else {
    items.push('The custodian\u2019s own signature in the manifest. The manifest counts here because the ledger names its digest.');
    if (!shown.files || shown.files.some(({ given }) => given === null)) items.push('The released files that you did not give.');
  }
  return section('What was NOT verified', element('ul', {}, ...items.map((item) => element('li', {}, item))));
}

const section = (title, ...children) => element('section', {}, element('h3', {}, title), ...children);
const code = (text) => element('code', {}, text);
const preformatted = (text) => element('pre', { tabindex: '0' }, foreign(text));
const shorten = (text) => (text.length > 48 ? `${text.slice(0, 20)}\u2026${text.slice(-20)}` : text);
const status = (kind, text) => element('span', { class: `status ${kind}` }, text);

function table(rows) {
  const body = rows.map(([name, value]) => element('tr', {}, element('th', { scope: 'row' }, name), element('td', {}, value)));
  return element('table', { class: 'facts' }, element('tbody', {}, ...body));
}

function wide(heads, rows) {
  const labelled = rows.map((row) => {
    [...row.children].forEach((cell, at) => cell.setAttribute('data-head', heads[at]));
    return row;
  });
  return element('table', { class: 'wide' },
    element('thead', {}, element('tr', {}, ...heads.map((head) => element('th', { scope: 'col' }, head)))),
    element('tbody', {}, ...labelled));
}
