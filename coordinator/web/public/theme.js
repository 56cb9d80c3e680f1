// Owns the colours of the first paint: runs before anything is drawn, so that a chosen theme never flashes.
(function () {
  var choice = null;
  try {
    choice = localStorage.getItem("hydron.theme");
  } catch {
    /* storage may be off; the system's choice then rules */
  }
  var dark = choice === "dark" || (choice !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
