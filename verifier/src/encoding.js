// Bytes and their text forms. Every decoder is strict: one value has one text.

/** A reason to refuse, in words for the reader; `hint` says what to do. */
export class Refusal extends Error {
  constructor(message, hint = '') {
    super(message);
    this.hint = hint;
  }
}

const encoder = new TextEncoder();

/** The bytes of a text. */
export const utf8 = (text) => encoder.encode(text);

/** The text of bytes that must be UTF-8. `what` names them in the refusal. */
export function text(bytes, what) {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Refusal(`${what} is not text`, 'Is it the right file?');
  }
}

/** Lower-case hexadecimal. */
export const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');

/** Standard Base64 with padding. */
export const base64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));

/** Decodes Base64 that is exactly as `base64` writes it; anything else is null. */
export function fromBase64(line) {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(line) || line.length % 4 !== 0) return null;
  const bytes = Uint8Array.from(atob(line), (char) => char.charCodeAt(0));
  return base64(bytes) === line ? bytes : null;
}

/** Decodes Base64 for addresses, without padding; anything else is null. */
export function fromBase64Url(line) {
  if (!/^[A-Za-z0-9_-]*$/.test(line) || line.length % 4 === 1) return null;
  const padding = '='.repeat((4 - (line.length % 4)) % 4);
  return fromBase64(line.replaceAll('-', '+').replaceAll('_', '/') + padding);
}

/** A whole number in plain decimal as a BigInt; anything else is null. */
export const fromDecimal = (line) => (/^(0|[1-9][0-9]{0,18})$/.test(line) ? BigInt(line) : null);

/** One byte sequence after the other. */
export function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A number as eight bytes, the highest first. */
export function u64(number) {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, number);
  return bytes;
}

/** The number in the first eight bytes. */
export const fromU64 = (bytes) => new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0);

/** Whether two byte sequences are the same. */
export const equal = (a, b) => a.length === b.length && a.every((byte, at) => byte === b[at]);
