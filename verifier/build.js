// Makes verify.html: one file, the same bytes every time.
//
// `node build.js` writes it; `page()` only makes it, so that a test can compare.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = new URL('./', import.meta.url);
const read = (name) => readFileSync(new URL(name, folder), 'utf8');
const digest = (text, encoding) => createHash('sha256').update(text).digest(encoding);

/** What the page is made from. */
const SOURCES = ['build.js', 'package-lock.json', 'page.css', 'page.html', ...readdirSync(new URL('src', folder)).sort().map((name) => `src/${name}`)];

/** A digest over the sources, by which anybody sees without node that the page is up to date. */
const sourcesDigest = () => digest(SOURCES.map((name) => `${digest(read(name), 'hex')}  ${name}\n`).join(''), 'hex');

/** The page. */
export async function page() {
  const { build } = await import('esbuild');
  const options = { entryPoints: [fileURLToPath(new URL('src/page.js', folder))], bundle: true, minify: true, write: false, charset: 'ascii', target: 'es2022', format: 'iife', legalComments: 'none' };
  const script = (await build(options)).outputFiles[0].text;
  const { outputFiles } = await build({ entryPoints: [fileURLToPath(new URL('page.css', folder))], minify: true, write: false, legalComments: 'none' });
  const style = outputFiles[0].text;
  if (/<\/(script|style)|<!--/i.test(script + style)) throw new Error('the page would end in its middle');
  const csp = [
    "default-src 'none'",
    `script-src 'sha256-${digest(script, 'base64')}'`,
    `style-src 'sha256-${digest(style, 'base64')}'`,
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
  const parts = {
    '<!-- SOURCES -->': `<!-- Made by the build script in verifier/; sources sha256:${sourcesDigest()} -->`,
    'content="CSP"': `content="${csp}"`,
    '>STYLE<': `>${style}<`,
    '>LICENCES<': `>${licences()}<`,
    '>SCRIPT<': `>${script}<`,
  };
  return Object.entries(parts).reduce((html, [place, part]) => html.replace(place, () => part), read('page.html'));
}

function licences() {
  const packages = ['curves', 'hashes', 'post-quantum'];
  const texts = packages.map((name) => {
    const { version } = JSON.parse(read(`node_modules/@noble/${name}/package.json`));
    return `@noble/${name} ${version}\n\n${read(`node_modules/@noble/${name}/LICENSE`).trim()}\n`;
  });
  return texts.join('\n').replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(new URL('verify.html', folder), await page());
