// c2sp.org/tlog-policy: which logs are known, and which witnesses must have cosigned.
import { Refusal } from './encoding.js';
import { parseKey, refuseDuplicates } from './keys.js';

const LIMIT = 1000;

/** Reads a policy; `lines` are [number, words] without comments and empty lines. */
export async function parsePolicy(lines) {
  if (lines.length > LIMIT) throw new Refusal(`The policy has more than ${LIMIT} lines.`);
  const policy = { logs: [], witnesses: [], named: new Map(), members: new Set(), quorum: null };
  for (const [number, words] of lines) await readLine(policy, number, words);
  if (policy.quorum === null) throw new Refusal('The policy has no quorum line.', 'Without it nobody has said which witnesses are enough.');
  if (policy.logs.length === 0) throw new Refusal('The policy names no log.', 'Add a line \u201clog\u201d with the ledger\u2019s key.');
  // Stricter than the specification: a log is not a witness of its own.
  refuseDuplicates([...policy.logs, ...policy.witnesses]);
  return {
    kind: 'policy',
    keys: [
      ...policy.logs.map((key) => ({ ...key, role: 'a log\u2019s key' })),
      ...policy.witnesses.map((key) => ({ ...key, role: `witness ${key.witness}` })),
    ],
    accept: (checkpoint, signatures) => accept(policy, checkpoint, signatures),
  };
}

async function readLine(policy, number, [keyword, ...words]) {
  const wrong = (problem) => new Refusal(`Line ${number} of the policy is wrong: ${problem}.`);
  const define = (name, rule) => {
    if (name === 'none' || policy.named.has(name)) throw wrong(`the name \u201c${name}\u201d is taken`);
    policy.named.set(name, rule);
  };
  if (keyword === 'log' && (words.length === 1 || words.length === 2)) {
    policy.logs.push(await parseKey(words[0]));
  } else if (keyword === 'witness' && (words.length === 2 || words.length === 3)) {
    const key = { ...(await parseKey(words[1])), witness: words[0] };
    if (key.type === 0x01) throw wrong('a key of this kind is not for witnesses');
    policy.witnesses.push(key);
    define(words[0], (cosigned) => cosigned(key));
  } else if (keyword === 'group' && words.length >= 3) {
    define(words[0], readGroup(policy, words, wrong));
  } else if (keyword === 'quorum' && words.length === 1) {
    if (policy.quorum !== null) throw wrong('there is a second quorum');
    policy.quorum = words[0] === 'none' ? () => true : policy.named.get(words[0]);
    if (!policy.quorum) throw wrong(`nothing above it is called \u201c${words[0]}\u201d`);
    policy.needsWitnesses = words[0] !== 'none';
  } else {
    throw wrong('it is not \u201clog\u201d, \u201cwitness\u201d, \u201cgroup\u201d or \u201cquorum\u201d with what belongs to it');
  }
}

function readGroup(policy, [, threshold, ...members], wrong) {
  const needed = new Map([['any', 1], ['all', members.length]]).get(threshold) ?? (/^[0-9]{1,6}$/.test(threshold) ? Number(threshold) : 0);
  if (needed < 1 || needed > members.length) throw wrong('the number of witnesses that it asks for is not possible');
  const rules = members.map((name) => {
    // Once only, so that no witness counts twice.
    if (!policy.named.has(name) || policy.members.has(name)) throw wrong(`\u201c${name}\u201d is not defined above it, or already in a group`);
    policy.members.add(name);
    return policy.named.get(name);
  });
  return (cosigned) => rules.filter((rule) => rule(cosigned)).length >= needed;
}

function accept(policy, { origin }, signatures) {
  const signed = (key) => signatures.some(({ key: by, status }) => status === 'verified' && by.line === key.line);
  const own = policy.logs.filter(({ name }) => name === origin);
  if (own.length === 0) {
    throw new Refusal(`The receipt is from a log that the policy does not name: \u201c${origin}\u201d.`, 'Is it the right policy?');
  }
  if (!own.some(signed)) {
    throw new Refusal('None of the log\u2019s keys in the policy has signed this receipt.', 'Is it the right policy, and is it current?');
  }
  if (!policy.quorum(signed)) {
    throw new Refusal('Too few witnesses have cosigned: the policy\u2019s quorum is not met.', 'Ask the custodian for a receipt with the cosignatures that the policy wants.');
  }
  const cautions = own
    .filter((key) => !signed(key))
    .map(({ kind, id }) => `The log\u2019s ${kind} key, id ${id}, has not signed. The policy is content with one of the log\u2019s keys.`);
  if (!policy.needsWitnesses) cautions.push('The policy asks for no witnesses, so nobody but the ledger had to sign.');
  return cautions;
}
