// Judges a page that stands alone: html-validate reads it, Chromium opens it. The path of the file is the
// argument, what was found is one line of JSON.
import fs from 'node:fs';
import path from 'node:path';
import { HtmlValidate, StaticConfigLoader } from 'html-validate';
import { chromium } from 'playwright-core';

const file = path.resolve(process.argv[2]);
const presets = ['recommended', 'standard', 'document', 'a11y', 'browser'].map((name) => `html-validate:${name}`);
const loader = new StaticConfigLoader({ root: true, extends: presets });
const report = await new HtmlValidate(loader).validateString(fs.readFileSync(file, 'utf8'), file);
const faults = report.results.flatMap((one) => one.messages).map((one) => `${one.line}: ${one.ruleId}: ${one.message}`);

const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--host-resolver-rules=MAP * ~NOTFOUND'],
});
const page = await browser.newPage({ viewport: { width: 420, height: 900 } });
const complaints = [];
const requests = [];
page.on('console', (message) => complaints.push(message.text()));
page.on('pageerror', (error) => complaints.push(String(error)));
page.on('request', (request) => requests.push(request.url()));
await page.goto(`file://${file}`);
// One click selects a value whole: that is what is copied.
const copied = [];
for (const value of await page.locator('.value').all()) {
  await value.click();
  copied.push(await page.evaluate(() => String(getSelection())));
}
const tooWide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
const colour = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
const colours = [];
for (const colorScheme of ['light', 'dark']) {
  await page.emulateMedia({ colorScheme });
  colours.push(await colour());
}
await page.emulateMedia({ media: 'print', colorScheme: 'light' });
const text = await page.locator('main').innerText();
await browser.close();
fs.writeSync(1, `${JSON.stringify({ faults, complaints, requests: requests.slice(1), copied, tooWide, colours, text })}\n`);
