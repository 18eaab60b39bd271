// The whole check, in order; the report says what was shown, or why it was refused.
import { sha256 } from './crypto.js';
import { Refusal, equal, hex, text } from './encoding.js';
import { checkSignatures, refuseFailed } from './keys.js';
import { checkFiles, checkManifest } from './manifest.js';
import { isIncluded, leafHash } from './merkle.js';
import { parseProof } from './proof.js';
import { parseTrust } from './trust.js';

const DAY = 24 * 60 * 60 * 1000;

/**
 * Checks a receipt.
 *
 * `now` is the time in milliseconds since 1970. `receipt`, `keys`, `entry` and `manifest` are bytes or null, `files` a list of File. The report's
 * `result` is `verified`, `refused`, or `unchecked` when something is missing or this page failed.
 * What the receipt says is in the report only when it is verified, but for the signatures.
 */
export async function verify({ receipt, keys, entry = null, manifest = null, files = [], now = Date.now() }) {
  const report = { result: 'unchecked', checkedAt: now, keys: [], signatures: [], cautions: [] };
  try {
    await check(report, { receipt, keys, entry, manifest, files, now });
  } catch (problem) {
    delete report.shown;
    const known = problem instanceof Refusal;
    report.result = known && !problem.incomplete ? 'refused' : 'unchecked';
    report.reason = known ? problem.message : `This page failed: ${problem.message}`;
    report.hint = known ? problem.hint : 'Nothing was checked. Use a current browser.';
  }
  return report;
}

async function check(report, { receipt, keys, entry, manifest, files, now }) {
  if (!receipt?.length) throw incomplete('The receipt is missing.', 'Give the file that ends in .tlog-proof.');
  if (!keys?.length) throw incomplete('The ledger\u2019s public keys are missing.', 'Without them nobody can say who signed. Get them from somebody you trust.');

  report.receiptDigest = hex(await sha256(receipt));
  const trust = await parseTrust(keys);
  report.keys = trust.keys;
  report.keysDigest = hex(await sha256(keys));
  report.trust = trust.kind;
  const proof = parseProof(receipt);
  const { checkpoint } = proof;

  // Who signed: before anything that the receipt says is believed.
  report.signatures = await checkSignatures(trust.keys, checkpoint);
  refuseFailed(report.signatures);
  report.cautions = trust.accept(checkpoint, report.signatures);
  if (report.signatures.some(({ time }) => time !== null && Number(time) * 1000 > now + DAY)) {
    report.cautions.push('A signature states a time that is yet to come. Either the signer\u2019s clock or this computer\u2019s is wrong.');
  }

  // What they signed: a tree that has this very entry at this very index.
  const bytes = chooseEntry(proof.extra, entry);
  if (!(await isIncluded(await leafHash(bytes), proof.index, checkpoint.size, proof.hashes, checkpoint.root))) {
    throw new Refusal('The entry is not in the ledger at this place: entry, index and hashes do not lead to the signed root.', 'The entry, the index or the proof was changed, or they do not belong together.');
  }
  const { origin, size, root } = checkpoint;
  report.shown = { origin, size, root, index: proof.index, entry: readEntry(bytes) };

  // What the entry stands for.
  if (manifest) report.shown.manifest = await checkManifest(report.shown.entry.fields, manifest);
  if (files.length > 0) {
    if (!manifest) throw incomplete('The released files cannot be compared without the manifest.', 'Give manifest.dsse.json too.');
    report.shown.files = await checkFiles(report.shown.manifest.subjects, files);
  }
  report.result = 'verified';
}

function chooseEntry(carried, given) {
  if (given === null && carried === null) throw incomplete('The receipt does not carry its entry.', 'Give the file with the entry too.');
  if (given !== null && carried !== null && !equal(given, carried)) {
    throw new Refusal('The entry that you gave is not the one that the receipt carries.', 'Are they of the same release?');
  }
  return given ?? carried;
}

/** The entry's text, and its fields where it is one JSON object written in the only form. */
export function readEntry(bytes) {
  let raw;
  try {
    raw = text(bytes, 'The entry');
  } catch {
    return { raw: null, length: bytes.length, fields: null };
  }
  return { raw, length: bytes.length, fields: readFields(raw) };
}

function readFields(raw) {
  try {
    const fields = JSON.parse(raw);
    const plain = typeof fields === 'object' && fields !== null && !Array.isArray(fields);
    // Two fields of one name, or a number too large, would not come back the same.
    return plain && JSON.stringify(fields) === raw ? fields : null;
  } catch {
    return null;
  }
}

function incomplete(message, hint) {
  return Object.assign(new Refusal(message, hint), { incomplete: true });
}
