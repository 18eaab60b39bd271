import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { page } from '../build.js';

test('verify.html is up to date, and small', async () => {
  const committed = readFileSync(new URL('../verify.html', import.meta.url), 'utf8');
  assert.ok(committed === (await page()), 'run `npm run build`');
  assert.ok(committed.length < 150_000);
});

test('verify.html refers to nothing outside of itself', () => {
  const committed = readFileSync(new URL('../verify.html', import.meta.url), 'utf8');
  const markup = committed.replace(/<script>.*<\/script>/s, '').replace(/<pre.*<\/pre>/s, '');
  assert.doesNotMatch(markup, /\b(src|href|action|srcset|poster|data)=|url\(|@import/i);
});
