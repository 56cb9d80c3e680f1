// Owns how the UI is built and served while developing. The output is embedded in the coordinator, so everything is
// a file of our own: nothing inlined, nothing remote, one folder `assets` that may be cached for ever.
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { budget } from "./scripts/budget.ts";

const backend = process.env["HYDRON_URL"] ?? "http://127.0.0.1:4780";

// What several views share comes in a few files: each one is a request, and is compressed by itself. No group may need what
// only a later one has (scripts/budget.ts looks). `start` is what stands before any page: little, because it is seen first.
const GROUPS = [
  { name: "libraries", test: /rolldown\/runtime|\/node_modules\/(react|react-dom|scheduler|react-router|@tanstack|openapi-fetch|clsx)\// },
  { name: "start", test: either([
    /vite\/preload-helper|\/src\/(pages|format\/visible|api\/(account|client|keys|problem|team))\.ts/,
    /\/src\/(frame\/(boundary|entrance|gate|page|sidebar-state|waiting)|ui\/(brand|button|error-words|field|form|problem-note|theme|toast))\.tsx?/,
    /\/lucide-react\/dist\/esm\/((?!icons\/)|icons\/(circle-check|circle-exclamation-point|circle-x|loader-circle|menu|rotate-ccw|x)\.)/,
  ]) },
  { name: "shared", test: /\/lucide-react\/|\/src\/(api|events|format|frame(?!\/not-found)|projects|servers|ui)\//, minShareCount: 2 },
  { name: "project", test: /\/src\/(chat|infrastructure|project|runs|services)\//, minShareCount: 2 },
];

function either(all: RegExp[]): (id: string) => boolean {
  return (id) => all.some((one) => one.test(id));
}

export default defineConfig({
  plugins: [react(), tailwindcss(), budget()],
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: { output: { codeSplitting: { includeDependenciesRecursively: false, groups: GROUPS } } },
  },
  server: { proxy: { "/api": { target: backend, changeOrigin: true, secure: false } } },
  test: { include: ["src/**/*.test.{ts,tsx}"], environment: "happy-dom" },
});
