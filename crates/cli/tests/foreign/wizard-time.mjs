// What the pages do as time goes by, which moves by hand here.

export function time(walk) {
  const { report, at } = walk;
  const later = (span) => walk.page.clock.fastForward(span);
  const shown = (selector) => walk.page.locator(selector).isVisible();

  return {
    // A page that was left open sends nothing to whoever answers there by then.
    async leftOpen() {
      await at('Client ID and secret');
      report.open = { early: await shown('[data-old]') };
      await later('30:05');
      await walk.page.locator('[data-old]').waitFor();
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
