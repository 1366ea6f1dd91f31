// Three ways to work a page: with the mouse, with a finger, and with the keyboard alone. All take locators.

export function mouse() {
  return {
    press: (what) => what.click(),
    fill: (field, text) => field.fill(text),
    select: (list, value) => list.selectOption(value),
    // The circle of a choice is small; its words are what one clicks.
    pick: (choice) => choice.locator('xpath=ancestor::label').click(),
  };
}

export function touch() {
  return {
    press: (what) => what.tap(),
    async fill(field, text) {
      await field.tap();
      await field.fill(text);
    },
    select: (list, value) => list.selectOption(value),
    pick: (choice) => choice.locator('xpath=ancestor::label').tap(),
  };
}

// Tab and Shift-Tab until it is reached, then Space, Enter or typing. Nothing is focused by a script.
// Every stop on the way that does not show itself is written to `unseen`.
export function keyboard(page, { stops = [], unseen = [] } = {}) {
  const key = (name) => page.keyboard.press(name);

  async function look() {
    const stop = await page.evaluate(() => {
      const at = document.activeElement;
      if (!at || at === document.body) return null;
      const shows = (element) => {
        const style = getComputedStyle(element);
        return (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== 'none';
      };
      const box = at.getBoundingClientRect();
      const inView = box.width > 0 && box.height > 0 && box.bottom > 0 && box.right > 0
        && box.top < innerHeight && box.left < innerWidth;
      return { html: at.outerHTML.slice(0, 160), seen: inView && shows(at) };
    });
    if (!stop) return;
    stops.push(stop.html);
    if (!stop.seen) unseen.push(`${await page.title()}: ${stop.html}`);
  }

  // Where it is from where the person is: 'here', 'before', 'after'. A group of choices is one stop:
  // whoever is at one of them is there.
  const whereIs = (what) => what.evaluate((wanted) => {
    const at = document.activeElement;
    const grouped = wanted.type === 'radio' && at?.type === 'radio' && at.name === wanted.name && at.form === wanted.form;
    if (at === wanted || grouped) return 'here';
    if (!at || at === document.body) return 'after';
    return at.compareDocumentPosition(wanted) & Node.DOCUMENT_POSITION_PRECEDING ? 'before' : 'after';
  });

  async function reach(what) {
    await what.waitFor();
    for (let steps = 0; steps < 80; steps += 1) {
      const place = await whereIs(what);
      if (place === 'here') return;
      await key(place === 'before' ? 'Shift+Tab' : 'Tab');
      await look();
    }
    throw new Error(`the keyboard does not reach ${what}`);
  }

  return {
    async press(what) {
      await reach(what);
      await key('Enter');
    },
    async fill(field, text) {
      await reach(field);
      // What stands there already is written over.
      await key('Control+a');
      await page.keyboard.type(text);
    },
    // The first letters choose in a closed list.
    async select(list, value) {
      await reach(list);
      const words = await list.evaluate((all, wanted) => [...all.options].find((one) => one.value === wanted).text, value);
      await page.keyboard.type(words);
      if (await list.inputValue() !== value) throw new Error(`typing does not choose ${words}`);
    },
    // Tab leads to the group; within it the arrows choose.
    async pick(choice) {
      await reach(choice);
      for (let steps = 0; steps < 40 && !await choice.isChecked(); steps += 1) {
        await key('ArrowDown');
        await look();
      }
      if (!await choice.isChecked()) throw new Error(`the arrows do not choose ${choice}`);
    },
  };
}
