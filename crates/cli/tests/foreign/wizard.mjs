// A person in front of the wizard, in a real browser: follows the pages from one to the next as far
// as the task says, and writes down what was seen. One task as JSON in, one report as JSON out.
// Nothing leaves the machine.
import fs from 'node:fs';
import { chromium } from 'playwright-core';

const task = JSON.parse(process.argv[2]);
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  timeout: 30_000,
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-dev-shm-usage', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
    '--no-proxy-server', '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1',
  ],
});
const context = await browser.newContext({
  javaScriptEnabled: task.scripts,
  acceptDownloads: true,
  permissions: task.scripts ? ['clipboard-read', 'clipboard-write'] : [],
});
context.setDefaultTimeout(20_000);

const report = { titles: [], foreign: [], complaints: [], shown: {}, copied: {}, downloads: {}, sources: '' };
let redirected = '';
await context.route((url) => url.hostname !== '127.0.0.1', (route) => {
  const url = route.request().url();
  // What the vendor's console would show is of no interest: only the address bar is.
  if (url.startsWith(`${task.redirectUri}?`)) {
    redirected = url;
    return route.fulfill({ status: 200, contentType: 'text/html', body: 'elsewhere' });
  }
  report.foreign.push(url);
  return route.abort();
});

const page = await context.newPage();
page.on('pageerror', (error) => report.complaints.push(error.message));
page.on('console', (message) => { if (message.type() === 'error') report.complaints.push(message.text()); });

const press = (name) => page.getByRole('button', { name, exact: true }).click();
async function at(title) {
  await page.getByRole('heading', { level: 1, name: title, exact: true }).waitFor();
  report.titles.push(title);
  report.sources += await page.content();
  if (task.pictures) await page.screenshot({ path: `${task.pictures}/${report.titles.length}.png`, fullPage: true });
}

async function download(name, button) {
  const [file] = await Promise.all([page.waitForEvent('download'), button.click()]);
  report.downloads[name] = { name: file.suggestedFilename(), text: fs.readFileSync(await file.path(), 'utf8') };
}

const steps = {
  async where() {
    await at('What are the tokens for?');
    await press('Continue');
    await at('Which ServiceNow instance?');
    await page.getByLabel('Instance', { exact: true }).fill(task.instance);
    await page.getByLabel('AWS region').selectOption('us-west-2');
    await page.locator('summary').click();
    await page.getByLabel('Name of this connection').fill(task.name);
    await press('Continue');
    await at('The instance answers');
    await press('Continue');
  },
  async way() {
    await at('The OAuth client');
    await page.getByText('Make it for me').click();
    await press('Continue');
  },
  async refused() {
    await at('Sign in as an administrator, once');
    await page.getByLabel('User name').fill(task.admin);
    await page.getByLabel('Password').fill('not this one');
    await press('Make the client');
    await page.getByRole('alert').waitFor();
    report.alert = await page.getByRole('alert').innerText();
  },
  async apply() {
    await at('Sign in as an administrator, once');
    await page.getByLabel('User name').fill(task.admin);
    await page.getByLabel('Password').fill(task.password);
    await press('Make the client');
    await at('What was done on the instance');
    report.lines = await page.locator('ul.road li').allInnerTexts();
  },
  async made() {
    await press('Continue');
  },
  async script() {
    await at('The OAuth client');
    await page.getByText('Give me one script to paste').click();
    await press('Continue');
    await at('Paste one script');
    await download('script', page.getByRole('button', { name: 'Download the script' }));
  },
  async scripted() {
    await at('Paste one script');
    await press('It ran, go on');
  },
  async clicks() {
    await at('The OAuth client');
    await page.getByText('Show me each click').click();
    await press('Continue');
    await at('Every click');
    report.values = [];
    report.ticks = 0;
    const screens = await page.locator('a[href^="/journey?screen="]').allInnerTexts();
    for (const screen of [null, ...screens]) {
      if (screen) await page.getByRole('link', { name: screen, exact: true }).click();
      report.values.push(...await page.locator('.copy .value').allInnerTexts());
      // A tick leads back to the same screen.
      for (const open = page.getByRole('button', { name: /^Done/ }); await open.count() > 0;) {
        if (report.ticks > 60) throw new Error('ticks without end');
        await open.first().click();
        report.ticks += 1;
      }
    }
    await press('All done, go on');
  },
  async client() {
    await at('Client ID and secret');
    await page.getByLabel('Client ID').fill(task.client.id);
    await page.getByLabel('Client secret').fill(task.client.secret);
    await press('Continue');
  },
  async allow() {
    await at('Allow it in ServiceNow');
    const [there] = await Promise.all([
      context.waitForEvent('page'), page.getByRole('link', { name: 'Open ServiceNow' }).click(),
    ]);
    await there.fill('input[name=user_name]', 'abel.tuter');
    await there.fill('input[type=password]', 'snow');
    await there.locator('button[type=submit], input[type=submit], button').first().click();
    await there.getByRole('button', { name: 'Allow' }).click();
    await there.waitForURL(`${task.redirectUri}?**`);
    await there.close();
    await page.getByLabel('The address', { exact: true }).fill(redirected);
    await press('Take the tokens');
  },
  async proof() {
    await at('The tokens work');
    report.proof = await page.locator('main').innerText();
    await press('Continue');
  },
  async handOver() {
    await at('Fill in the form');
    report.form = await page.locator('main').innerText();
    for (const label of ['Client Secret', 'Access Token', 'Refresh Token']) {
      if (task.scripts) {
        await page.getByRole('button', { name: `Copy: ${label}` }).click();
        await page.getByRole('button', { name: `Copy: ${label}` }).and(page.getByText('Copied for 45 seconds')).waitFor();
        report.copied[label] = await page.evaluate(() => navigator.clipboard.readText());
      }
      await page.getByRole('button', { name: `Show: ${label}` }).click();
      await page.getByRole('heading', { level: 1, name: label, exact: true }).waitFor();
      report.shown[label] = await page.locator('.value').innerText();
      await page.getByRole('link', { name: 'Hide it and go back' }).click();
      await at('Fill in the form');
    }
    await page.getByLabel('Shape').selectOption('json');
    await download('json', page.getByRole('button', { name: 'Download', exact: true }));
    await download('calendar', page.getByRole('button', { name: 'Download the reminder' }));
    await press('Save the file there');
    await page.getByText('The credentials file was written:').waitFor();
    report.sources += await page.content();
  },
  async bundle() {
    await page.getByText('For somebody who fills the form in for you').click();
    await press('Make the sealed file');
    await page.getByRole('heading', { level: 1, name: 'The passphrase of the sealed file' }).waitFor();
    report.passphrase = await page.locator('.value').innerText();
    await download('bundle', page.getByRole('button', { name: 'Download', exact: true }));
    await page.getByRole('link', { name: 'Back' }).click();
  },
  async done() {
    await press('I am done');
    await at('Your connections');
    report.overview = await page.locator('main').innerText();
    await press('Close the wizard');
    await at('The wizard is closed');
  },
  // Whoever comes back goes on from the overview.
  async resume() {
    await at('Your connections');
    await page.getByRole('link', { name: 'Go on' }).click();
  },
};

let failure = '';
try {
  await page.goto(task.link);
  for (const step of task.steps) await steps[step]();
} catch (error) {
  failure = `${error.message}\n${page.url()}\n${await page.locator('main').innerText().catch(() => '')}`;
}
await browser.close();
report.failure = failure;
report.redirected = redirected;
process.stdout.write(JSON.stringify(report));
