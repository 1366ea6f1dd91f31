// A person in front of the wizard, in a real browser: follows the pages from one to the next as far
// as the task says, and writes down what was seen. One task as JSON in, one report as JSON out.
// Nothing leaves the machine.
import fs from 'node:fs';
import { chromium } from 'playwright-core';
import { keyboard, mouse } from './wizard-hands.mjs';

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

const report = {
  titles: [], foreign: [], complaints: [], shown: {}, copied: {}, downloads: {}, sources: '', stops: [], unseen: [],
};
let redirected = '';
await context.route((url) => url.hostname !== '127.0.0.1', (route) => {
  const url = route.request().url();
  // What the vendor's console would show is of no interest: only the address bar is.
  if (url.startsWith(`${task.redirectUri}?`)) {
    return route.fulfill({ status: 200, contentType: 'text/html', body: 'elsewhere' });
  }
  // What another server's own pages want is not the wizard's doing.
  const theirs = !route.request().isNavigationRequest() && route.request().frame().page() !== page;
  if (!theirs) report.foreign.push(url);
  return route.abort();
});

const page = await context.newPage();
page.on('pageerror', (error) => report.complaints.push(error.message));
page.on('console', (message) => { if (message.type() === 'error') report.complaints.push(message.text()); });

const hands = (where) => (task.keys ? keyboard(where) : mouse());
const own = task.keys ? keyboard(page, report) : mouse();
const button = (name) => page.getByRole('button', { name, exact: true });
const press = (name) => own.press(button(name));
const follow = (name) => own.press(page.getByRole('link', { name, exact: true }));
const field = (name) => page.getByLabel(name, { exact: true });
const way = (name) => own.pick(page.getByRole('radio', { name }));
async function at(title) {
  await page.getByRole('heading', { level: 1, name: title, exact: true }).waitFor();
  report.titles.push(title);
  report.sources += await page.content();
  if (task.pictures) await page.screenshot({ path: `${task.pictures}/${report.titles.length}.png`, fullPage: true });
}

async function download(name, label) {
  const [file] = await Promise.all([page.waitForEvent('download'), press(label)]);
  report.downloads[name] = { name: file.suggestedFilename(), text: fs.readFileSync(await file.path(), 'utf8') };
}

// Opens ServiceNow, signs in there, and presses the button; the address bar is remembered.
async function consent(answer) {
  await at('Allow it in ServiceNow');
  const [there] = await Promise.all([context.waitForEvent('page'), follow('Open ServiceNow')]);
  // Nothing has to answer there: that the browser goes there is enough.
  const leaves = context.waitForEvent('request', (request) => request.url().startsWith(`${task.redirectUri}?`));
  leaves.catch(() => {});
  await (task.provider ? answerProvider : answerInstance)(there, hands(there), answer);
  redirected = (await leaves).url();
  await there.close();
}

async function answerInstance(there, theirs, answer) {
  const signIn = there.getByRole('button', { name: 'Log in' });
  const wanted = there.getByRole('button', { name: answer });
  await signIn.or(wanted).first().waitFor();
  // Whoever signed in a moment ago is known there.
  if (await signIn.count() > 0) {
    await theirs.fill(there.locator('input[name=user_name]'), 'abel.tuter');
    await theirs.fill(there.locator('input[type=password]'), 'snow');
    await theirs.press(signIn);
  }
  await theirs.press(wanted);
}

async function answerProvider(there, theirs) {
  await theirs.fill(there.locator('input[name=login]'), 'admin');
  await theirs.fill(there.locator('input[type=password]'), 'anything');
  await theirs.press(there.getByRole('button', { name: 'Sign-in' }));
  await theirs.press(there.getByRole('button', { name: 'Continue' }));
}

async function paste(address) {
  await own.fill(field('The address'), address);
  await press('Take the tokens');
}

// A page that says what came between, and leads on.
async function mishap(title) {
  await at(title);
  report.mishaps = { ...report.mishaps, [title]: await page.locator('main').innerText() };
  await press('Open ServiceNow again');
}

