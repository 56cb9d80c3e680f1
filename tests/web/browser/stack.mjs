// Owns the real stack behind a browser test: the program `web-stack`, which ends and cleans up when we do.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const SAMPLE = fileURLToPath(new URL("../../samples/guestbook", import.meta.url));

/** Starts `program` with the sample as its repository. */
export const startStack = (program, ...options) => serve(program, SAMPLE, ...options);

/** Starts `program` with `folder` as its repository; its answer to each line is one line of JSON. */
export async function serve(program, folder, ...options) {
  const child = spawn(program, [folder, ...options], { stdio: ["pipe", "pipe", "inherit"], detached: true });
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
  /** Commits a file. */
  const write = (path, text) => ask("write", path, JSON.stringify(text));
  return { ...(await read("start")), ask, write, close };
}

const sample = (path) => readFileSync(`${SAMPLE}/${path}`, "utf8");

/** The sample's front page with another headline: what a new commit changes. */
export const frontPage = (headline) => sample("web/site/index.html").replace("<h1>Guestbook</h1>", `<h1>${headline}</h1>`);

/** The Dockerfile of its static front end, with `line` in it. */
export const dockerfile = (line = "") => sample("web/Dockerfile").replace("\nUSER nginx", `\n${line}\nUSER nginx`);
