// A release's manifest and files against the digest in the entry.
import { sha256, sha256OfFile } from './crypto.js';
import { Refusal, fromBase64, hex, text } from './encoding.js';

/** Compares the manifest with the entry; gives the names and digests of the released files. */
export async function checkManifest(fields, manifest) {
  const expected = fields?.manifest;
  if (typeof expected !== 'string') {
    throw new Refusal('The entry in the receipt names no manifest, so there is nothing to compare the manifest with.', 'Is it the receipt of this release?');
  }
  const found = `sha256:${hex(await sha256(manifest))}`;
  if (found !== expected) {
    throw new Refusal(`The manifest is not the one that was entered in the ledger. Its digest is ${found}; the ledger says ${expected}.`, 'It was changed, or it belongs to another release.');
  }
  return { digest: found, subjects: readSubjects(manifest) };
}

function readSubjects(manifest) {
  try {
    const envelope = JSON.parse(text(manifest, 'The manifest'));
    const payload = fromBase64(envelope.payload);
    return JSON.parse(text(payload, 'The manifest')).subject.map(({ name, digest }) => {
      if (typeof name !== 'string' || !/^[0-9a-f]{64}$/.test(digest.sha256)) throw new Error('not a file');
      return { name, digest: digest.sha256 };
    });
  } catch {
    throw new Refusal('The manifest\u2019s digest is right, but its list of files cannot be read.', 'This page reads in-toto statements in DSSE envelopes.');
  }
}

/** Compares files with the manifest's list: each must be in it. */
export async function checkFiles(subjects, files) {
  const given = new Map();
  for (const file of files) {
    const digest = hex(await sha256OfFile(file));
    if (!subjects.some((subject) => subject.digest === digest)) {
      const named = subjects.some(({ name }) => name.split('/').at(-1) === file.name);
      throw new Refusal(
        named ? `The file \u201c${file.name}\u201d is not as it was released.` : `The file \u201c${file.name}\u201d is not one of those released.`,
        `Its digest is ${digest}, which is not in the manifest.`,
      );
    }
    given.set(digest, file.name);
  }
  return subjects.map((subject) => ({ ...subject, given: given.get(subject.digest) ?? null }));
}
