// What the reader trusts: a ledger's keys, or a policy.
import { Refusal, text } from './encoding.js';
import { parseKeyring } from './keys.js';
import { parsePolicy } from './policy.js';

const MAX_TRUST = 1024 * 1024;

/** Reads keys or a policy. A vkey is one word on its line; every line of a policy has more. */
export async function parseTrust(bytes) {
  if (bytes.length > MAX_TRUST) throw new Refusal('The keys are longer than 1 MiB.', 'Is it the right file?');
  // Line ends are often changed on the way, and a mark put in front; in keys they carry no meaning.
  const all = text(bytes, 'The file of keys').replace(/^\ufeff/, '').replaceAll('\r\n', '\n');
  if (/[\x00-\x08\x0b-\x1f\x7f]/.test(all)) throw new Refusal('The keys have control characters in them.', 'Is it the right file?');
  if (/PRIVATE\+KEY\+|AGE-SECRET-KEY|-----BEGIN AGE/.test(all)) {
    throw new Refusal('This is a SECRET key, not a public one.', 'Nobody but the ledger may have it. Tell its custodian at once.');
  }
  const lines = all
    .split('\n')
    .map((line, at) => [at + 1, line.split(/[ \t]+/).filter((word) => word !== '')])
    .filter(([, words]) => words.length > 0 && !words[0].startsWith('#'));
  if (lines.some(([, words]) => words.length > 1)) {
    // A policy that was cut short might ask for less.
    if (!all.endsWith('\n')) throw new Refusal('The policy\u2019s last line has no line end.', 'Is the file whole?');
    return parsePolicy(lines);
  }
  return parseKeyring(lines.map(([, [line]]) => line));
}
