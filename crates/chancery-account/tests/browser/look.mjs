// Looks at pages in a headless Chromium: axe-core at phone and desktop widths, light and dark; whether the page is wider
// than the screen; whether every link is reached by keyboard and seen to be. Prints what it found as JSON.
//
//     node look.mjs CHROMIUM AXE.js [--shots DIR] PAGE.html…
//
// The browser is driven through its own pipe, so that nothing listens on a port.

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [chromium, axeFile, ...rest] = process.argv.slice(2);
const shots = rest[0] === '--shots' ? rest.splice(0, 2)[1] : undefined;
const axe = readFileSync(axeFile, 'utf8');
const profile = mkdtempSync(join(tmpdir(), 'look-'));
const browser = spawn(
  chromium,
  ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--remote-debugging-pipe',
    '--force-color-profile=srgb', '--hide-scrollbars', `--user-data-dir=${profile}`, 'about:blank'],
  { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] },
);

let next = 0;
const waiting = new Map();
const listeners = [];
let buffer = '';
browser.stdio[4].on('data', (chunk) => {
  buffer += chunk;
  for (let end = buffer.indexOf('\0'); end >= 0; end = buffer.indexOf('\0')) {
    const message = JSON.parse(buffer.slice(0, end));
    buffer = buffer.slice(end + 1);
    if (message.id) {
      const { done, failed } = waiting.get(message.id);
      waiting.delete(message.id);
      if (message.error) failed(new Error(message.error.message));
      else done(message.result);
    } else {
      for (const listener of [...listeners]) listener(message);
    }
  }
});

const send = (method, params = {}, sessionId = undefined) =>
  new Promise((done, failed) => {
    next += 1;
    waiting.set(next, { done, failed });
    browser.stdio[3].write(`${JSON.stringify({ id: next, method, params, sessionId })}\0`);
  });
const event = (method) =>
  new Promise((done) => {
    const listener = (message) => {
      if (message.method !== method) return;
      listeners.splice(listeners.indexOf(listener), 1);
      done(message.params);
    };
    listeners.push(listener);
  });

const { targetId } = await send('Target.createTarget', { url: 'about:blank' });
const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true });
const page = (method, params) => send(method, params, sessionId);
const evaluate = async (expression) => {
  const { result, exceptionDetails } = await page('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
  if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  return result.value;
};

await page('Page.enable');
await page('Network.enable');
const requests = [];
listeners.push((message) => {
  if (message.method === 'Network.requestWillBeSent') requests.push(message.params.request.url);
});

const screens = [
  { name: 'phone', width: 360, height: 780, mobile: true },
  { name: 'desktop', width: 1280, height: 900, mobile: false },
];
const found = [];
for (const file of rest) {
  for (const { name, ...size } of screens) {
    for (const scheme of ['light', 'dark']) {
      await page('Emulation.setDeviceMetricsOverride', { ...size, deviceScaleFactor: 1 });
      await page('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] });
      // The page's own rules let no script in, and so not axe either.
      await page('Page.setBypassCSP', { enabled: true });
      requests.length = 0;
      const loaded = event('Page.loadEventFired');
      await page('Page.navigate', { url: pathToFileURL(resolve(file)).href });
      await loaded;
      const asked = [...requests];
      const wide = await evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
      const scripts = await evaluate('document.scripts.length');
      if (shots) {
        mkdirSync(shots, { recursive: true });
        const shot = async (params) => Buffer.from((await page('Page.captureScreenshot', params)).data, 'base64');
        const stem = join(shots, `${basename(file, '.html')}-${name}-${scheme}`);
        const { cssContentSize } = await page('Page.getLayoutMetrics');
        const clip = { ...cssContentSize, scale: 1 };
        writeFileSync(`${stem}.png`, await shot({ format: 'png', captureBeyondViewport: true, clip }));
        if (name === 'desktop' && scheme === 'light') {
          const pdf = await page('Page.printToPDF', { preferCSSPageSize: true });
          writeFileSync(`${stem}.pdf`, Buffer.from(pdf.data, 'base64'));
        }
      }
      const unseen = await keyboard();
      await evaluate(`${axe}; undefined`);
      const result = await evaluate(`axe.run(document, { resultTypes: ['violations', 'incomplete'] }).then((r) => ({
        violations: r.violations.map((v) => ({ id: v.id, help: v.help, nodes: v.nodes.slice(0, 3).map((n) => n.html) })),
        passes: r.passes.length,
      }))`);
      found.push({ page: basename(file), screen: name, scheme, wide, scripts, requests: asked.length, unseen, ...result });
    }
  }
}
console.log(JSON.stringify(found, null, 1));
await send('Browser.close').catch(() => undefined);
await new Promise((done) => browser.once('exit', done));
rmSync(profile, { recursive: true, force: true });

// Tabs through the page: what can take the focus does, in its order, and shows it.
async function keyboard() {
  const all = await evaluate(`(() => { window.stops = [...document.querySelectorAll('a[href], summary, [tabindex="0"]')];
    window.seen = new Set(); document.activeElement.blur?.(); return window.stops.length; })()`);
  const unseen = [];
  for (let step = 0; step < all; step += 1) {
    for (const type of ['keyDown', 'keyUp']) {
      await page('Input.dispatchKeyEvent', { type, key: 'Tab', code: 'Tab', windowsVirtualKeyCode: 9 });
    }
    const stop = await evaluate(`(() => { const now = document.activeElement; const at = window.stops.indexOf(now);
      const box = now.getBoundingClientRect(); const style = getComputedStyle(now);
      window.seen.add(at);
      return { at, seen: box.width > 0 && box.right > 0 && (style.outlineStyle !== 'none' || now.className === 'skip') }; })()`);
    if (stop.at !== step || !stop.seen) unseen.push(stop);
  }
  return unseen;
}
