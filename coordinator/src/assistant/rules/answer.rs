//! Doing what a sentence says: wants become calls of tools, what is unclear becomes a question.
//!
//! Rule: the first thing that does not work ends the turn; what was done before it is said.

use hydron_domain::service::{ServiceKind, ServiceState};
use serde_json::{Value, json};

use super::intent::{Field, Intent, Which};
use super::names::{Meant, meant};
use super::shown::Shown;
use crate::assistant::brain::{Reply, ToolProblem, Tools, Turn};
use crate::assistant::situation::{RunWord, ServiceNow};

/// Whether the turn goes on with its next sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// It does.
    GoOn,
    /// A question or a problem has to be settled first.
    Wait,
}

/// One turn being answered.
pub(super) struct Answer<'a> {
    pub(super) turn: &'a Turn,
    pub(super) tools: &'a dyn Tools,
    pub(super) reply: &'a mut Reply,
}

impl Answer<'_> {
    /// Does one thing.
    pub(super) async fn follow(&mut self, intent: Intent) -> Next {
        match intent {
            Intent::Deploy { url, reference, subdir } => {
                let input = json!({ "url": url, "reference": reference, "subdir": subdir });
                self.call("analyze_repository", input).await
            }
            Intent::DeployOther(named) => self.cannot_deploy(&named),
            Intent::AnalyzeAgain { subdir } => self.call("analyze_again", json!({ "subdir": subdir })).await,
            Intent::Accept(which) => self.decide("accept", which).await,
            Intent::Reject(which) => self.decide("reject", which).await,
            Intent::Set { field, value, service } => self.set(field, &value, service.as_deref()).await,
            Intent::SetVariables { variables, which, secret } => {
                self.set_variables(&variables, which, secret).await
            }
            Intent::VariableWithoutValue(name) => {
                self.reply.say(&format!("Which value? Say e.g. `set env {name}=value for <service>`. The value is not kept in this chat."));
                Next::Wait
            }
            Intent::ShowServices => self.call("show_services", json!({})).await,
            Intent::ShowPlan => self.call("show_plan", json!({})).await,
            Intent::MakePlan => self.call("make_plan", json!({})).await,
            Intent::Approve => self.approve().await,
            Intent::Redeploy(which) => self.redeploy(which).await,
            Intent::Pause => self.steer("pause").await,
            Intent::Resume => self.steer("resume").await,
            Intent::StopRun => self.steer("stop").await,
            Intent::Stop => self.stop().await,
            Intent::Retry => self.steer("retry").await,
            Intent::RollBack { service, to } => self.roll_back(service.as_deref(), to).await,
            Intent::Operate { operation, service } => {
                let word = operation.word();
                let Some(id) = self.live_service(service.as_deref(), |name| format!("{word} {name}")) else {
                    return Next::Wait;
                };
                self.call("operate_service", json!({ "service": id, "operation": word })).await
            }
            Intent::Logs { service } => {
                let Some(id) = self.live_service(service.as_deref(), |name| format!("logs of {name}")) else {
                    return Next::Wait;
                };
                self.call("read_logs", json!({ "service": id })).await
            }
            Intent::Status => self.call("status", json!({})).await,
            Intent::Help => self.help(),
            Intent::Courtesy => {
                let next = self.turn.situation.next_steps();
                self.reply.say(&next.advice);
                Next::GoOn
            }
        }
    }

    /// A value runs into the rest of the sentence.
    pub(super) fn needs_quotes(&mut self) {
        self.reply.say(
            "I cannot tell where that value ends, so I set nothing and did not keep it. Put it in quotes: \
             `set env NAME=\"value\" for <service>`.",
        );
    }

    /// Says what is possible now.
    pub(super) fn not_understood(&mut self) {
        let next = self.turn.situation.next_steps();
        let sentences: Vec<String> =
            next.sentences.iter().map(|sentence| format!("- `{sentence}`")).collect();
        let text = format!(
            "I did not understand that, and nothing was done. {} Right now you can say:",
            next.advice
        );
        self.reply.say(&text);
        self.reply.say(&sentences.join("\n"));
    }

    async fn call(&mut self, tool: &str, input: Value) -> Next {
        match self.tools.call(tool, input).await {
            Ok(done) => {
                self.reply.done(done);
                Next::GoOn
            }
            Err(problem) => self.problem(&problem),
        }
    }

    fn problem(&mut self, problem: &ToolProblem) -> Next {
        self.reply.problem(problem);
        Next::Wait
    }

    fn cannot_deploy(&mut self, named: &str) -> Next {
        self.reply.say(&format!(
            "`{}` is not the URL of a Git repository. Paste one that begins with `https://`, e.g. \
             `deploy https://github.com/you/app.git`.",
            named.replace('`', "")
        ));
        Next::Wait
    }

    async fn decide(&mut self, verb: &'static str, which: Which) -> Next {
        let tool = if verb == "accept" { "accept_services" } else { "reject_services" };
        let all: Vec<&ServiceNow> = self.turn.situation.services.iter().collect();
        let pending: Vec<&ServiceNow> = self.turn.situation.services_in(ServiceState::Pending).collect();
        let names = match which {
            Which::All => return self.call(tool, json!({ "services": null })).await,
            Which::Named(names) => names,
            Which::Unsaid => match pending.as_slice() {
                [one] => vec![one.name.clone()],
                [] => return self.call(tool, json!({ "services": [] })).await,
                [..] => {
                    let mut answers = vec![format!("{verb} all services")];
                    answers.extend(pending.iter().map(|service| format!("{verb} {}", service.name)));
                    self.reply.ask(&format!("Which service shall I {verb}?"), &answers);
                    return Next::Wait;
                }
            },
        };
        let mut ids = Vec::new();
        for name in names {
            let Some(service) = self.named(&name, &all, |name| format!("{verb} {name}")) else {
                return Next::Wait;
            };
            ids.push(service.id);
        }
        self.call(tool, json!({ "services": ids })).await
    }

    async fn set(&mut self, field: Field, value: &str, service: Option<&str>) -> Next {
        if value.contains("[hidden-") {
            self.reply.say(
                "That looks like a secret, so I took it out and set nothing. Secrets belong into variables: \
                 `set env NAME=value for <service>`.",
            );
            return Next::Wait;
        }
        let own = own_services(self.turn);
        let Some(id) = self.pick(service, &own, |name| format!("set {} of {name} to {value}", field.word()))
        else {
            return Next::Wait;
        };
        let name = match field {
            Field::Port => "port",
            Field::Start => "start",
            Field::Build => "build",
            Field::Health => "health_path",
            Field::Framework => "framework",
        };
        let value = match (field, value.parse::<u32>()) {
            (Field::Port, Ok(port)) => json!(port),
            (Field::Port, Err(_)) => {
                return self.problem(&ToolProblem {
                    code: "invalid_field".to_owned(),
                    detail: "port: must be a number from 1 to 65535".to_owned(),
                    field: Some("port".to_owned()),
                });
            }
            (Field::Start | Field::Build | Field::Health | Field::Framework, _) => json!(value),
        };
        let mut change = serde_json::Map::new();
        change.insert(name.to_owned(), value);
        self.call("change_service", json!({ "service": id, "change": change })).await
    }

    async fn set_variables(&mut self, variables: &[(String, String)], which: Which, secret: bool) -> Next {
        let own = own_services(self.turn);
        let names: Vec<&str> = variables.iter().map(|(name, _)| name.as_str()).collect();
        // The value is gone with this message, so an answer has to name it again.
        let again = |name: &str| {
            let pairs: Vec<String> = names.iter().map(|variable| format!("{variable}=\u{2026}")).collect();
            format!("set env {} for {name}", pairs.join(" "))
        };
        let services: Vec<&ServiceNow> = match which {
            Which::All => own,
            Which::Named(said) => {
                let mut found = Vec::new();
                for name in said {
                    let all: Vec<&ServiceNow> = self.turn.situation.services.iter().collect();
                    let Some(service) = self.named(&name, &all, again) else { return Next::Wait };
                    found.push(service);
                }
                found
            }
            Which::Unsaid => match own.as_slice() {
                [one] => vec![one],
                [] => {
                    self.no_services();
                    return Next::Wait;
                }
                [..] => {
                    let list: Vec<String> =
                        own.iter().map(|service| format!("`{}`", again(&service.name))).collect();
                    self.reply.say(&format!(
                        "For which service? Say it again with its name (I did not keep the value): {}",
                        list.join(" or ")
                    ));
                    return Next::Wait;
                }
            },
        };
        let variables: Vec<Value> =
            variables.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
        for service in services {
            let input = json!({ "service": service.id, "variables": variables, "secret": secret });
            if self.call("set_variables", input).await == Next::Wait {
                return Next::Wait;
            }
        }
        Next::GoOn
    }

    /// A yes counts for what this chat showed last, before this message.
    async fn approve(&mut self) -> Next {
        let Some(shown) = Shown::last(&self.turn.earlier) else {
            if self.call("show_plan", json!({})).await == Next::Wait {
                return Next::Wait;
            }
            self.reply.say(
                "Look at it. If it is what you want, say `approve the plan` and exactly this is signed.",
            );
            return Next::Wait;
        };
        match self.tools.call("approve_plan", shown.as_input()).await {
            Ok(done) => {
                self.reply.done(done);
                Next::GoOn
            }
            Err(problem) => {
                let changed =
                    ["stale_plan", "digest_mismatch", "wrong_state"].contains(&problem.code.as_str());
                self.reply.problem(&problem);
                if changed && let Ok(now) = self.tools.call("show_plan", json!({})).await {
                    self.reply.say("Nothing was approved. This is how it stands now:");
                    self.reply.done(now);
                }
                Next::Wait
            }
        }
    }

    async fn redeploy(&mut self, which: Which) -> Next {
        let live: Vec<&ServiceNow> = self.turn.situation.live().collect();
        let mut ids = Vec::new();
        if let Which::Named(names) = which {
            for name in names {
                let Some(service) = self.named(&name, &live, |name| format!("redeploy {name}")) else {
                    return Next::Wait;
                };
                ids.push(service.id);
            }
        }
        self.call("redeploy", json!({ "services": ids })).await
    }

    async fn steer(&mut self, what: &str) -> Next {
        self.call("steer_run", json!({ "what": what })).await
    }

    /// "stop" means the run while one is going; otherwise the person is asked what to stop.
    async fn stop(&mut self) -> Next {
        let state = self.turn.situation.run.as_ref().map(|run| run.state);
        if matches!(state, Some(RunWord::Going | RunWord::Paused)) {
            return self.steer("stop").await;
        }
        let answers: Vec<String> =
            self.turn.situation.live().map(|service| format!("stop {}", service.name)).collect();
        if answers.is_empty() {
            self.reply.say("Nothing is running.");
        } else {
            self.reply.ask("No run is going on. Which service shall I stop?", &answers);
        }
        Next::Wait
    }

    async fn roll_back(&mut self, service: Option<&str>, to: Option<String>) -> Next {
        let sentence = |name: &str| match &to {
            Some(to) => format!("roll back {name} to {to}"),
            None => format!("roll back {name}"),
        };
        let Some(id) = self.live_service(service, sentence) else { return Next::Wait };
        self.call("roll_back", json!({ "service": id, "to": to })).await
    }

    fn help(&mut self) -> Next {
        let next = self.turn.situation.next_steps();
        self.reply.say(&next.advice);
        self.reply.say(HELP);
        Next::GoOn
    }

    fn live_service(&mut self, said: Option<&str>, sentence: impl Fn(&str) -> String) -> Option<String> {
        let turn = self.turn;
        let live: Vec<&ServiceNow> = turn.situation.live().collect();
        if live.is_empty() {
            let next = turn.situation.next_steps();
            self.reply.say(&format!("No service is live yet. {}", next.advice));
            return None;
        }
        self.pick(said, &live, sentence)
    }

    /// The id of the service that was named, or the only one there is.
    fn pick(
        &mut self,
        said: Option<&str>,
        among: &[&ServiceNow],
        sentence: impl Fn(&str) -> String,
    ) -> Option<String> {
        match (said, among) {
            (Some(said), _) => {
                let all: Vec<&ServiceNow> = self.turn.situation.services.iter().collect();
                self.named(said, &all, sentence).map(|service| service.id.to_string())
            }
            (None, [one]) => Some(one.id.to_string()),
            (None, []) => {
                self.no_services();
                None
            }
            (None, [..]) => {
                let answers: Vec<String> = among.iter().map(|service| sentence(&service.name)).collect();
                self.reply.ask("Which service?", &answers);
                None
            }
        }
    }

    fn named<'s>(
        &mut self,
        said: &str,
        among: &[&'s ServiceNow],
        sentence: impl Fn(&str) -> String,
    ) -> Option<&'s ServiceNow> {
        let candidates = match meant(said, among) {
            Meant::One(service) => return Some(service),
            Meant::Several(several) => {
                let answers: Vec<String> = several.iter().map(|service| sentence(&service.name)).collect();
                self.reply
                    .ask(&format!("\u{201c}{said}\u{201d} fits several services. Which one?"), &answers);
                return None;
            }
            Meant::Nothing => among,
        };
        if candidates.is_empty() {
            self.no_services();
            return None;
        }
        let answers: Vec<String> = candidates.iter().take(8).map(|service| sentence(&service.name)).collect();
        self.reply.ask(&format!("There is no service \u{201c}{said}\u{201d} here. Which one?"), &answers);
        None
    }

    fn no_services(&mut self) {
        let next = self.turn.situation.next_steps();
        self.reply.say(&format!("There is no service to do that with. {}", next.advice));
    }
}

/// Services that are not databases and the like: what a person means when none is named.
fn own_services(turn: &Turn) -> Vec<&ServiceNow> {
    let own = |service: &&ServiceNow| {
        service.kind != ServiceKind::Dependency && service.state != ServiceState::Rejected
    };
    turn.situation.services.iter().filter(own).collect()
}

const HELP: &str = "What you can say:\n\
- `deploy <git url>`, also `\u{2026} branch <name>` and `\u{2026} folder <path>`; `analyze again`, `check <folder>`\n\
- `accept all services`, `accept <service>`, `reject <service>`, `show services`\n\
- `set port of <service> to 8080`, also `start`, `build`, `health`, `framework`\n\
- `set env NAME=value for <service>`, `set secret env NAME=value for <service>`; values are not kept in this chat\n\
- `make the plan`, `show the plan`, `approve the plan`\n\
- `pause`, `resume`, `stop the run`, `retry`, `status`\n\
- `redeploy`, `redeploy <service>`, `roll back <service>`, `roll back <service> to <commit>`\n\
- `restart <service>`, `stop <service>`, `start <service>`, `logs of <service>`";
