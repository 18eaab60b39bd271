import assert from 'node:assert/strict';
import { test } from 'node:test';

import { verifyEd25519 } from '../src/crypto.js';
import { base64, fromBase64, fromBase64Url, utf8 } from '../src/encoding.js';
import { checkSignatures, parseKey } from '../src/keys.js';
import { isIncluded, leafHash } from '../src/merkle.js';
import { parseNote, parseCheckpoint } from '../src/note.js';
import { verify } from '../src/verify.js';
import { ED, ENTRIES, KEYS, MANIFEST, ML, NAME, RELEASE, checkpointOf, makeKey, pathOf, receipt, rootOf, sign } from './log.js';

const check = (given = {}) => verify({ receipt: utf8(receipt()), keys: utf8(KEYS), now: 1_790_000_000_000, ...given });
const refused = async (given, reason) => {
  const report = await check(given);
  assert.equal(report.result, 'refused', report.reason ?? 'it was verified');
  assert.match(report.reason, reason);
  assert.equal(report.shown, undefined);
};
const changed = (text, at) => text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);

test('a genuine receipt is verified, with all that it shows', async () => {
  const report = await check();
  assert.equal(report.result, 'verified', report.reason);
  assert.deepEqual([report.shown.origin, report.shown.index, report.shown.size], [NAME, 3n, 7n]);
  assert.equal(report.shown.entry.raw, RELEASE);
  assert.equal(report.shown.entry.fields.recipient, 'dhs/ice');
  assert.deepEqual(report.signatures.map(({ status, time }) => [status, time]), [['verified', null], ['verified', 1_790_000_000n]]);
  assert.deepEqual(report.cautions, []);
});

test('no single character of a receipt can be changed unnoticed', async () => {
  const text = receipt();
  const places = [...text].map((_, at) => at).filter((at) => text[at] !== '\n');
  // Each in the head, and every so many in the long signature.
  const some = places.filter((at) => at < 500 || at % 97 === 0 || at > text.length - 20);
  for (const at of some) {
    const report = await check({ receipt: utf8(changed(text, at)) });
    assert.notEqual(report.result, 'verified', `character ${at}`);
  }
});

test('a changed entry, index, hash, root or signature is refused with the reason', async () => {
  const other = utf8(RELEASE.replace('dhs/ice', 'dhs/cbp'));
  await refused({ receipt: utf8(receipt({ extra: other })) }, /not in the ledger at this place/);
  await refused({ receipt: utf8(receipt({ at: 2 })) }, /not in the ledger at this place/);
  await refused({ receipt: utf8(receipt({ at: 7 })) }, /not in the ledger at this place/);
  await refused({ receipt: utf8(receipt({ hashes: pathOf(2, ENTRIES) })) }, /not in the ledger at this place/);
  await refused({ receipt: utf8(receipt({ hashes: [...pathOf(3, ENTRIES), rootOf(ENTRIES)] })) }, /not in the ledger at this place/);
  const { root } = checkpointOf();
  const line = `\n${base64(root)}\n`;
  await refused({ receipt: utf8(receipt().replace(line, changed(line, 5))) }, /not genuine/);
});

test('a missing signature is refused, and so are other keys', async () => {
  await refused({ receipt: utf8(receipt({ keys: [ED] })) }, /signature is missing.*ML-DSA-44/);
  await refused({ receipt: utf8(receipt({ keys: [ML] })) }, /signature is missing.*Ed25519/);
  await refused({ keys: utf8(`${makeKey(NAME, 0x01, 8).vkey}\n${makeKey(NAME, 0x06, 9).vkey}\n`) }, /None of the keys/);
  await refused({ keys: utf8(makeKey('other.example/ledger', 0x01, 8).vkey) }, /another ledger/);
});

