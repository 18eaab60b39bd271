// A small log made with noble, to check what the page's modules say about it.
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { ml_dsa44 } from '@noble/post-quantum/ml-dsa.js';

import { base64, concat, hex, u64, utf8 } from '../src/encoding.js';
import { cosignedMessage } from '../src/keys.js';

const seed = (number) => new Uint8Array(32).fill(number);

/** A key of one of the three types, made from a seed. */
export function makeKey(name, type, number) {
  const pair = type === 0x06 ? ml_dsa44.keygen(seed(number)) : ed25519.keygen(seed(number));
  const material = concat([type], pair.publicKey);
  const id = sha256(concat(utf8(`${name}\n`), material)).subarray(0, 4);
  return { name, type, id, secret: pair.secretKey, vkey: `${name}+${hex(id)}+${base64(material)}` };
}

/** One signature line under a checkpoint. */
export function sign(key, checkpoint, time = 1_790_000_000n) {
  const text = `${checkpoint.origin}\n${checkpoint.size}\n${base64(checkpoint.root)}\n`;
  const signatures = {
    0x01: () => ed25519.sign(utf8(text), key.secret),
    0x04: () => concat(u64(time), ed25519.sign(utf8(`cosignature/v1\ntime ${time}\n${text}`), key.secret)),
    0x06: () => concat(u64(time), ml_dsa44.sign(cosignedMessage(key.name, time, checkpoint), key.secret)),
  };
  return `\u2014 ${key.name} ${base64(concat(key.id, signatures[key.type]()))}\n`;
}

const leaf = (entry) => sha256(concat([0], entry));
const node = (left, right) => sha256(concat([1], left, right));
const split = (count) => 2 ** Math.floor(Math.log2(count - 1));

/** The root of the tree over entries, by the definition in RFC 6962. */
export function rootOf(entries) {
  if (entries.length === 1) return leaf(entries[0]);
  const left = split(entries.length);
  return node(rootOf(entries.slice(0, left)), rootOf(entries.slice(left)));
}

/** The inclusion proof of an index, by the definition in RFC 6962. */
export function pathOf(index, entries) {
  if (entries.length === 1) return [];
  const left = split(entries.length);
  return index < left
    ? [...pathOf(index, entries.slice(0, left)), rootOf(entries.slice(left))]
    : [...pathOf(index - left, entries.slice(left)), rootOf(entries.slice(0, left))];
}

export const NAME = 'agency.example/ledger';
export const ED = makeKey(NAME, 0x01, 1);
export const ML = makeKey(NAME, 0x06, 2);
export const KEYS = `${ED.vkey}\n${ML.vkey}\n`;

/** Some entries; the release is at index 3. */
export const MANIFEST = utf8(
  JSON.stringify({
    payloadType: 'application/vnd.in-toto+json',
    payload: base64(utf8(JSON.stringify({ _type: 'https://in-toto.io/Statement/v1', subject: [{ name: 'data/people.csv', digest: { sha256: hex(sha256(utf8('a,b\n1,2\n'))) } }] }))),
    signatures: [],
  }),
);
export const RELEASE = JSON.stringify({
  type: 'release',
  version: 1,
  recorded: '2026-01-10T12:00:00Z',
  id: '2026-01-10-dhs-ice-0732b3bd',
  on: '2026-01-10',
  custodian: 'hhs/cms',
  recipient: 'dhs/ice',
  purpose: 'immigration-enforcement/civil',
  dataset: 'tmsis-2025-12',
  outcome: 'partial',
  law: `sha256:${'ab'.repeat(32)}`,
  manifest: `sha256:${hex(sha256(MANIFEST))}`,
});
export const ENTRIES = ['one', 'two', 'three', RELEASE, 'five', 'six', 'seven'].map(utf8);

/** A checkpoint over entries. */
export const checkpointOf = (entries = ENTRIES) => ({ origin: NAME, size: BigInt(entries.length), root: rootOf(entries) });

/** A receipt; every part of it can be replaced. */
export function receipt({ index = 3, entries = ENTRIES, extra = entries[index], keys = [ED, ML], more = '', hashes = pathOf(index, entries), at = index } = {}) {
  const checkpoint = checkpointOf(entries);
  const body = `${NAME}\n${checkpoint.size}\n${base64(checkpoint.root)}\n`;
  return [
    'c2sp.org/tlog-proof@v1\n',
    extra ? `extra ${base64(extra)}\n` : '',
    `index ${at}\n`,
    ...hashes.map((hash) => `${base64(hash)}\n`),
    `\n${body}\n`,
    ...keys.map((key) => sign(key, checkpoint)),
    more,
  ].join('');
}
