// How things are worded and made visible. Text from a receipt is shown, never interpreted.

/** Makes an element: attributes first, then children, which are text unless they are elements. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children.filter((child) => child !== null));
  return made;
}

// Everything that is not seen, or that changes how its neighbours are seen.
const UNSEEN = /([\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs})/gu;

/** A text from elsewhere: what cannot be seen in it is named, and it cannot move what is around it. */
export function foreign(text) {
  const made = element('bdi', { class: 'foreign' });
  for (const [at, part] of String(text).split(UNSEEN).entries()) {
    if (at % 2 === 0) made.append(part);
    else made.append(part === '\n' ? part : element('span', { class: 'unseen', title: 'a character that cannot be seen' }, codeOf(part)));
  }
  return made;
}

const codeOf = (char) => `[U+${char.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}]`;

/** Whether a text has letters that could pass for others. */
export const hasUnusual = (text) => /[^\n\x20-\x7e]/.test(text);

/** Seconds since 1970 as a date and a time of day. */
export function showTime(seconds) {
  const date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.getTime())) return `${seconds} seconds after 1970`;
  const day = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' }).format(date);
  return `${day}, ${date.toISOString().slice(11, 19)} UTC`;
}

const TYPES = {
  workspace: 'The ledger began.',
  release: 'Files left, or were about to leave, for the recipient.',
  refusal: 'A request was denied. Nothing left.',
  abort: 'A release was begun and given up. Nothing left.',
  sign_off: 'A reviewer signed under the encoding of a legal instrument.',
  approval: 'Somebody approved, or declined to approve.',
  use_statement: 'The recipient stated what it uses the records for.',
  recall: 'The recipient was told to destroy what it had received.',
  destruction: 'The recipient certified that it destroyed what it had received.',
  suspension: 'Something was suspended for a time.',
  look_up: 'Somebody looked up where a person\u2019s records went.',
  snapshot: 'The text of a source of law was kept.',
  key_rotation: 'The ledger\u2019s keys were changed.',
};

/** What an entry of this type says, or null for a type that this page does not know. */
export const meaningOf = (type) => (Object.hasOwn(TYPES, type) ? TYPES[type] : null);

const FIELDS = {
  type: 'Type',
  version: 'Version of the form',
  recorded: 'Recorded at',
  id: 'Id',
  on: 'Date whose law applied',
  custodian: 'Custodian',
  recipient: 'Recipient',
  purpose: 'Purpose',
  dataset: 'Dataset',
  outcome: 'Outcome',
  law: 'Digest of the law pack',
  manifest: 'Digest of the manifest',
  reason: 'Reason',
  custodian_key: 'Key for manifests',
  release: 'Release',
  instrument: 'Instrument',
  digest: 'Digest',
  office: 'Office',
  role: 'Role',
  key: 'Key',
  signature: 'Key signature',
  verdict: 'Verdict',
  from: 'From',
  to: 'To',
  until: 'Until',
  due: 'Due',
  scope: 'Scope',
  method: 'Method',
  verification: 'Verification',
  person: 'Pseudonym of the person',
  of: 'About',
  users: 'Number of users',
  onward: 'Passed on to',
  statement: 'Statement',
  certificate: 'Digest of the certificate',
  basis: 'Basis',
  agency: 'Agency',
  url: 'Address',
  sha256: 'Digest of what was found there',
  fetched: 'Fetched at',
  log: 'Ledger',
  added: 'Keys added',
  retired: 'Keys retired',
};

/** The name of a field in words; unknown ones keep their own. */
export function labelOf(field, type) {
  if (field === 'on' && type === 'destruction') return 'Date';
  return Object.hasOwn(FIELDS, field) ? FIELDS[field] : null;
}
