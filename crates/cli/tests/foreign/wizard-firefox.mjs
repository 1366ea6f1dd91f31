// The wizard in Firefox: a person goes from nothing to a delivered file, and pages from elsewhere try to
// reach it. One task as JSON in, one report as JSON out. Nothing leaves the machine: whatever is not on it
// is asked of a proxy that is not there.
import http from 'node:http';
import puppeteer from 'puppeteer-core';

const task = JSON.parse(process.argv[2]);
const wizard = new URL(task.link).origin;
const LIMIT = 20_000;

const browser = await puppeteer.launch({
  browser: 'firefox',
  executablePath: '/usr/bin/firefox-esr',
  headless: true,
  timeout: 60_000,
  extraPrefsFirefox: {
    'network.proxy.type': 1,
    'network.proxy.http': '127.0.0.1',
    'network.proxy.http_port': 9,
    'network.proxy.ssl': '127.0.0.1',
    'network.proxy.ssl_port': 9,
    'network.proxy.no_proxies_on': '127.0.0.1, evil.test',
    'network.dns.localDomains': 'evil.test',
    'network.captive-portal-service.enabled': false,
    'network.connectivity-service.enabled': false,
  },
});
const report = { titles: [] };
const complaints = [];
let page = await browser.newPage();
page.setDefaultTimeout(LIMIT);
page.on('console', (message) => { if (message.type() === 'error') complaints.push(message.text()); });
page.on('pageerror', (error) => { complaints.push(String(error)); });

const within = (tag, text) => `::-p-xpath(//main//${tag}[normalize-space(text())="${text}"])`;
const press = (text) => page.locator(within('button', text)).click();
const fill = (id, text) => page.locator(`#${id}`).fill(text);
async function at(title) {
  await page.waitForFunction((text) => document.querySelector('h1')?.textContent === text, {}, title);
  report.titles.push(title);
}

// Signs in at the instance and presses Allow in a tab of its own; the address that it leads to is given.
async function consent() {
  await at('Allow it in ServiceNow');
  await page.waitForSelector('[data-opens]');
  const address = await page.$eval('[data-opens]', (link) => link.href);
  const there = await browser.newPage();
  const leaves = new Promise((left) => {
    there.on('request', (request) => { if (request.url().startsWith(`${task.redirectUri}?`)) left(request.url()); });
  });
  await there.goto(address);
  await there.locator('input[name=user_name]').fill(task.user);
  await there.locator('input[type=password]').fill('snow');
  await there.locator('::-p-xpath(//button[normalize-space()="Log in"])').click();
  await there.locator('::-p-xpath(//button[normalize-space()="Allow"])').click();
  const redirected = await leaves;
  await there.close();
  return redirected;
}

async function journey() {
  await page.goto(task.link);
  report.clean = page.url();
  report.visible = await page.evaluate(() => document.cookie);
  report.cookies = (await browser.cookies()).filter((one) => one.domain === '127.0.0.1')
    .map(({ name, httpOnly, sameSite, session }) => ({ name, httpOnly, sameSite, session }));
  await at('What are the tokens for?');
  await press('Continue');
  await at('Which ServiceNow instance?');
  await fill('instance', task.instance);
  await page.select('#region', 'us-west-2');
  await page.locator('main summary').click();
  await fill('name', task.name);
  await press('Continue');
  await at('The instance answers');
  await press('Continue');
  await at('The OAuth client');
  await page.locator('label:has(input[value=there])').click();
  await press('Continue');
  await at('Client ID and secret');
  await fill('client_id', task.client.id);
  await fill('client_secret', task.client.secret);
  // What was typed in secret is not there for whoever presses the browser's own way back.
  await page.goto(`${wizard}/`);
  await at('Your connections');
  await page.goBack();
  await at('Client ID and secret');
  report.back = await page.$eval('#client_secret', (input) => input.value);
  await fill('client_id', task.client.id);
  await fill('client_secret', task.client.secret);
  await press('Continue');
  const redirected = await consent();
  report.redirected = redirected;
  await at('Allow it in ServiceNow');
  await page.locator('#redirected').fill(redirected);
  await press('Take the tokens');
  await at('The tokens work');
  await press('Continue');
  await at('Fill in the form');
  await page.locator('button[data-value="Access Token"]').click();
  await page.waitForFunction(() => document.querySelector('#status').textContent !== '');
  report.copied = await page.$eval('#status', (place) => place.textContent);
  await press('Save the file there');
  await page.waitForFunction(() => document.querySelector('.note.good'));
}

