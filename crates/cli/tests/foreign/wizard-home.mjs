// What a person does with a connection that is there: the steps that begin at the overview.

export function home(walk) {
  const { task, report, at, press, follow, steps } = walk;
  const main = () => walk.page.locator('main').innerText();
  const says = (text) => walk.page.getByText(text).waitFor();

  // Every link of the page leads to a page of the wizard that is there, or to the instance.
  async function links() {
    const all = await walk.page.locator('main a').evaluateAll((found) => found.map((one) => one.href));
    const { origin } = new URL(walk.page.url());
    for (const href of all) {
      if (!href.startsWith(`${origin}/`)) {
        report.away.push(href);
        continue;
      }
      const before = walk.page.url();
      const answer = await walk.page.goto(href);
      report.led.push({ href: new URL(href).pathname, status: answer.status(), h1: await walk.page.locator('h1').count() });
      await walk.page.goto(before);
    }
  }

  return {
    async profile() {
      await walk.touch(walk.page.getByRole('banner').getByRole('link', { name: 'Overview' }));
      await at('Your connections');
      await follow(task.name);
      await at(task.name);
    },
    // The same connection once more, from the beginning.
    async anew() {
      await at('Your connections');
      await press('Make a connection');
    },
    // Another secret than the client's is typed; its ID is known.
    async otherSecret() {
      await at('Client ID and secret');
      report.knownId = await walk.page.getByLabel('Client ID', { exact: true }).inputValue();
      await walk.fill('Client secret', task.client.secret);
      await press('Continue');
    },
    async refusedCode() {
      await walk.answer('Allow');
      await walk.paste();
      await at('ServiceNow refused the code');
      await press('Look at ID and secret');
      await at('Client ID and secret');
    },
    // Somebody signs in again; who that is, the task says.
    async again() {
      await press('Sign in again');
      await walk.answer('Allow');
      await walk.paste();
    },
    async signIn() {
      await press('Sign in again');
    },
    async wrongUser() {
      await at('Somebody else signed in');
      report.wrongUser = await main();
    },
    async unknownUser() {
      await at('That did not work');
    },
    // It is meant: the new user's tokens are wanted from now on.
    async newUser() {
      await at('Somebody else signed in');
      await press('They shall belong to the new user');
      await walk.answer('Allow');
      await walk.paste();
    },
    // Tokens that have ended are not handed over without a word.
    async over() {
      await press('Hand over');
      await at('Fill in the form');
      await says('The access token has ended.');
      await press('Get a new access token');
      await says('There is a new access token.');
      await press('Hand over');
      await at('Fill in the form');
      report.over = await main();
    },
    // A secret that nothing has proved.
    async mistyped() {
      await press('Sign in again');
      await steps.wrongSecret();
    },
    async toHandOver() {
      await press('Hand over');
      await at('Fill in the form');
    },
    async verify() {
      await press('Try the tokens');
      await says('The instance accepts the access token. It belongs to');
      report.verified = await main();
    },
    async notSure() {
      await press('End the tokens');
      await at('End the tokens');
      await follow('Back');
      await at(task.name);
    },
    async revoke() {
      await press('End the tokens');
      await at('End the tokens');
      await press('End the tokens');
      await says('The instance refuses the tokens now');
      report.revoked = await main();
    },
    // Looks for trouble, and follows what it says to the diagnosis and every way on from there.
    async doctor() {
      await press('Look for trouble');
      await walk.page.getByRole('button', { name: 'Try again' }).waitFor();
      await at('From here to a living token');
      report.doctor = await main();
      report.drawings = await walk.page.locator('main svg:visible').count();
    },
    // The access token has ended, and the secret is not the client's any more: each note leads to the next
    // thing to do, and the diagnosis to where the new secret is typed.
    async mended() {
      await press('Try the tokens');
      await press('Get a new access token');
      await says(/^the instance refused to refresh the token/);
      await follow('Why, and what to do');
      report.refusedSecret = await main();
      await press('Look at ID and secret');
      await at('Client ID and secret');
      await walk.fill('Client secret', task.client.secret);
      await press('Continue');
    },
    async why() {
      report.away = [];
      report.led = [];
      await follow('Why, and what to do');
      await walk.page.getByRole('heading', { name: 'What to do' }).waitFor();
      report.diagnosis = await main();
      await links();
      await steps.profile();
    },
  };
}
