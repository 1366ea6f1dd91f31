// What the pages do as time goes by, which moves by hand here.

export function time(walk) {
  const { report, at, press, follow } = walk;
  const later = (span) => walk.page.clock.fastForward(span);
  const note = 'main > .note.warn >> text=This page has waited too long';
  const shown = (selector) => walk.page.locator(selector).isVisible();

  return {
    // A page that was left open sends nothing to whoever answers there by then.
    async leftOpen() {
      await at('Client ID and secret');
      report.open = { early: await shown(note) };
      await later('30:05');
      await walk.page.locator(note).waitFor();
      report.open.late = await walk.page.locator('main button:enabled').count();
      const sent = [];
      walk.page.on('request', (request) => sent.push(request.method()));
      await walk.fill('Client ID', 'typed-too-late');
      await walk.fill('Client secret', 'typed-too-late');
      await walk.page.locator('main form').first().evaluate((form) => form.requestSubmit());
      await walk.page.evaluate(() => new Promise((drawn) => { requestAnimationFrame(drawn); }));
      report.open.sent = [...sent];
      await walk.follow('Open it anew');
      await walk.page.locator('main button:enabled').first().waitFor();
    },
    // The same where there is no script: time itself hides the forms.
    async leftOpenBare() {
      await at('Client ID and secret');
      const passed = (seconds) => walk.page.evaluate((time) => {
        for (const one of document.getAnimations()) one.currentTime = time;
      }, 1000 * seconds);
      const usable = () => walk.page.locator('main button:visible, main input:visible').count();
      await passed(1799);
      report.bare = { early: await shown(note), usable: await usable() > 1 };
      await walk.fill('Client ID', 'typed-in-time');
      await passed(1800);
      await walk.page.locator(note).waitFor();
      report.bare.late = await usable();
      const sent = [];
      walk.page.on('request', (request) => sent.push(request.method()));
      // Where one was typing is no more, so this goes nowhere.
      await walk.page.keyboard.press('Enter');
      await walk.page.waitForTimeout(500);
      report.bare.sent = [...sent];
      // A moment earlier it goes where it should.
      await passed(1799);
      await walk.fill('Client secret', 'typed-in-time');
      await Promise.all([walk.page.waitForRequest((request) => request.method() === 'POST'), walk.page.keyboard.press('Enter')]);
    },
    // What was copied is gone when its time is over: on the next page too, and where the browser refused
    // at first, as soon as it does not.
    async clipboard() {
      await at('Fill in the form');
      const read = () => walk.page.evaluate(() => navigator.clipboard.readText());
      const empties = async () => {
        for (let tries = 0; tries < 100 && await read() !== ''; tries += 1) {
          await new Promise((later) => { setTimeout(later, 50); });
        }
        report.clipboard.push(await read());
      };
      report.clipboard = [await walk.copied('Client Secret')];
      await later('00:40');
      report.clipboard.push(await read());
      // A copy of something else is nobody's secret.
      await walk.copied('Access Token');
      await later('00:10');
      report.clipboard.push(await read());
      await press('Show: Client Secret');
      await walk.page.getByRole('heading', { level: 1, name: 'Client Secret', exact: true }).waitFor();
      await later('00:36');
      await empties();
      await follow('Hide it and go back');
      await at('Fill in the form');
      await walk.copied('Client Secret');
      await walk.page.evaluate(() => {
        const write = navigator.clipboard.writeText.bind(navigator.clipboard);
        navigator.clipboard.writeText = () => Promise.reject(new Error('not in front'));
        window.inFront = () => { navigator.clipboard.writeText = write; };
      });
      await later('00:50');
      report.clipboard.push(await read());
      await walk.page.evaluate(() => { window.inFront(); window.dispatchEvent(new Event('focus')); });
      await walk.page.clock.runFor(1);
      await empties();
    },
    // Whoever comes back sees how long the code still lives.
    async countdown() {
      report.count = { before: await shown('[data-countdown]') };
      await walk.answer('Allow');
      await walk.page.bringToFront();
      await walk.page.evaluate(() => window.dispatchEvent(new Event('focus')));
      await walk.page.locator('[data-countdown]').waitFor();
      const left = () => walk.page.locator('[data-seconds]').innerText().then(Number);
      report.count.first = await left();
      await later('00:20');
      report.count.second = await left();
      report.count.late = await shown('[data-at-end]');
      await later('00:45');
      await walk.page.locator('[data-at-end]').waitFor();
      report.count.after = await shown('[data-countdown]');
      await walk.paste();
    },
  };
}
