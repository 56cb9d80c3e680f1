// The guestbook's page. Everything people wrote is set as text, never as markup.
const find = (id) => document.getElementById(id);

async function call(options) {
  const reply = await fetch("/api/entries", options);
  const body = await reply.json().catch(() => ({}));
  if (!reply.ok) throw new Error(body.error ?? "The guestbook is closed right now. Please try again.");
  return body;
}

function show(entry) {
  const item = find("entry").content.cloneNode(true);
  const written = new Date(entry.created_at);
  const time = item.querySelector("time");
  item.querySelector(".portrait").textContent = [...entry.name][0].toUpperCase();
  item.querySelector("strong").textContent = entry.name;
  item.querySelector(".what").textContent = entry.message;
  time.dateTime = entry.created_at;
  time.textContent = written.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  return item;
}

async function refresh() {
  try {
    const { entries } = await call();
    find("entries").replaceChildren(...entries.map(show));
    find("count").textContent = entries.length ? `· ${entries.length}` : "";
    find("state").textContent = entries.length ? "" : "Nobody yet. Be the first.";
  } catch (error) {
    find("state").textContent = error.message;
  }
}

async function sign(event) {
  event.preventDefault();
  find("problem").textContent = "";
  find("send").disabled = true;
  try {
    await call({
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ name: find("name").value, message: find("message").value }),
    });
    find("message").value = "";
    await refresh();
  } catch (error) {
    find("problem").textContent = error.message;
  } finally {
    find("send").disabled = false;
  }
}

find("form").addEventListener("submit", sign);
refresh();
