// Owns the real stack behind a browser test: the program `web-stack`, which ends and cleans up when we do.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const SAMPLE = fileURLToPath(new URL("../../samples/guestbook", import.meta.url));

/** Starts `program`; its answer to each line is one line of JSON. */
export async function startStack(program, ...options) {
  const child = spawn(program, [SAMPLE, ...options], { stdio: ["pipe", "pipe", "inherit"], detached: true });
  const ended = new Promise((resolve) => {
    child.once("exit", resolve);
    child.once("error", resolve);
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const read = async (asked) => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`the stack ended while it was asked to ${asked}`);
    const answer = JSON.parse(value);
    if (answer.error) throw new Error(`the stack could not ${asked}: ${answer.error}`);
    return answer;
  };
  const ask = (word, ...rest) => {
    child.stdin.write(`${[word, ...rest].join(" ")}\n`);
    return read(word);
  };
  const close = async () => {
    child.stdin.end();
    await ended;
  };
  return { ...(await read("start")), ask, close };
}

/** The sample's front page in one line, with another headline: what a new commit changes. */
export function frontPage(headline) {
  return readFileSync(`${SAMPLE}/web/site/index.html`, "utf8").replace("<h1>Guestbook</h1>", `<h1>${headline}</h1>`).replace(/\s*\n\s*/g, " ");
}