test('a bad signature by a known key refuses, whatever else is good; one by an unknown key does not', async () => {
  const forged = sign(ED, { ...checkpointOf(), size: 8n });
  await refused({ receipt: utf8(receipt({ more: forged })) }, /not genuine/);
  const stranger = sign(makeKey('stranger.example', 0x04, 9), { ...checkpointOf(), size: 8n });
  const report = await check({ receipt: utf8(receipt({ more: stranger })) });
  assert.equal(report.result, 'verified');
  assert.deepEqual(report.signatures.map(({ status }) => status), ['verified', 'verified', 'unknown']);
});

test('a name without its id, or an id without its name, is an unknown key', async () => {
  const twin = { ...makeKey(NAME, 0x01, 8), id: Uint8Array.from([...ED.id].map((byte) => byte ^ 1)) };
  const report = await check({ receipt: utf8(receipt({ more: sign(twin, checkpointOf()) })) });
  assert.deepEqual(report.signatures.map(({ status }) => status), ['verified', 'verified', 'unknown']);
});

test('ML-DSA signatures are bound to time, name, size and root', async () => {
  const key = await parseKey(ML.vkey);
  const status = async (line, checkpoint = checkpointOf()) => {
    const body = `${checkpoint.origin}\n${checkpoint.size}\n${base64(checkpoint.root)}\n`;
    return (await checkSignatures([key], parseCheckpoint(`${body}\n${line}`)))[0].status;
  };
  const line = sign(ML, checkpointOf(), 5n);
  assert.equal(await status(line), 'verified');
  assert.equal(await status(line, { ...checkpointOf(), size: 8n }), 'failed');
  assert.equal(await status(line, { ...checkpointOf(), origin: 'other.example' }), 'failed');
  assert.equal(await status(line, { ...checkpointOf(), root: new Uint8Array(32) }), 'failed');
  const bytes = fromBase64(line.trim().split(' ')[2]);
  bytes[11] ^= 1; // the time
  assert.equal(await status(`\u2014 ${NAME} ${base64(bytes)}\n`), 'failed');
  assert.equal(await status(sign(ML, checkpointOf(), 0n)), 'failed');
});

test('older keys are accepted with a caution; half of a generation never', async () => {
  const newer = [makeKey(NAME, 0x01, 11), makeKey(NAME, 0x06, 12)];
  const keys = utf8(`${newer[0].vkey}\n${newer[1].vkey}\n${KEYS}`);
  assert.match((await check({ keys })).cautions[0], /older keys/);
  const overlap = await check({ keys, receipt: utf8(receipt({ keys: [...newer, ED, ML] })) });
  assert.deepEqual(overlap.cautions, []);
  await refused({ keys, receipt: utf8(receipt({ keys: [newer[0], ML] })) }, /signature is missing/);
  await refused({ keys: utf8(`${ML.vkey}\n${newer[1].vkey}\n`) }, /not in order/);
  const alone = await check({ keys: utf8(ED.vkey) });
  assert.match(alone.cautions[0], /Only one kind/);
});

test('a time that is yet to come is remarked on', async () => {
  assert.deepEqual((await check({ now: 1_790_000_000_000 })).cautions, []);
  assert.match((await check({ now: 1_700_000_000_000 })).cautions[0], /yet to come/);
});

test('keys that passed through an editor still work', async () => {
  assert.equal((await check({ keys: utf8(`\ufeff# ours\r\n\r\n${KEYS.replaceAll('\n', '\r\n')}`) })).result, 'verified');
});

test('keys that cannot be right are refused', async () => {
  await refused({ keys: utf8(KEYS + ED.vkey) }, /twice/);
  await refused({ keys: utf8(ED.vkey.replace('agency', 'agenci')) }, /does not belong/);
  await refused({ keys: utf8('PRIVATE+KEY+x+00000000+AAAA') }, /SECRET/);
  await refused({ keys: utf8('# nothing\n') }, /no key/);
  await refused({ keys: utf8(`${KEYS}x`) }, /cannot be used/);
  await assert.rejects(parseKey('x+47f00c5b+AQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'), /weak/);
});

