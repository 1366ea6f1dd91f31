// What a validator and an accessibility checker find in the pages of a folder, in light and dark, on a
// telephone and on a desk. Prints the findings as JSON.
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { HtmlValidate } from 'html-validate';
import { chromium } from 'playwright-core';

const folder = process.argv[2];
const names = fs.readdirSync(folder).filter((name) => name.endsWith('.html')).sort();
const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const findings = [];

const validator = new HtmlValidate({
  extends: ['html-validate:recommended'],
  rules: {
    // A page that looks again by itself must do so without a script too.
    'meta-refresh': 'off',
    // The password of a sign-in elsewhere is not for the browser to keep.
    'autocomplete-password': 'off',
    // Counted with the entities in it.
    'long-title': ['error', { maxlength: 90 }],
  },
});
for (const name of names) {
  const report = await validator.validateFile(path.join(folder, name));
  for (const { messages } of report.results) {
    findings.push(...messages.map((m) => `${name}:${m.line}: ${m.ruleId}: ${m.message}`));
  }
}

const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--host-resolver-rules=MAP * ~NOTFOUND'],
});
const ways = ['light', 'dark'].flatMap((colorScheme) => [320, 1100].map((width) => ({ colorScheme, width })));
const context = await browser.newContext({ reducedMotion: 'reduce' });
const page = await context.newPage();
let looks = 0;
for (const [number, name] of names.entries()) {
  await page.goto(`file://${path.join(folder, name)}`);
  await page.evaluate(axe);
  // The pages of the diagnoses are one page with other words: each is looked at in one way.
  for (const { colorScheme, width } of name.startsWith('explain-') ? [ways[number % ways.length]] : ways) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 900 });
    const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ['violations'] }));
    for (const { id, nodes } of violations) findings.push(`${name} ${colorScheme} ${width}: ${id}: ${nodes[0].html.slice(0, 120)}`);
    looks += 1;
  }
}
await browser.close();
process.stdout.write(JSON.stringify({ pages: names.length, looks, findings }));