const steps = {
  async where() {
    await at('What are the tokens for?');
    await press('Continue');
    await at('Which ServiceNow instance?');
    await own.fill(field('Instance'), task.instance);
    await own.select(field('AWS region'), 'us-west-2');
    await own.press(page.locator('summary'));
    await own.fill(field('Name of this connection'), task.name);
    await press('Continue');
    await at('The instance answers');
    await press('Continue');
  },
  async way() {
    await at('The OAuth client');
    await way('Make it for me');
    await press('Continue');
  },
  async refused() {
    await at('Sign in as an administrator, once');
    await own.fill(field('User name'), task.admin);
    await own.fill(field('Password'), 'not this one');
    await press('Make the client');
    await page.getByRole('alert').waitFor();
    report.alert = await page.getByRole('alert').innerText();
  },
  async apply() {
    await at('Sign in as an administrator, once');
    await own.fill(field('User name'), task.admin);
    await own.fill(field('Password'), task.password);
    await press('Make the client');
    await at('What was done on the instance');
    report.lines = await page.locator('ul.road li').allInnerTexts();
  },
  async made() {
    await press('Continue');
  },
  async exists() {
    await at('The OAuth client');
    await way('It exists already');
    await press('Continue');
  },
  async script() {
    await at('The OAuth client');
    await way('Give me one script to paste');
    await press('Continue');
    await at('Paste one script');
    await download('script', 'Download the script');
  },
  async scripted() {
    await at('Paste one script');
    await press('It ran, go on');
  },
  async clicks() {
    await at('The OAuth client');
    await way('Show me each click');
    await press('Continue');
    await at('Every click');
    report.values = [];
    report.ticks = 0;
    const screens = await page.locator('a[href^="/journey?screen="]').allInnerTexts();
    for (const screen of [null, ...screens]) {
      if (screen) await follow(screen);
      report.values.push(...await page.locator('.copy .value').allInnerTexts());
      // A tick leads back to the same screen.
      for (const open = page.getByRole('button', { name: /^Done/ }); await open.count() > 0;) {
        if (report.ticks > 60) throw new Error('ticks without end');
        await own.press(open.first());
        report.ticks += 1;
      }
    }
    await press('All done, go on');
  },
  async client() {
    await at('Client ID and secret');
    await own.fill(field('Client ID'), task.client.id);
    await own.fill(field('Client secret'), task.client.secret);
    await press('Continue');
  },
  async allow() {
    await consent('Allow');
    await paste(redirected);
  },
  async denied() {
    await consent('Deny');
    await paste(redirected);
    await mishap('Allow was not pressed');
  },
  // Whoever started this moves the instance's clock, and says so in a line.
  async late() {
    await consent('Allow');
    process.stderr.write('let time pass\n');
    await new Promise((passed) => { process.stdin.once('data', passed); });
    process.stdin.destroy();
    report.late = redirected;
    await paste(redirected);
    await mishap('The code had ended');
  },
  // The address of the sign-in before this one.
  async another() {
    await consent('Allow');
    await paste(report.late);
    await mishap('That address belongs to another window');
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
        await press(`Copy: ${label}`);
        await page.getByRole('button', { name: `Copy: ${label}` }).and(page.getByText('Copied for 45 seconds')).waitFor();
        report.copied[label] = await page.evaluate(() => navigator.clipboard.readText());
      }
      await press(`Show: ${label}`);
      await page.getByRole('heading', { level: 1, name: label, exact: true }).waitFor();
      report.shown[label] = await page.locator('.value').innerText();
      await follow('Hide it and go back');
      await at('Fill in the form');
    }
    await own.select(field('Shape'), 'json');
    await download('json', 'Download');
    await download('calendar', 'Download the reminder');
    await press('Save the file there');
    await page.getByText('The credentials file was written:').waitFor();
    report.sources += await page.content();
  },
  async bundle() {
    await own.press(page.getByText('For somebody who fills the form in for you'));
    await press('Make the sealed file');
    await page.getByRole('heading', { level: 1, name: 'The passphrase of the sealed file' }).waitFor();
    report.passphrase = await page.locator('.value').innerText();
    await download('bundle', 'Download');
    await follow('Back');
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
    await follow('Go on');
  },
};

let failure = '';
try {
  await page.goto(task.link);
  for (const step of task.steps) await steps[step]();
} catch (error) {
  failure = `${error.stack}\n${page.url()}\n${await page.locator('main').innerText().catch(() => '')}`;
}
if (failure) process.stderr.write('it failed\n');
await browser.close();
report.failure = failure;
report.redirected = redirected;
process.stdout.write(JSON.stringify(report));
