// Does in a real browser what a person does between the authorization URL and the redirect: signs
// in, allows or denies. One task as JSON in, one report as JSON out. Nothing leaves the machine.
import { chromium } from 'playwright-core';

const task = JSON.parse(process.argv[2]);
const LIMIT = 15_000;

const context = await chromium.launchPersistentContext(task.profile, {
  executablePath: '/usr/bin/chromium',
  headless: true,
  timeout: 30_000,
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-dev-shm-usage', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
    '--no-proxy-server', '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1',
  ],
});
context.setDefaultTimeout(LIMIT);

const report = { redirected: '', href: '', text: '', foreign: [], requests: [], complaints: [] };
const isRedirect = (url) => url.startsWith(`${task.redirectUri}?`);

// Addresses outside never see a request, and no request to them goes unnoticed.
await context.route((url) => url.hostname !== '127.0.0.1', (route) => {
  // The page of a redirect URI elsewhere cannot be had; browsers ask for it a second time.
  if (isRedirect(route.request().url())) return route.abort();
  // oidc-provider's own pages ask for a font; what they do is not ours to judge.
  if (!/\/interaction\//.test(route.request().frame().url())) report.foreign.push(route.request().url());
  return route.abort();
});

const page = context.pages()[0] ?? await context.newPage();
page.on('console', (message) => {
  if (report.redirected && message.type() === 'error') report.complaints.push(message.text());
});
context.on('request', async (request) => {
  const url = request.url();
  if (!report.redirected && isRedirect(url)) report.redirected = url;
  if (!report.redirected) return;
  const headers = await request.allHeaders().catch(() => ({}));
  report.requests.push({ url, referer: headers.referer ?? null });
});

// The buttons and fields of the pages that these tests meet, whoever wrote them.
const NAME = 'input[name=login], input[name=user_name], input[name=username]';
const PASSWORD = 'input[type=password]';
const ALLOW = 'button[value=authorize], button:has-text("Allow"), input[type=submit][value=Allow], button:has-text("Continue")';
const DENY = 'button[value=deny], button:has-text("Deny"), input[type=submit][value=Deny], a:has-text("Cancel")';

async function step(number) {
  if (task.pictures) await page.screenshot({ path: `${task.pictures}/${number}.png` });
  const name = page.locator(NAME).first();
  if (await name.isVisible().catch(() => false)) {
    await name.fill('abel.tuter');
    const password = page.locator(PASSWORD).first();
    if (await password.isVisible().catch(() => false)) await password.fill('snow');
    return page.locator('button[type=submit], input[type=submit], button').first().click();
  }
  return page.locator(task.deny ? DENY : ALLOW).first().click();
}

await page.goto(task.url);
for (let number = 1; number <= 8 && !report.redirected; number += 1) {
  await page.waitForLoadState();
  const before = page.url();
  await step(number);
  // A click either leads to another page or to the redirect.
  const end = Date.now() + LIMIT;
  while (Date.now() < end && !report.redirected && page.url() === before) await page.waitForTimeout(20);
}
await page.waitForLoadState('networkidle').catch(() => {});
// What the page does to its own address happens right after it is shown.
await page.waitForTimeout(300);
// A redirect to a host that is not there ends in the browser's own error page, which may still be
// on its way and takes the page asked about with it.
for (let attempt = 0; attempt < 20; attempt += 1) {
  try {
    [report.href, report.text] = await page.evaluate(() => [location.href, document.body.innerText]);
    break;
  } catch (error) {
    if (attempt === 19) throw error;
    await page.waitForTimeout(100);
  }
}
if (task.pictures) await page.screenshot({ path: `${task.pictures}/last.png` });
await context.close();
process.stdout.write(JSON.stringify(report));
process.exit(report.redirected ? 0 : 1);
