// Judges pages that stand alone: html-validate reads each, axe-core looks at each in Chromium, narrow in the
// light theme and wide in the dark one. The folder is the argument, what was found is one JSON document.
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

// Of pages that are made of the same template one after the other, a few are enough.
const alike = files.filter((file) => file.startsWith('explain-'));
const looked = files.filter((file) => !file.startsWith('explain-')).concat(alike.slice(0, 3));
const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--host-resolver-rules=MAP * ~NOTFOUND'],
});
for (const [colorScheme, width] of [['light', 320], ['dark', 1100]]) {
  const context = await browser.newContext({ colorScheme, viewport: { width, height: 800 }, bypassCSP: true });
  const page = await context.newPage();
  for (const file of looked) {
    await page.goto(`file://${path.join(folder, file)}`);
    const where = `${file} (${colorScheme}, ${width})`;
    if (await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)) {
      faults.push(`${where}: wider than the window`);
    }
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
    for (const one of violations) faults.push(`${where}: ${one.id}: ${one.nodes[0].html.slice(0, 120)}`);
  }
  await context.close();
}
await browser.close();
process.stdout.write(JSON.stringify({ pages: files.length, looked: looked.length, faults }));
