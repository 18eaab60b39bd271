// c2sp.org/signed-note with c2sp.org/tlog-checkpoint in it; nothing here is verified yet.
import { Refusal, fromBase64, fromDecimal, hex, utf8 } from './encoding.js';

const MAX_NOTE = 64 * 1024;
const MAX_SIGNATURES = 100;
// No tree of this kind is larger; it is the bound of the ledger that writes them.
const MAX_SIZE = (1n << 56n) - 1n;

/** Whether a key may have this name. */
export const isKeyName = (name) => name !== '' && !/[\p{White_Space}\p{Cc}+]/u.test(name);

/** Takes a note apart: its text, and its signatures as key name, key id and bytes. */
export function parseNote(note) {
  if (utf8(note).length > MAX_NOTE) throw malformed('it is longer than 64 KiB');
  if (/[\x00-\x09\x0b-\x1f]/.test(note)) {
    throw malformed('it has control characters', 'Was it converted by an editor or a mail program? Get the file again.');
  }
  const end = note.lastIndexOf('\n\n');
  if (end < 0 || !note.endsWith('\n')) throw malformed('it has no signatures');
  const lines = note.slice(end + 2, -1).split('\n');
  if (lines.length > MAX_SIGNATURES) throw malformed(`it has more than ${MAX_SIGNATURES} signatures`);
  return { text: note.slice(0, end + 1), signatures: lines.map(parseSignature) };
}

function parseSignature(line) {
  const [dash, name, encoded, ...rest] = line.split(' ');
  const bytes = fromBase64(encoded ?? '');
  if (dash !== '\u2014' || !isKeyName(name ?? '') || rest.length > 0 || !bytes || bytes.length < 5) {
    throw malformed('a signature line is not a dash, a key name and Base64');
  }
  return { name, id: hex(bytes.subarray(0, 4)), bytes: bytes.subarray(4) };
}

/** Takes a checkpoint apart: the note, and the log's name, size and root. */
export function parseCheckpoint(noteText) {
  const note = parseNote(noteText);
  const [origin, sizeLine, rootLine, ...extensions] = note.text.slice(0, -1).split('\n');
  const size = fromDecimal(sizeLine ?? '');
  const root = fromBase64(rootLine ?? '');
  if (!origin || size === null || size > MAX_SIZE || root?.length !== 32 || extensions.includes('')) {
    throw malformed('its text is not a name, a size and a root hash');
  }
  return { ...note, origin, size, root };
}

const malformed = (problem, hint) => new Refusal(`The signed checkpoint in the receipt cannot be read: ${problem}.`, hint);
