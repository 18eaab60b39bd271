// c2sp.org/tlog-proof: the text of a receipt, taken apart; nothing here is verified yet.
import { Refusal, fromBase64, fromDecimal, text } from './encoding.js';
import { parseCheckpoint } from './note.js';

const HEADER = 'c2sp.org/tlog-proof@v1';
const MAX_PROOF = 1024 * 1024;
// More hashes than any tree has levels.
const MAX_HASHES = 64;

/** Reads a receipt: the entry that it may carry, the index, the hashes, the checkpoint. */
export function parseProof(bytes) {
  if (bytes.length > MAX_PROOF) throw malformed('it is longer than 1 MiB');
  const proof = text(bytes, 'The receipt');
  if (proof.includes('\r')) {
    throw malformed('its line ends were changed', 'An editor or a mail program did that. Get the file again, for example in a ZIP archive.');
  }
  if (!proof.startsWith(`${HEADER}\n`)) throw malformed(`its first line is not \u201c${HEADER}\u201d`);
  const end = proof.indexOf('\n\n');
  if (end < 0) throw malformed('there is no signed checkpoint in it');
  const lines = proof.slice(HEADER.length + 1, end).split('\n');
  const extra = lines[0].startsWith('extra ') ? parseExtra(lines.shift()) : null;
  const index = parseIndex(lines.shift() ?? '');
  if (lines.length > MAX_HASHES) throw malformed('it has more hashes than any ledger needs');
  return { extra, index, hashes: lines.map(parseHash), checkpoint: parseCheckpoint(proof.slice(end + 2)) };
}

function parseExtra(line) {
  const extra = fromBase64(line.slice('extra '.length));
  if (!extra) throw malformed('the entry that it carries is not Base64');
  return extra;
}

function parseIndex(line) {
  const index = line.startsWith('index ') ? fromDecimal(line.slice('index '.length)) : null;
  if (index === null) throw malformed('it has no index line');
  return index;
}

function parseHash(line) {
  const hash = fromBase64(line);
  if (hash?.length !== 32) throw malformed('one of its hashes is not 32 bytes of Base64');
  return hash;
}

const malformed = (problem, hint = 'Is it the right file, whole and unchanged?') =>
  new Refusal(`The receipt cannot be read: ${problem}.`, hint);
