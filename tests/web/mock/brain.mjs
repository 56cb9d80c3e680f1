// Owns the mock's side of the conversation: a few sentences, each the same as a click.
import { id } from "./ids.mjs";
import { propose, startAnalysis } from "./pipeline.mjs";
import { approve, redeploy, rollbackNewest } from "./actions.mjs";

export function say(world, chat, role, text, cards = [], suggestions = []) {
  const message = { id: id("msg"), seq: ++world.said, chat_id: chat.id, role, text, cards, suggestions, at: Date.now() };
  world.messages.set(message.id, message);
  chat.updated_at = message.at;
  world.bus.emit(`chat:${chat.id}`, message);
  return message;
}

export function answer(world, chat, text) {
  const project = world.projects.get(chat.project_id);
  const services = world.of(world.services, "project_id", project.id);
  const plan = newest(world.of(world.plans, "project_id", project.id), "created_at");
  const run = newest(world.of(world.runs, "project_id", project.id), "started_at");
  const reply = (words, cards, suggestions) => say(world, chat, "assistant", words, cards, suggestions);
  const url = /(https?:\/\/\S+)/.exec(text)?.[1];
  if (url) {
    const analysis = startAnalysis(world, project, { url });
    if (chat.title === "New chat") chat.title = `Deploy ${url.split("/").pop().replace(/\.git$/, "")}`;
    return reply("I am reading the repository. Nothing of it is run.", [{ kind: "analysis", id: analysis.id }], ["accept all services"]);
  }
  if (/accept/i.test(text)) {
    for (const one of services) if (one.state === "pending") one.state = "accepted";
    world.emit("services.accepted", project.id, project.id);
    for (const one of services) world.emit("service.changed", one.id, project.id);
    return reply("All services are accepted. Next comes the plan.", [{ kind: "services", id: project.id }], ["make the plan"]);
  }
  if (/plan/i.test(text) && /make|new/i.test(text)) {
    return reply("This is the plan; nothing has been touched yet.", [{ kind: "plan", id: propose(world, project).id }], ["approve the plan"]);
  }
  if (/approve/i.test(text) && plan) {
    const started = approve(world, plan, plan.digest);
    return reply("Approved and signed. The run has started.", [{ kind: "run", id: started.id }], ["pause", "stop"]);
  }
  if (/redeploy/i.test(text)) return reply("Deploying the newest commit. What did not change stays as it is.", [{ kind: "run", id: redeploy(world, project).id }], ["pause"]);
  if (/roll ?back/i.test(text)) {
    const back = rollbackNewest(world, project);
    return back ? reply("Going back to the release before this one, image and environment.", [{ kind: "run", id: back.id }]) : reply("There is no earlier release to go back to.");
  }
  if (/pause/i.test(text) && run) {
    run.pausing = true;
    return reply("It will pause after the current step.", [{ kind: "run", id: run.id }], ["resume"]);
  }
  if (/resume/i.test(text) && run) {
    run.state = "in_progress";
    return reply("Going on.", [{ kind: "run", id: run.id }]);
  }
  return reply("I did not understand that. Now you can:\n\n- **deploy** `https://…` – read a repository\n- **accept all services**\n- **approve the plan**\n- **redeploy**, **pause**, **roll back**", [], suggestionsFor(services, plan));
}

const newest = (list, by) => list.toSorted((a, b) => b[by] - a[by])[0];

function suggestionsFor(services, plan) {
  if (services.length === 0) return ["deploy https://git.example.org/acme/corkboard.git"];
  return plan ? ["approve the plan", "redeploy"] : ["accept all services"];
}
