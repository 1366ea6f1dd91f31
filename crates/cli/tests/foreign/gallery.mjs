// Judges pages that stand alone: html-validate reads each, axe-core looks at each in Chromium, in both themes,
// narrow and wide; each has to fit a screen, with words that can be read and places that a finger hits. The
// folder is the argument, what was found is one JSON document.
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { HtmlValidate, StaticConfigLoader } from 'html-validate';
import { chromium } from 'playwright-core';

const folder = path.resolve(process.argv[2]);
const files = fs.readdirSync(folder).filter((file) => file.endsWith('.html')).sort();
const faults = [];

const presets = ['recommended', 'standard', 'document', 'a11y', 'browser'].map((name) => `html-validate:${name}`);
// Where there is no script, a page that waits for something has no other way to look again.
const rules = { 'meta-refresh': 'off' };
const judge = new HtmlValidate(new StaticConfigLoader({ root: true, extends: presets, rules }));
for (const file of files) {
  const report = await judge.validateString(fs.readFileSync(path.join(folder, file), 'utf8'), file);
  for (const one of report.results.flatMap((all) => all.messages)) {
    faults.push(`${file}:${one.line}: ${one.ruleId}: ${one.message}`);
  }
}

const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--host-resolver-rules=MAP * ~NOTFOUND'],
});
// Lists have no end by themselves.
const lists = { 'catalogue-all.html': 20_000, 'clicks-classic.html': 920 };
// What of a page is too low for a screen of a small notebook, and which words are too small to read.
const unfit = (page) => page.evaluate(() => {
  const small = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if (!own || element.getClientRects().length === 0) continue;
    const drawing = element.closest('svg');
    const scale = drawing ? drawing.getBoundingClientRect().width / drawing.viewBox.baseVal.width : 1;
    const size = parseFloat(getComputedStyle(element).fontSize) * scale;
    if (size > 0 && size < 12) small.push(`${element.textContent.trim().slice(0, 40)}: ${size.toFixed(1)} px`);
  }
  const cards = [...document.querySelectorAll('main .card')];
  const tooWide = document.documentElement.scrollWidth > innerWidth;
  return { small, tooWide, bottom: Math.max(...cards.map((card) => card.getBoundingClientRect().bottom)) };
});
const ways = ['light', 'dark'].flatMap((colorScheme) => [320, 1280].map((width) => ({ colorScheme, width })));
const more = { 'target-size': { enabled: true } };
let looks = 0;
// Most of a look is waiting for the next frame: a few pages are looked at side by side.
// The pages of the diagnoses are one page with other words: a few are enough.
const left = files.filter((file, number) => !file.startsWith('explain-') || number % 10 === 0);
async function lookAtAll() {
  const context = await browser.newContext({ bypassCSP: true, reducedMotion: 'reduce' });
  // There is no wizard behind these pages: none of them is told that it does not answer.
  await context.addInitScript(() => { globalThis.fetch = () => new Promise(() => {}); });
  const page = await context.newPage();
  for (let next = left.pop(); next; next = left.pop()) await lookAt(page, next);
}
async function lookAt(page, file) {
  await page.goto(`file://${path.join(folder, file)}`);
  await page.evaluate(axe);
  for (const { colorScheme, width } of ways) {
    looks += 1;
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 800 });
    const where = `${file} (${colorScheme}, ${width})`;
    const { small, bottom, tooWide } = await unfit(page);
    if (tooWide) faults.push(`${where}: wider than the window`);
    faults.push(...small.map((words) => `${where}: too small: ${words}`));
    const room = lists[file] ?? (file.startsWith('explain-') ? 900 : 800);
    if (width > 320 && bottom > room) faults.push(`${where}: does not fit a screen: ${Math.round(bottom)} px`);
    const { violations } = await page.evaluate((all) => globalThis.axe.run(document, { resultTypes: ['violations'], rules: all }), more);
    for (const one of violations) faults.push(`${where}: ${one.id}: ${one.nodes[0].html.slice(0, 120)}`);
  }
}
await Promise.all([lookAtAll(), lookAtAll(), lookAtAll(), lookAtAll()]);
await browser.close();
process.stdout.write(JSON.stringify({ pages: files.length, looks, faults }));