// A page that asks for what the policy forbids gets none of it.
async function policy() {
  report.blocked = await page.evaluate(async () => {
    const violations = [];
    document.addEventListener('securitypolicyviolation', (event) => violations.push(event.effectiveDirective));
    const script = document.createElement('script');
    script.textContent = 'window.ran = true';
    document.body.append(script);
    document.body.insertAdjacentHTML('beforeend', '<p style="color:red" onclick="window.ran=true">x</p><iframe src="/"></iframe><img src="/look">');
    document.querySelector('p[onclick]').click();
    await fetch('http://127.0.0.1:1/').catch(() => {});
    await new Promise((done) => { setTimeout(done, 500); });
    return { ran: window.ran ?? false, violations: [...new Set(violations)].sort() };
  });
}

// Runs in a page from elsewhere: what it could read of the wizard.
async function attack(target) {
  const read = [];
  const soon = (promise) => Promise.race([promise, new Promise((done) => { setTimeout(done, 3_000); })]);
  for (const path of ['/', '/journey', '/profile/hub', '/enter?key=guess', '/begin', '/stop']) {
    for (const [mode, method] of [['no-cors', 'GET'], ['no-cors', 'POST'], ['cors', 'GET'], ['cors', 'POST'], ['cors', 'PUT']]) {
      const init = { mode, method, credentials: 'include' };
      if (method !== 'GET') init.body = new URLSearchParams({ csrf: 'guess', do: 'again' });
      await soon(fetch(target + path, init).then(async (answer) => {
        const text = await answer.text();
        if (answer.type !== 'opaque' || text) read.push(`${mode} ${method} ${path}: ${text.slice(0, 80)}`);
      }, () => {}));
    }
    const frame = document.createElement('iframe');
    frame.src = target + path;
    document.body.append(frame);
    await soon(new Promise((done) => { frame.onload = done; }));
    try { if (frame.contentDocument?.querySelector('h1')) read.push(`frame ${path}`); } catch { /* as it should be */ }
  }
  for (const path of ['/begin', '/stop', '/profile/hub/revoke']) {
    const form = document.createElement('form');
    Object.assign(form, { method: 'post', action: target + path, target: 'sink' });
    form.innerHTML = '<input type="hidden" name="csrf" value="guess"><input type="hidden" name="sure" value="yes">';
    document.body.append(form);
    form.submit();
    await new Promise((done) => { setTimeout(done, 200); });
  }
  return read;
}

async function elsewhere() {
  const attacker = http.createServer((request, response) => {
    response.setHeader('Content-Type', 'text/html');
    response.end('<!DOCTYPE html><title>elsewhere</title><iframe name="sink"></iframe><body></body>');
  });
  await new Promise((done) => { attacker.listen(0, '127.0.0.1', done); });
  const { port } = attacker.address();
  report.readable = [];
  report.framed = [];
  report.led = [];
  for (const origin of [`http://127.0.0.1:${port}`, `http://evil.test:${port}`]) {
    const evil = await browser.newPage();
    evil.setDefaultTimeout(LIMIT);
    await evil.goto(origin);
    report.readable.push(...await evil.evaluate(attack, wizard));
    for (const frame of evil.frames().filter((one) => one.url().startsWith(wizard))) {
      report.framed.push(await frame.evaluate(() => document.querySelector('h1')?.textContent ?? '').catch(() => ''));
    }
    // What leads the whole window to it from elsewhere.
    await evil.goto(origin);
    await Promise.all([evil.waitForNavigation(), evil.evaluate((url) => { location.href = url; }, `${wizard}/profile/hub`)]);
    report.led.push(await evil.$eval('h1', (title) => title.textContent));
    await evil.close();
  }
  // A name that leads to the wizard: to the browser it is the same origin.
  const rebound = await browser.newPage();
  await rebound.goto(`${wizard.replace('127.0.0.1', 'evil.test')}/`);
  report.rebound = await rebound.$eval('h1', (title) => title.textContent);
  await rebound.close();
  attacker.close();
}

let failure = '';
try {
  await journey();
  report.complaints = [...complaints];
  await policy();
  await elsewhere();
  await page.goto(`${wizard}/profile/${task.name}`);
  report.still = await page.$eval('main', (main) => main.innerText);
} catch (error) {
  failure = `${error.stack}\n${page.url()}\n${await page.$eval('main', (main) => main.innerText).catch(() => '')}`;
}
await browser.close();
report.failure = failure;
process.stdout.write(JSON.stringify(report));
