// Made cosignatures.vkeys, cosignatures.checkpoint and untimed.checkpoint, once, with none of this crate's code: Node's
// own crypto for Ed25519, and @noble/post-quantum 0.7.1 for ML-DSA-44.
//
//     npm install @noble/post-quantum@0.7.1 && node cosignatures.mjs
//
// The checkpoint is the example of c2sp.org/tlog-cosignature. The keys' seeds are 32 bytes that
// count up from 0, 32, 64 and 96.
import { ml_dsa44 } from '@noble/post-quantum/ml-dsa.js';
import { createHash, createPrivateKey, createPublicKey, sign as edsign } from 'node:crypto';
import { writeFileSync } from 'node:fs';
const enc = new TextEncoder();
const cat = (...a) => Buffer.concat(a.map(x => typeof x === 'string' ? enc.encode(x) : x));
const u64 = n => { const b = Buffer.alloc(8); b.writeBigUInt64BE(BigInt(n)); return b; };
const seed = k => Buffer.from(Array.from({length:32}, (_, i) => (i + k) & 255));
const keyId = (name, type, pk) => createHash('sha256').update(cat(name, '\n', Buffer.from([type]), pk)).digest().subarray(0, 4);
const vkey = (name, type, pk) => `${name}+${keyId(name,type,pk).toString('hex')}+${cat(Buffer.from([type]), pk).toString('base64')}`;
const line = (name, type, pk, sig) => `— ${name} ${cat(keyId(name,type,pk), sig).toString('base64')}\n`;
const origin = 'example.com/behind-the-sofa', size = 20852163;
const root = Buffer.from('CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=', 'base64');
const body = `${origin}\n${size}\n${root.toString('base64')}\n`;
const time = 1679315147;
const ed = k => { const priv = createPrivateKey({ key: cat(Buffer.from('302e020100300506032b657004220420','hex'), seed(k)), format:'der', type:'pkcs8' });
  const pk = createPublicKey(priv).export({format:'der',type:'spki'}).subarray(-32); return { pk, sign: m => edsign(null, m, priv) }; };
const ml = k => { const { publicKey, secretKey } = ml_dsa44.keygen(new Uint8Array(seed(k)));
  return { pk: Buffer.from(publicKey), sign: m => Buffer.from(ml_dsa44.sign(new Uint8Array(m), secretKey, { extraEntropy: false })) }; };
const pq = (name, k, time) => { const key = ml(k); const msg = cat('subtree/v1\n\0', Buffer.from([name.length]), name, u64(time), Buffer.from([origin.length]), origin, u64(0), u64(size), root);
  return { v: vkey(name, 6, key.pk), l: line(name, 6, key.pk, cat(u64(time), key.sign(msg))) }; };
const cosig = (name, k) => { const key = ed(k); return { v: vkey(name, 4, key.pk), l: line(name, 4, key.pk, cat(u64(time), key.sign(cat(`cosignature/v1\ntime ${time}\n`, body)))) }; };
const plain = (name, k) => { const key = ed(k); return { v: vkey(name, 1, key.pk), l: line(name, 1, key.pk, key.sign(enc.encode(body))) }; };
const all = [plain(origin, 0), pq(origin, 32, time), cosig('witness.example.com/w1', 64), pq('witness.example.com/w2', 96, time)];
writeFileSync('cosignatures.vkeys', all.map(x => x.v + '\n').join(''));
writeFileSync('cosignatures.checkpoint', body + '\n' + all.map(x => x.l).join(''));
// A log may state no time.
writeFileSync('untimed.checkpoint', body + '\n' + pq(origin, 32, 0).l);