test('what is missing is said, and is never an acceptance', async () => {
  for (const given of [{ receipt: null }, { keys: null }, { receipt: utf8(receipt({ extra: null })) }, { files: [new File(['x'], 'x')] }]) {
    assert.equal((await check(given)).result, 'unchecked');
  }
  assert.equal((await check({ receipt: utf8(receipt({ extra: null })), entry: ENTRIES[3] })).result, 'verified');
  await refused({ entry: ENTRIES[2] }, /not the one that the receipt carries/);
});

test('a receipt that was mangled on its way says so', async () => {
  await refused({ receipt: utf8(receipt().replaceAll('\n', '\r\n')) }, /line ends were changed/);
  await refused({ receipt: utf8('hello') }, /first line/);
  await refused({ receipt: new Uint8Array([0xff, 0xfe]) }, /not text/);
  await refused({ receipt: utf8(receipt().replace('index 3', 'index 03')) }, /index/);
  await refused({ receipt: utf8(receipt().trimEnd()) }, /no signatures/);
});

test('policy: any log key and the quorum', async () => {
  const witnesses = [21, 22, 23].map((number) => makeKey(`w${number}.example`, number === 22 ? 0x04 : 0x06, number));
  const lines = witnesses.map((key, at) => `witness w${at} ${key.vkey} https://w.example/\n`).join('');
  const policy = (rest, logs = `log ${ED.vkey}\n`) => utf8(`# trust\n\n${logs}${lines}${rest}`);
  const signed = (...by) => utf8(receipt({ more: by.map((at) => sign(witnesses[at], checkpointOf())).join('') }));
  const two = policy('group g 2 w0 w1 w2\nquorum g\n');

  assert.equal((await check({ keys: two, receipt: signed(0, 1) })).result, 'verified');
  await refused({ keys: two, receipt: signed(1) }, /quorum is not met/);
  await refused({ keys: two, receipt: signed(1, 1) }, /quorum is not met/);
  assert.equal((await check({ keys: policy('quorum none\n') })).result, 'verified');
  await refused({ keys: policy('group a any w0 w1\ngroup b all a w2\nquorum b\n'), receipt: signed(0, 1) }, /quorum/);
  assert.equal((await check({ keys: policy('group a any w0 w1\ngroup b all a w2\nquorum b\n'), receipt: signed(1, 2) })).result, 'verified');

  const forged = sign(witnesses[2], { ...checkpointOf(), size: 9n });
  await refused({ keys: policy('quorum none\n'), receipt: utf8(receipt({ more: forged })) }, /not genuine/);
  await refused({ keys: policy('quorum none\n', `log ${makeKey('b.example', 0x01, 3).vkey}\n`) }, /does not name/);
  await refused({ keys: policy('quorum none\n', `log ${makeKey(NAME, 0x01, 3).vkey}\n`) }, /None of the log/);

  const wrong = ['', 'quorum w9\n', 'quorum w0\nquorum w0\n', 'group g 4 w0 w1 w2\nquorum g\n', 'group g 0 w0\nquorum g\n', 'group none any w0\nquorum none\n',
    'group g any w0 w0\nquorum g\n', 'group g any w0\ngroup h any w0\nquorum h\n', 'group w0 any w1\nquorum w0\n', 'quorum none', 'witnes x y\nquorum none\n',
    `witness x ${ED.vkey}\nquorum none\n`, `witness x ${witnesses[0].vkey}\nquorum none\n`, 'group g constructor w0\nquorum g\n'];
  for (const rest of wrong) await refused({ keys: policy(rest), receipt: signed(0, 1, 2) }, /./);
  await refused({ keys: utf8('quorum none\n') }, /names no log/);
});

test('manifest and files are compared with the entry', async () => {
  const file = (text, name = 'people.csv') => new File([text], name);
  const report = await check({ manifest: MANIFEST, files: [file('a,b\n1,2\n')] });
  assert.equal(report.result, 'verified', report.reason);
  assert.deepEqual(report.shown.files.map(({ name, given }) => [name, given]), [['data/people.csv', 'people.csv']]);
  await refused({ manifest: utf8(`${new TextDecoder().decode(MANIFEST)} `) }, /not the one/);
  await refused({ manifest: MANIFEST, files: [file('a,b\n1,3\n')] }, /not as it was released/);
  await refused({ manifest: MANIFEST, files: [file('x', 'other.csv')] }, /not one of those/);
  await refused({ manifest: MANIFEST, receipt: utf8(receipt({ index: 0 })) }, /names no manifest/);
});

