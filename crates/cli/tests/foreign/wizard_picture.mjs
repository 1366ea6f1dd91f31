// Two pages of a folder side by side, as Chromium shows them. The task is one JSON document: the folder, the two
// files, the size of the whole in CSS pixels, and where the picture goes.
import fs from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';

const { folder, files, width, height, picture } = JSON.parse(process.argv[2]);
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--host-resolver-rules=MAP * ~NOTFOUND'],
});
const GAP = 12;
const half = { width: (width - 3 * GAP) / 2, height: height - 2 * GAP };
const context = await browser.newContext({ colorScheme: 'light', reducedMotion: 'reduce', viewport: half });
const page = await context.newPage();
const halves = [];
for (const file of files) {
  await page.goto(`file://${path.join(folder, file)}`);
  halves.push((await page.screenshot()).toString('base64'));
}
await page.setViewportSize({ width, height });
const images = halves.map((png) => `<img alt="" src="data:image/png;base64,${png}">`).join('');
await page.goto('about:blank');
await page.setContent(`<style>
  body { margin: 0; display: flex; gap: ${GAP}px; padding: ${GAP}px; background: #c9d4da }
  img { width: ${half.width}px; height: ${half.height}px; border-radius: 8px }
</style>${images}`);
await page.waitForFunction(() => [...document.images].every((image) => image.complete && image.naturalWidth > 0));
fs.writeFileSync(picture, await page.screenshot());
await browser.close();
