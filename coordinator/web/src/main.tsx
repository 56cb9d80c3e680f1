// Owns the start of the page.
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app";
import { ahead } from "./pages";
import "./styles/app.css";
import "./ui/theme";

ahead(location.pathname);

const root = document.getElementById("root");
if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