test('an entry has fields only when it is written in the only way', async () => {
  const fields = async (text) => (await check({ receipt: utf8(receipt({ index: 0, entries: [utf8(text)] })) })).shown.entry.fields;
  assert.deepEqual(await fields('{"type":"new","list":[1,"a"]}'), { type: 'new', list: [1, 'a'] });
  for (const text of ['{"a":1,"a":2}', '{"a": 1}', '[1]', '"x"', 'null', '{"a":12345678901234567890}', 'x', `{"a":${'['.repeat(30_000)}${']'.repeat(30_000)}}`]) assert.equal(await fields(text), null);
  const binary = await check({ receipt: utf8(receipt({ index: 0, entries: [new Uint8Array([0xff])] })) });
  assert.equal(binary.shown.entry.raw, null);
});

test('inclusion holds for every index of every small tree, and for nothing else', async () => {
  for (let size = 1; size <= 17; size += 1) {
    const entries = Array.from({ length: size }, (_, at) => utf8(`entry ${at}`));
    const root = rootOf(entries);
    for (let index = 0; index < size; index += 1) {
      const leaf = await leafHash(entries[index]);
      const path = pathOf(index, entries);
      assert.ok(await isIncluded(leaf, BigInt(index), BigInt(size), path, root));
      assert.ok(!(await isIncluded(leaf, BigInt(index + 1), BigInt(size), path, root)));
      assert.ok(!(await isIncluded(leaf, BigInt(index), BigInt(size), [...path, root], root)));
      if (size > 1) assert.ok(!(await isIncluded(leaf, BigInt(index), BigInt(size), path.slice(1), root)));
    }
  }
});

test('the published examples of c2sp.org/signed-note and c2sp.org/tlog-cosignature', async () => {
  const key = await parseKey('example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k');
  const note = 'This is an example message.\n\n\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n';
  assert.equal((await checkSignatures([key], parseNote(note)))[0].status, 'verified');
  assert.equal((await checkSignatures([key], parseNote(note.replace('is an', 'was an'))))[0].status, 'failed');
  const checkpoint = 'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n' +
    '\u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n' +
    '\u2014 witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n';
  const parsed = parseCheckpoint(checkpoint);
  assert.deepEqual([parsed.origin, parsed.size, parsed.signatures[1].id], ['example.com/behind-the-sofa', 20852163n, '8d66cf3f']);
});

test('Ed25519 is the same with and without the browser\u2019s own', async () => {
  const key = await parseKey(ED.vkey);
  const [message, line] = [utf8(`${NAME}\n7\n${base64(checkpointOf().root)}\n`), sign(ED, checkpointOf())];
  const signature = fromBase64(line.trim().split(' ')[2]).subarray(4);
  for (const subtle of [globalThis.crypto.subtle, null]) {
    assert.equal(await verifyEd25519(key.publicKey, message, signature, subtle), true);
    assert.equal(await verifyEd25519(key.publicKey, utf8('x'), signature, subtle), false);
    assert.equal(await verifyEd25519(key.publicKey, message, signature.toReversed(), subtle), false);
    const smallOrder = new Uint8Array(64);
    assert.equal(await verifyEd25519(key.publicKey, message, smallOrder, subtle), false);
  }
});

test('one value has one text', () => {
  assert.deepEqual(fromBase64('AQI='), new Uint8Array([1, 2]));
  for (const text of ['AQI', 'AQJ=', 'AQI =', 'AQI=\n', '=', 'A-I=']) assert.equal(fromBase64(text), null, text);
  assert.deepEqual(fromBase64Url('-_8'), new Uint8Array([0xfb, 0xff]));
  for (const text of ['-_9', '-_8=', '+_8', 'A']) assert.equal(fromBase64Url(text), null, text);
});
