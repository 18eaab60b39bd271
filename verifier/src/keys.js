// Public keys as vkey lines, what each kind of them signs, and the keyring of a ledger.
import { isSmallOrder, sha256, verifyEd25519, verifyMlDsa44 } from './crypto.js';
import { Refusal, base64, concat, fromBase64, fromU64, hex, u64, utf8 } from './encoding.js';
import { isKeyName } from './note.js';

/** The kinds of keys, by the type byte of c2sp.org/signed-note. */
export const KINDS = {
  0x01: { name: 'Ed25519', length: 32 },
  0x04: { name: 'Ed25519 with time', length: 32, timed: true },
  0x06: { name: 'ML-DSA-44 with time', length: 1312, timed: true },
};

const MAX_TIME = (1n << 63n) - 1n;

/** Reads a vkey line: name, key id, kind and public key, all of which must agree. */
export async function parseKey(line) {
  const [name, id, ...rest] = line.split('+');
  // Base64 has plus signs of its own.
  const material = fromBase64(rest.join('+'));
  if (!isKeyName(name) || !/^[0-9a-f]{8}$/.test(id ?? '') || !material?.length) {
    throw badKey(line, 'it is not a name, eight hexadecimal digits and Base64');
  }
  const [type, publicKey] = [material[0], material.subarray(1)];
  const kind = KINDS[type];
  if (!kind || publicKey.length !== kind.length) throw badKey(line, 'it is of a kind that this page does not know');
  if (type !== 0x06 && isSmallOrder(publicKey)) throw badKey(line, 'it is a weak key, which proves nothing');
  const digest = await sha256(concat(utf8(`${name}\n`), material));
  if (hex(digest.subarray(0, 4)) !== id) throw badKey(line, 'its key id does not belong to it, so a part was changed');
  return { name, id, type, kind: kind.name, publicKey, line };
}

const badKey = (line, problem) =>
  new Refusal(`A key cannot be used: ${problem}.`, `The line begins with \u201c${line.slice(0, 60)}\u201d. Get the keys again from their source.`);

/** Checks one signature of a checkpoint with its key: whether it holds, and the time that it states. */
export async function verifySignature(key, checkpoint, signature) {
  if (key.type === 0x01) {
    return { holds: await verifyEd25519(key.publicKey, utf8(checkpoint.text), signature), time: null };
  }
  if (signature.length < 8) return { holds: false, time: null };
  const [time, bytes] = [fromU64(signature), signature.subarray(8)];
  // Without a time it would not say that the tree was the newest.
  if (time === 0n || time > MAX_TIME) return { holds: false, time: null };
  const holds =
    key.type === 0x04
      ? await verifyEd25519(key.publicKey, utf8(`cosignature/v1\ntime ${time}\n${checkpoint.text}`), bytes)
      : verifyMlDsa44(key.publicKey, cosignedMessage(key.name, time, checkpoint), bytes);
  return { holds, time: holds ? time : null };
}

/** What an ML-DSA-44 key signs (c2sp.org/tlog-cosignature): its name, the time, and the whole tree. */
export function cosignedMessage(name, time, { origin, size, root }) {
  const [signer, log] = [utf8(name), utf8(origin)];
  if (signer.length > 255 || log.length > 255) throw new Refusal('A name is longer than 255 bytes.');
  const label = utf8('subtree/v1\n\0');
  return concat(label, [signer.length], signer, u64(time), [log.length], log, u64(0n), u64(size), root);
}

/**
 * Checks every signature by a known key. Unknown keys are left alone.
 *
 * A known key is known by name and id together, never by one of them.
 */
export async function checkSignatures(keys, checkpoint) {
  return Promise.all(
    checkpoint.signatures.map(async ({ name, id, bytes }) => {
      const key = keys.find((known) => known.name === name && known.id === id);
      if (!key) return { name, id, status: 'unknown', time: null };
      const { holds, time } = await verifySignature(key, checkpoint, bytes);
      return { name, id, key, kind: key.kind, status: holds ? 'verified' : 'failed', time };
    }),
  );
}

/** Refuses the whole note when a known key's signature fails. */
export function refuseFailed(signatures) {
  const failed = signatures.find(({ status }) => status === 'failed');
  if (failed) {
    throw new Refusal(
      `The signature by the key \u201c${failed.name}\u201d, id ${failed.id}, is not genuine.`,
      'The receipt was changed after it was signed, or it was never signed by this key.',
    );
  }
}

/**
 * The keys of one ledger: generations, the newest first.
 *
 * An Ed25519 key begins a generation and the timed key after it belongs to it; one key alone will do.
 */
export async function parseKeyring(lines) {
  if (lines.length === 0) throw new Refusal('There is no key.', 'Give the ledger\u2019s public keys: lines such as name+1a2b3c4d+Base64.');
  const keys = await Promise.all(lines.map(parseKey));
  if (keys.some(({ name }) => name !== keys[0].name)) throw new Refusal('The keys are of different ledgers.', 'Give the keys of one ledger, or a policy.');
  refuseDuplicates(keys);
  const generations = [];
  for (const key of keys) {
    const last = generations.at(-1);
    if (key.type === 0x01 || !last) generations.push([key]);
    else if (last.length === 1 && last[0].type === 0x01) last.push(key);
    else throw new Refusal(`The keys are not in order: the key with id ${key.id} does not follow an Ed25519 key.`, 'Give the file of keys as it was published.');
  }
  return {
    kind: 'keyring',
    keys: generations.flatMap((generation, age) => generation.map((key) => ({ ...key, role: role(age) }))),
    accept: (checkpoint, signatures) => acceptGeneration(generations, checkpoint, signatures),
  };
}

const role = (age) => (age === 0 ? 'the ledger\u2019s key' : 'an older key of the ledger');

function acceptGeneration(generations, { origin }, signatures) {
  const name = generations[0][0].name;
  if (origin !== name) {
    throw new Refusal(`The receipt is from another ledger: \u201c${origin}\u201d, not \u201c${name}\u201d.`, 'Are these the keys of the right ledger?');
  }
  const signed = (key) => signatures.some(({ key: by, status }) => status === 'verified' && by.line === key.line);
  const age = generations.findIndex((generation) => generation.every(signed));
  if (age < 0) throw missing(generations[0].filter((key) => !signed(key)), signatures);
  const cautions = [];
  if (age > 0) cautions.push('It was signed with older keys of the ledger, not with the newest that you gave.');
  if (generations[age].length === 1) {
    cautions.push(`Only one kind of signature was checked, ${generations[age][0].kind}. A ledger of this kind has two kinds of keys: ask for both.`);
  }
  return cautions;
}

function missing(keys, signatures) {
  if (!signatures.some(({ status }) => status === 'verified')) {
    return new Refusal('None of the keys that you gave has signed this receipt.', 'Are these the keys of the right ledger, and are they current?');
  }
  const names = keys.map(({ kind, id }) => `${kind} (id ${id})`).join(', ');
  return new Refusal(`A signature is missing: not every key of the ledger has signed. Missing: ${names}.`, 'A genuine receipt has them all. Ask the custodian for it.');
}

/** No public key may stand for two, and no name and id for two keys. */
export function refuseDuplicates(keys) {
  const publicKeys = new Set(keys.map(({ publicKey }) => base64(publicKey)));
  const names = new Set(keys.map(({ name, id }) => `${name}+${id}`));
  if (publicKeys.size !== keys.length || names.size !== keys.length) throw new Refusal('A key is given twice.');
}
