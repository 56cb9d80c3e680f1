// Owns ids and digests of the mock: shaped like the product's, in order, without meaning.
import { createHash, randomBytes } from "node:crypto";

export function id(prefix) {
  const time = Date.now().toString(16).padStart(12, "0");
  return `${prefix}_${time}7${randomBytes(10).toString("hex").slice(0, 19)}`;
}

export function digest(value) {
  return `sha256:${createHash("sha256").update(JSON.stringify(value)).digest("hex")}`;
}

export const commit = (text) => createHash("sha1").update(text).digest("hex");
