// RFC 6962 tree hashes: is this entry at this index of the tree with this root?
import { concat, equal } from './encoding.js';
import { sha256 } from './crypto.js';

/** The hash of an entry as a leaf. */
export const leafHash = (entry) => sha256(concat([0], entry));

const nodeHash = (left, right) => sha256(concat([1], left, right));

/** Follows the hashes from the leaf up and compares with the root (RFC 9162, section 2.1.3.2). */
export async function isIncluded(leaf, index, size, hashes, root) {
  if (index >= size) return false;
  let [node, last, hash] = [index, size - 1n, leaf];
  for (const sibling of hashes) {
    if (last === 0n) return false;
    if (node & 1n || node === last) {
      hash = await nodeHash(sibling, hash);
      while (!(node & 1n) && node !== 0n) {
        node >>= 1n;
        last >>= 1n;
      }
    } else {
      hash = await nodeHash(hash, sibling);
    }
    node >>= 1n;
    last >>= 1n;
  }
  return last === 0n && equal(hash, root);
}
