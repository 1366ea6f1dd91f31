// A real browser at the wizard: its own visit, and pages that should not reach it. One task as JSON
// in, one report as JSON out. Nothing leaves the machine.
import http from 'node:http';
import { chromium } from 'playwright-core';

const task = JSON.parse(process.argv[2]);
const wizard = `http://127.0.0.1:${task.port}`;
const LIMIT = 15_000;

const options = {
  executablePath: '/usr/bin/chromium',
  headless: true,
  timeout: 30_000,
  // A page that is kept in memory is what we ask about.
  ignoreDefaultArgs: ['--disable-back-forward-cache'],
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-dev-shm-usage', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-proxy-server',
    '--host-resolver-rules=MAP evil.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
  ],
};

const report = { readable: [], refused: [], frames: [] };

// The pages of the attackers: same-site by another port, cross-site by another name.
const attacker = http.createServer((request, response) => {
  response.setHeader('Content-Type', 'text/html');
  if (request.url.startsWith('/to')) {
    response.writeHead(307, { Location: `${wizard}/journey` });
    return response.end();
  }
  return response.end('<!DOCTYPE html><title>elsewhere</title><iframe name="sink"></iframe><body></body>');
});
await new Promise((done) => { attacker.listen(0, '127.0.0.1', done); });
const port = attacker.address().port;

// Runs in the attacker's page: tries all a page can do, and reports what it could read.
async function attack({ wizard, here, csrf }) {
  const read = [];
  const forms = [];
  const soon = (promise) => Promise.race([promise, new Promise((done) => { setTimeout(done, 3_000); })]);
  const paths = ['/', '/look', '/file', '/done', '/enter?key=guess', '/journey', '/copy', '/bye'];
  const kinds = ['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data'];
  const body = `csrf=${csrf}&client_secret=stolen`;
  for (const path of paths) {
    for (const mode of ['no-cors', 'cors']) {
      for (const method of ['GET', 'POST', 'PUT']) {
        if (mode === 'no-cors' && method === 'PUT') continue;
        const init = { mode, method, credentials: 'include' };
        if (method !== 'GET') { init.body = body; init.headers = { 'Content-Type': kinds[0] }; }
        await soon(fetch(wizard + path, init).then(async (answer) => {
          const text = await answer.text();
          if (answer.type !== 'opaque' || text) read.push(`${mode} ${method} ${path}: ${answer.status} ${text.slice(0, 80)}`);
        }, () => {}));
      }
    }
    navigator.sendBeacon(wizard + path, new URLSearchParams(body));
    for (const kind of ['img', 'script', 'video', 'link', 'iframe', 'object', 'embed']) {
      const element = document.createElement(kind);
      if (kind === 'link') { element.rel = 'stylesheet'; element.href = wizard + path; }
      else if (kind === 'object') element.data = wizard + path;
      else element.src = wizard + path;
      await soon(new Promise((done) => {
        element.onload = () => { if (kind === 'img' || kind === 'video') read.push(`${kind} ${path} loaded`); done(); };
        element.onerror = done;
        setTimeout(done, 200);
        document.body.append(element);
      }));
    }
  }
  for (const path of ['/journey', '/copy', '/bye']) {
    for (const kind of kinds) {
      for (const action of [wizard + path, `${here}/to`]) {
        const form = document.createElement('form');
        Object.assign(form, { method: 'post', action, enctype: kind, target: 'sink' });
        for (const [name, value] of [['csrf', csrf], ['client_secret', 'stolen']]) {
          const input = document.createElement('input');
          Object.assign(input, { type: 'hidden', name, value });
          form.append(input);
        }
        document.body.append(form);
        forms.push(form);
      }
    }
  }
  for (const form of forms) { form.submit(); await new Promise((done) => { setTimeout(done, 150); }); }
  const address = wizard.replace('http', 'ws');
  for (const path of ['/', '/look']) {
    await soon(new Promise((done) => {
      const socket = new WebSocket(address + path);
      socket.onopen = () => { read.push(`websocket ${path}`); done(); };
      socket.onerror = done;
    }));
    await soon(new Promise((done) => {
      const events = new EventSource(wizard + path, { withCredentials: true });
      events.onopen = () => { read.push(`events ${path}`); events.close(); done(); };
      events.onerror = () => { events.close(); done(); };
    }));
  }
  const opened = window.open(`${wizard}/`);
  await new Promise((done) => { setTimeout(done, 1_000); });
  try { if (opened?.document?.body?.innerText) read.push(`opened: ${opened.document.body.innerText}`); } catch { /* as it should be */ }
  return read;
}

// Runs in a page whose name meanwhile leads to the wizard: to the browser it is the same origin.
async function rebound() {
  const seen = [];
  for (const [method, path] of [['GET', '/'], ['GET', '/file'], ['GET', '/look'], ['POST', '/journey'], ['POST', '/copy'], ['GET', '/enter?key=x']]) {
    const init = { method, credentials: 'include' };
    if (method === 'POST') init.body = new URLSearchParams({ csrf: 'x', client_secret: 'stolen' });
    // The browser itself may keep a page that came from elsewhere off the machine.
    const answer = await fetch(path, init).catch(() => null);
    seen.push({ path, status: answer?.status ?? 0, text: await answer?.text() ?? '' });
  }
  return seen;
}

