// Runs a background script on a pretend instance, twice: {"script", "world"} on standard input, what it
// printed and wrote on standard output. The script must be ECMAScript 5, and 3 for the oldest engine.
import fs from 'node:fs';
import vm from 'node:vm';
import { parse } from 'acorn';
import { Instance } from './glide.mjs';

const order = JSON.parse(fs.readFileSync(0, 'utf8'));
for (const ecmaVersion of [5, 3]) parse(order.script, { ecmaVersion, sourceType: 'script' });

const instance = new Instance(order.world);
const runs = [];
for (let run = 0; run < 2; run += 1) {
  instance.printed = [];
  instance.writes = [];
  const before = JSON.stringify(instance.tables);
  const context = vm.createContext(instance.globals(), { codeGeneration: { strings: false, wasm: false } });
  const names = Object.keys(context);
  vm.runInContext(order.script, context, { timeout: 10_000 });
  const leaked = Object.keys(context).filter((name) => !names.includes(name));
  runs.push({
    printed: instance.printed,
    writes: instance.writes,
    unchanged: before === JSON.stringify(instance.tables),
    leaked,
  });
}
const rows = Object.fromEntries(Object.entries(instance.tables).map(([name, table]) => [name, table.rows]));
fs.writeSync(1, `${JSON.stringify({ runs, rows, properties: instance.properties })}\n`);
