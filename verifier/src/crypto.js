// The three primitives: SHA-256, Ed25519 and ML-DSA-44.
//
// The browser's own WebCrypto does what it can; the noble libraries do the rest, and stand in
// where a browser has no Ed25519 or hides WebCrypto from local files.
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import { ml_dsa44 } from '@noble/post-quantum/ml-dsa.js';

import { hex } from './encoding.js';

// Points for which a signature proves nothing, with the sign bit cleared.
const SMALL_ORDER = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
]);

/** Whether an encoded point has small order: as a key it would pass forged signatures. */
export function isSmallOrder(point) {
  const unsigned = Uint8Array.from(point);
  unsigned[31] &= 0x7f;
  return SMALL_ORDER.has(hex(unsigned));
}

/** SHA-256 of bytes in memory. */
export async function sha256(bytes, subtle = globalThis.crypto?.subtle) {
  if (!subtle) return nobleSha256(bytes);
  return new Uint8Array(await subtle.digest('SHA-256', bytes));
}

/** SHA-256 of a file of any size, read piece by piece. */
export async function sha256OfFile(file) {
  const hash = nobleSha256.create();
  const reader = file.stream().getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return hash.digest();
    hash.update(value);
  }
}

/** Whether this is the key's Ed25519 signature of the message (RFC 8032, strict). */
export async function verifyEd25519(publicKey, message, signature, subtle = globalThis.crypto?.subtle) {
  if (signature.length !== 64 || publicKey.length !== 32) return false;
  if (isSmallOrder(publicKey) || isSmallOrder(signature.subarray(0, 32))) return false;
  let key;
  try {
    key = await subtle.importKey('raw', publicKey, 'Ed25519', false, ['verify']);
  } catch {
    // No WebCrypto, no Ed25519 in it, or no point: noble answers all three.
    return ed25519.verify(signature, message, publicKey, { zip215: false });
  }
  return subtle.verify('Ed25519', key, signature, message);
}

/** Whether this is the key's ML-DSA-44 signature of the message (FIPS 204, empty context). */
export function verifyMlDsa44(publicKey, message, signature) {
  if (signature.length !== 2420 || publicKey.length !== 1312) return false;
  return ml_dsa44.verify(signature, message, publicKey);
}