const context = await chromium.launchPersistentContext(task.profile, { ...options, acceptDownloads: true });
context.setDefaultTimeout(LIMIT);
await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: wizard });
const page = context.pages()[0] ?? await context.newPage();
const complaints = [];
const listen = (tab) => tab.on('console', (message) => { if (message.type() === 'error') complaints.push(message.text()); });
listen(page);

// Our own visit.
await page.goto(task.link);
report.clean = page.url();
report.cookies = (await context.cookies()).map(({ name, httpOnly, sameSite, expires, path }) => ({ name, httpOnly, sameSite, expires, path }));
report.visible = await page.evaluate(() => document.cookie);
await page.fill('#client_id', '0123456789abcdef0123456789abcdef');
await page.fill('#client_secret', task.secret);
const [sent] = await Promise.all([
  page.waitForRequest((request) => request.method() === 'POST'),
  page.waitForURL('**/done'),
  page.click('button[type=submit]'),
]);
const headers = await sent.allHeaders();
report.sent = { origin: headers.origin ?? null, site: headers['sec-fetch-site'] ?? null, referer: headers.referer ?? null };
// A page that comes back from memory is not loaded again, which the driver waits for in vain: it is
// looked at by the browser's own protocol.
await page.goBack({ waitUntil: 'commit' });
await page.waitForTimeout(1_000);
const session = await context.newCDPSession(page);
const look = `JSON.stringify({
  fields: [...document.querySelectorAll('input[type=password]')].map((input) => input.value),
  source: document.documentElement.outerHTML,
  restored: performance.getEntriesByType('navigation')[0].type !== 'back_forward',
})`;
const { result } = await session.send('Runtime.evaluate', { expression: look });
report.back = JSON.parse(result.value);
await session.detach();
// The other first: a browser without a window forgets its cookies.
const next = await context.newPage();
await page.close();
listen(next);
await next.goto(`${wizard}/`);
await next.click('button[data-value]');
await next.waitForFunction(() => document.querySelector('#status').textContent !== '');
report.copied = await next.evaluate(() => navigator.clipboard.readText());
await next.evaluate(() => navigator.clipboard.writeText(''));
const [download] = await Promise.all([next.waitForEvent('download'), next.click('a[download]')]);
report.saved = download.suggestedFilename();
await download.delete();
report.complaints = [...complaints];
// A page that asks for what the policy forbids gets none of it.
report.blocked = await next.evaluate(async () => {
  const violations = [];
  document.addEventListener('securitypolicyviolation', (event) => violations.push(event.effectiveDirective));
  const script = document.createElement('script');
  script.textContent = 'window.ran = true';
  document.body.append(script);
  document.body.insertAdjacentHTML('beforeend', '<p style="color:red" onclick="window.ran=true">x</p><iframe src="/"></iframe><img src="/look">');
  document.querySelector('p[onclick]').click();
  await fetch('http://127.0.0.1:1/').catch(() => {});
  await new Promise((done) => { setTimeout(done, 300); });
  return { ran: window.ran ?? false, violations };
});

// Elsewhere.
process.stdin.resume();
const said = (what) => new Promise((done) => {
  process.stdout.write(`${what}\n`);
  process.stdin.once('data', done);
});
await said('attacks begin');
for (const origin of [`http://127.0.0.1:${port}`, `http://evil.test:${port}`]) {
  const evil = await context.newPage();
  await evil.goto(origin);
  report.readable.push(...await evil.evaluate(attack, { wizard, here: origin, csrf: task.csrf }));
  for (const frame of evil.frames().slice(1)) {
    const text = await frame.evaluate(() => document.documentElement.innerText).catch(() => '');
    report.frames.push(text);
  }
  // What leads the whole window to it from elsewhere.
  for (const path of ['/', '/file', '/bye']) {
    await evil.goto(origin);
    await evil.evaluate((url) => { location.href = url; }, wizard + path);
    await evil.waitForURL(`${wizard}${path}`).catch(() => {});
    report.refused.push(await evil.evaluate(() => document.body.innerText));
  }
}
const evil = await context.newPage();
const before = `http://evil.test:${task.port}`;
await evil.route(`${before}/before`, (route) => route.fulfill({ contentType: 'text/html', body: '<!DOCTYPE html><title>before</title>' }));
await evil.goto(`${before}/before`);
report.rebound = await evil.evaluate(rebound);
// The same once more in a page that the browser takes for one of this machine.
await evil.goto(`${before}/`);
report.misdirected = await evil.evaluate(() => document.body.innerText);
report.inside = await evil.evaluate(rebound);
await context.close();
await said('attacks are over');

// Without a script.
const browser = await chromium.launch(options);
const plain = await browser.newContext({ javaScriptEnabled: false });
await plain.addCookies([{ name: `snowtoken-${task.port}`, value: task.session, url: wizard }]);
const bare = await plain.newPage();
await bare.goto(`${wizard}/`);
await bare.fill('#client_secret', `${task.secret}-plain`);
await Promise.all([bare.waitForURL('**/done'), bare.click('button[type=submit]')]);
report.plain = await bare.locator('h1').innerText();
await browser.close();
attacker.close();
process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0));
