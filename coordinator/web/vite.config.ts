// Owns how the UI is built and served while developing. The output is embedded in the coordinator, so everything is
// a file of our own: nothing inlined, nothing remote, one folder `assets` that may be cached for ever.
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const backend = process.env["HYDRON_URL"] ?? "http://127.0.0.1:4780";

export default defineConfig({
  plugins: [react(), tailwindcss()],
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: { "/api": { target: backend, changeOrigin: true, secure: false } } },
  test: { include: ["src/**/*.test.{ts,tsx}"], environment: "happy-dom" },
});
