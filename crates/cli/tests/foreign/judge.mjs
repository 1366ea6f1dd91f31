// Reads delivered texts as programs for Node do: one question a line, {kind, text}; one answer a line.
import { createInterface } from "node:readline";
import dotenv from "dotenv";

const kinds = {
  json: (text) => JSON.parse(text),
  dotenv: (text) => dotenv.parse(Buffer.from(text)),
};

for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line);
  let answer;
  try {
    answer = { found: kinds[question.kind](question.text) };
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
