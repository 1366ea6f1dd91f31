// A person in front of the wizard, in a real browser: follows the pages from one to the next as far
// as the task says, and writes down what was seen. One task as JSON in, one report as JSON out.
// Nothing leaves the machine.
import fs from 'node:fs';
import { chromium } from 'playwright-core';
import { keyboard, mouse, touch } from './wizard-hands.mjs';
import { home } from './wizard-home.mjs';
import { read } from './wizard-read.mjs';
import { time } from './wizard-time.mjs';

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
  ...(task.touch ? { hasTouch: true, isMobile: true, viewport: { width: 375, height: 667 } } : {}),
  acceptDownloads: true,
  permissions: task.scripts ? ['clipboard-read', 'clipboard-write'] : [],
});
context.setDefaultTimeout(20_000);

const report = {
  titles: [], foreign: [], complaints: [], shown: {}, copied: {}, downloads: {}, sources: '', stops: [], unseen: [], read: [],
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

let page;
let own;
// A tab of the wizard's.
async function open() {
  page = await context.newPage();
  page.on('pageerror', (error) => report.complaints.push(error.message));
  page.on('console', (message) => { if (message.type() === 'error') report.complaints.push(message.text()); });
  if (task.clock) await page.clock.install();
  own = task.keys ? keyboard(page, report) : hands(page);
}
function hands(where) {
  if (task.keys) return keyboard(where);
  return task.touch ? touch() : mouse();
}
await open();

const button = (name) => page.getByRole('button', { name, exact: true });
const press = (name) => own.press(button(name));
const follow = (name) => own.press(page.getByRole('link', { name, exact: true }));
const field = (name) => page.getByLabel(name, { exact: true });
const way = (name) => own.pick(page.getByRole('radio', { name }));
async function at(title) {
  await page.getByRole('heading', { level: 1, name: title, exact: true }).waitFor();
  report.titles.push(title);
  report.sources += await page.content();
  report.read.push(await read(page, title));
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
  // What comes back by itself tells the person so.
  if (task.loopback) {
    await there.locator('h1').waitFor();
    report.landed = await there.locator('body').innerText();
  }
  await there.close();
}

async function answerInstance(there, theirs, answer) {
  const signIn = there.getByRole('button', { name: 'Log in' });
  const wanted = there.getByRole('button', { name: answer });
  await signIn.or(wanted).first().waitFor();
  // Whoever signed in a moment ago is known there.
  if (await signIn.count() > 0) {
    await theirs.fill(there.locator('input[name=user_name]'), task.user);
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

// Puts what a button copies into the report, once it says that it did.
async function copied(control, says) {
  await own.press(control);
  await control.filter({ hasText: says }).or(page.getByRole('button', { name: says })).first().waitFor();
  return page.evaluate(() => navigator.clipboard.readText());
}

async function paste(address) {
  if (task.loopback) return;
  await own.fill(field('The address'), address);
  await press('Take the tokens');
}

// A tick leads back to the same screen, with the next click before one's eyes.
const done = { all: () => page.locator('li.done'), count: () => done.all().count() };
async function tick(most) {
  const open = page.getByRole('button', { name: /^Done/ });
  for (let ticks = 0; ticks < most && await open.count() > 0; ticks += 1) {
    const before = await done.count();
    await own.press(open.first());
    await done.all().nth(before).waitFor();
    report.ticks = (report.ticks ?? 0) + 1;
  }
}

// A page that says what came between, and leads on.
async function mishap(title) {
  await at(title);
  report.mishaps = { ...report.mishaps, [title]: await page.locator('main').innerText() };
  await press('Open ServiceNow again');
}

const steps = {
  async where() {
    await steps.target();
    await steps.place();
    await steps.check();
  },
  async target() {
    await at('What are the tokens for?');
    if (task.loopback) await way(/^Anything else/);
    await press('Continue');
  },
  async place() {
    await at('Which ServiceNow instance?');
    await own.fill(field('Instance'), task.instance);
    if (task.loopback) await own.fill(field('Redirect URL'), task.redirectUri);
    else await own.select(field('AWS region'), 'us-west-2');
    await own.press(page.locator('main summary'));
    await own.fill(field('Name of this connection'), task.name);
    await press('Continue');
  },
  async check() {
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
  async appliedStill() {
    await at('What was done on the instance');
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
    if (task.scripts) report.copied.script = await copied(button('Copy the script'), 'Copied for 45 seconds');
    await download('script', 'Download the script');
  },
  async scriptAgain() {
    await at('Paste one script');
    await download('scriptAgain', 'Download the script');
  },
  async back() {
    await press('Back');
  },
  async scripted() {
    await at('Paste one script');
    await press('It ran, go on');
  },
  async eachClick() {
    await at('The OAuth client');
    await way('Show me each click');
    await press('Continue');
  },
  // Two of them are ticked, and nobody says that all is done.
  async halfTicked() {
    await at('Every click');
    await tick(2);
    report.half = await done.count();
  },
  async stillTicked() {
    await at('Every click');
    report.still = await done.count();
  },
  async clicks() {
    await steps.eachClick();
    await steps.allTicked();
  },
  async allTicked() {
    await at('Every click');
    report.values = [];
    report.copies = [];
    const screens = await page.locator('a[href^="/journey?screen="]').allInnerTexts();
    for (const screen of [null, ...screens]) {
      if (screen) {
        await follow(screen);
        // The screen that is shown is no link.
        await page.getByRole('link', { name: screen, exact: true }).waitFor({ state: 'detached' });
      }
      report.values.push(...await page.locator('.copy .value').allTextContents());
      for (const line of task.scripts && !task.keys ? await page.locator('.copy:has(button)').all() : []) {
        const click = line.locator('xpath=ancestor::details');
        if (!await click.evaluate((one) => one.open)) await own.press(click.locator('summary'));
        report.copies.push(await copied(line.getByRole('button'), 'Copied'));
      }
      // By the keyboard each tick is a walk down the page: two of a screen show that it can be done.
      await tick(task.keys ? 2 : 60);
    }
    await press('All done, go on');
  },
  // What is wrong with it is said while it is typed, and by the wizard itself.
  async wrongClient() {
    const { id, secret } = task.client;
    report.typed = {};
    const said = async () => (await page.locator('form [role=status]').allInnerTexts()).filter((text) => text !== '');
    for (const [what, asId, asSecret] of [
      ['blank', `${id.slice(1)} x`, secret],
      ['blank at the end', id, `${secret} `],
      ['url', 'https://classics.service-now.com', secret],
      ['same', id, id],
    ]) {
      await at('Client ID and secret');
      await own.fill(field('Client ID'), asId);
      await own.fill(field('Client secret'), asSecret);
      const atOnce = await said();
      await Promise.all([page.waitForEvent('domcontentloaded'), press('Continue')]);
      await page.getByRole('heading', { level: 1 }).waitFor();
      const heard = await read(page, 'Client ID and secret');
      report.read.push(heard);
      report.typed[what] = { atOnce, after: await said(), wrong: heard.wrong, secret: await field('Client secret').inputValue().catch(() => 'gone') };
    }
  },
  async wrongSecret() {
    await at('Allow it in ServiceNow');
    await press('Back');
    await at('Client ID and secret');
    await own.fill(field('Client secret'), 'mistyped-4711');
    await press('Continue');
    await at('Allow it in ServiceNow');
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
  // Allow was pressed, and the address is not pasted yet.
  async allowed() {
    await consent('Allow');
  },
  async pasted() {
    await at('Allow it in ServiceNow');
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
    await mishap('ServiceNow refused the code');
  },
  // The store's key is away while the tokens come, and is back later.
  async unstored() {
    await consent('Allow');
    fs.renameSync(task.key, `${task.key}.away`);
    await paste(redirected);
    await at('The tokens could not be stored');
    report.unstored = await page.locator('main').innerText();
    await download('unstored', 'Download them as a file');
    await press('Store them now');
    await at('The tokens could not be stored');
    // Whatever else is done meanwhile.
    const { origin } = new URL(page.url());
    await page.goto(`${origin}/profile/${task.name}/doctor`);
    await at('From here to a living token');
    await page.goto(`${origin}/journey`);
    await at('The tokens could not be stored');
    fs.renameSync(`${task.key}.away`, task.key);
    await press('Store them now');
  },
  // Something else is begun in another tab meanwhile.
  async left() {
    await consent('Allow');
    const before = page;
    await steps.second();
    await follow(task.name);
    await at(task.name);
    await press('Try the tokens');
    await page.getByText('The instance accepts the access token.').waitFor();
    await page.close();
    page = before;
    own = hands(page);
    await paste(redirected);
    await page.getByRole('alert').waitFor();
    report.left = await page.getByRole('alert').innerText();
  },
  async second() {
    const { origin } = new URL(page.url());
    await open();
    await page.goto(origin);
    await at('Your connections');
  },
  // The instance takes its time with the tokens.
  async slowly() {
    await consent('Allow');
    await paste(redirected);
    await at('Taking the tokens');
  },
  // The address of the sign-in before this one.
  async another() {
    await consent('Allow');
    await paste(report.late);
    await mishap('That address belongs to another window');
  },
  async notProved() {
    await at('The tokens do not work now');
    report.notProved = await page.locator('main').innerText();
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
        report.copied[label] = await copied(button(`Copy: ${label}`), 'Copied for 45 seconds');
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
    // Not every product takes one.
    if (!task.loopback) {
      await press('Save the file there');
      await page.getByText('The credentials file was written:').waitFor();
    }
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
  // Consent is left again, and asked for once more: what listened for the browser listens anew.
  async leftAllow() {
    await at('Allow it in ServiceNow');
    await press('Back');
  },
  async kept() {
    await at('Client ID and secret');
    await press('Continue');
  },
  // A browser that was closed altogether has forgotten the wizard.
  async forgotten() {
    const { origin } = new URL(page.url());
    await context.clearCookies();
    await page.goto(origin);
    await at('This page needs its link');
    // The browser says of itself that this was refused.
    report.complaints = report.complaints.filter((one) => !one.includes('401'));
  },
  // The tab is closed and another one opened: the browser still knows the wizard.
  async closed() {
    const { origin } = new URL(page.url());
    const before = page;
    await open();
    await before.close();
    await page.goto(origin);
  },
};
const walk = {
  task, report, at, press, follow, steps, answer: (words) => consent(words), get page() { return page; }, paste: () => paste(redirected),
  touch: (what) => own.press(what),
  copied: (label) => copied(button(`Copy: ${label}`), 'Copied for 45 seconds'),
  fill: (name, text) => own.fill(field(name), text),
};
Object.assign(steps, home(walk), time(walk));

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
