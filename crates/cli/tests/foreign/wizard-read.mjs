// What a screen reader is told of a page, as the browser's own accessibility tree has it.

const LANDMARKS = ['banner', 'navigation', 'main', 'contentinfo'];

export async function read(page, heading) {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send('Accessibility.getFullAXTree');
  await session.detach();
  const told = nodes.filter((node) => !node.ignored);
  const property = (node, name) => node.properties?.find((one) => one.name === name)?.value.value;
  const role = (node) => node.role?.value;
  const name = (node) => node.name?.value?.trim() ?? '';
  const faults = [];

  const title = name(told.find((node) => role(node) === 'RootWebArea') ?? {});
  if (!title.endsWith(' - snowtoken') || title.length < 15) faults.push(`the title says nothing: ${title}`);
  const first = told.filter((node) => role(node) === 'heading' && property(node, 'level') === 1).map(name);
  if (first.length !== 1 || first[0] !== heading) faults.push(`headings of the first level: ${first}`);
  for (const landmark of LANDMARKS) {
    if (!told.some((node) => role(node) === landmark)) faults.push(`no ${landmark}`);
  }
  if (told.filter((node) => role(node) === 'main').length !== 1) faults.push('not one main');
  for (const node of told) {
    // The empty choice of a list is read as empty, and is.
    const stop = property(node, 'focusable') && !['RootWebArea', 'option'].includes(role(node));
    if (stop && name(node) === '') faults.push(`a ${role(node)} without a name`);
    const wrong = property(node, 'invalid');
    if (wrong === 'true' && !node.description?.value) faults.push(`${name(node)} is wrong, and nothing says why`);
  }
  return { title, heading, faults, wrong: told.filter((node) => property(node, 'invalid') === 'true').map(name) };
}
