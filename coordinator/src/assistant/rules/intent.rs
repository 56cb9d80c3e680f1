//! What a person can want, and how a message is read as a list of wants.
//!
//! Rule: a message is understood as a whole or not at all. A sentence that contains a command ("do not approve …", "what
//! does approve do?") is not that command.

use super::verbs;
use super::words::Words;

/// Something a person wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intent {
    /// Read a repository and propose what to deploy.
    Deploy {
        /// As typed; checked by whoever reads it.
        url: String,
        /// Branch or tag.
        reference: Option<String>,
        /// Directory in the repository.
        subdir: Option<String>,
    },
    /// Something to deploy was named, but it is not a repository's URL.
    DeployOther(String),
    /// Read the same repository again.
    AnalyzeAgain {
        /// Directory in the repository.
        subdir: Option<String>,
    },
    /// Make services part of plans.
    Accept(Which),
    /// Leave services out of plans.
    Reject(Which),
    /// Change a field of a service.
    Set {
        /// Which field.
        field: Field,
        /// The new value, as written.
        value: String,
        /// Of which service, as named.
        service: Option<String>,
    },
    /// Give variables values.
    SetVariables {
        /// Names and placeholders of values.
        variables: Vec<(String, String)>,
        /// Of which services.
        which: Which,
        /// Whether the person said that they are secret.
        secret: bool,
    },
    /// A variable was named without a value.
    VariableWithoutValue(String),
    /// Show the services.
    ShowServices,
    /// Show the plan.
    ShowPlan,
    /// Make a plan.
    MakePlan,
    /// Say yes to the plan that this chat showed last.
    Approve,
    /// Deploy the newest commit.
    Redeploy(Which),
    /// Pause the run.
    Pause,
    /// Let the run go on.
    Resume,
    /// Stop the run.
    StopRun,
    /// "stop" and nothing else.
    Stop,
    /// Retry what failed.
    Retry,
    /// Bring an earlier release back.
    RollBack {
        /// Of which service, as named.
        service: Option<String>,
        /// To which release or commit, as named.
        to: Option<String>,
    },
    /// Restart, stop or start a service.
    Operate {
        /// What to do.
        operation: Operation,
        /// Which service, as named.
        service: Option<String>,
    },
    /// Read the log of a service.
    Logs {
        /// Which service, as named.
        service: Option<String>,
    },
    /// Where does it stand?
    Status,
    /// What can I say?
    Help,
    /// Thanks, hello.
    Courtesy,
}

/// Which services a sentence is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// All that fit.
    All,
    /// These, as named.
    Named(Vec<String>),
    /// The sentence does not say.
    Unsaid,
}

/// A field of a service that a sentence can change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// Port inside the container.
    Port,
    /// Start command.
    Start,
    /// Build command.
    Build,
    /// Path that answers when it is well.
    Health,
    /// Framework.
    Framework,
}

/// What is done to a running service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Stop and start.
    Restart,
    /// Stop.
    Stop,
    /// Start.
    Start,
}

impl Field {
    /// What a person calls it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Port => "port",
            Self::Start => "start command",
            Self::Build => "build command",
            Self::Health => "health path",
            Self::Framework => "framework",
        }
    }
}

impl Operation {
    /// Its word in a sentence and in the API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Restart => "restart",
            Self::Stop => "stop",
            Self::Start => "start",
        }
    }
}

/// Sentences in one message that are still followed.
const MOST_SENTENCES: usize = 8;

/// The wants of a message, in order; none if any part of it is not understood.
pub fn read(message: &str) -> Option<Vec<Intent>> {
    let whole = sentence(message);
    if whole.is_some() {
        return whole.map(|intent| vec![intent]);
    }
    let parts = split(message);
    if parts.len() < 2 || parts.len() > MOST_SENTENCES {
        return None;
    }
    parts.into_iter().map(sentence).collect()
}

fn sentence(text: &str) -> Option<Intent> {
    if text.trim().contains('\n') {
        return None;
    }
    let asked = text.trim_end().ends_with('?');
    let mut words = Words::of(text.trim_end().trim_end_matches('?'));
    let polite = polite_beginning(&mut words);
    // "what now" ends with a word that is elsewhere only polite, so the sentence is tried as it is first.
    let intent = verbs::intent(&mut words.clone()).or_else(|| {
        polite_end(&mut words);
        verbs::intent(&mut words)
    })?;
    // "approve the plan?" asks; "can you redeploy?" and "status?" tell.
    let tells = !asked || polite || intent.only_looks();
    tells.then_some(intent)
}

/// Takes polite words off the beginning; true if they make a question a request.
fn polite_beginning(words: &mut Words<'_>) -> bool {
    words.eat_phrase(&["hey hydron", "hi hydron", "hello hydron", "ok hydron", "hydron"]);
    words.skip(&["ok", "okay", "now", "then", "and", "so", "yes", "great", "fine", "also", "please", "just"]);
    let request = words.eat_phrase(&[
        "can you",
        "could you",
        "would you",
        "will you",
        "can we",
        "could we",
        "can i",
        "may i",
        "could i",
    ]);
    let wish = words.eat_phrase(&[
        "i want to",
        "i would like to",
        "i'd like to",
        "i want you to",
        "we want to",
        "let us",
        "let's",
        "go ahead and",
    ]);
    words.skip(&["please", "now", "just", "then"]);
    request || wish
}

fn polite_end(words: &mut Words<'_>) {
    for tail in ["thanks", "thank you", "please", "for me", "right now", "now"] {
        if words.left() > tail.split(' ').count() {
            words.drop_last_phrase(tail);
        }
    }
}

/// Lines, and clauses joined by "then" or "and".
fn split(message: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = message.lines().collect();
    for joint in [" and then ", ", then ", "; ", ". ", " then ", ", and ", " and "] {
        parts = parts.iter().flat_map(|part| unless_one(part, joint)).collect();
    }
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect()
}

/// The clauses of a part, unless it is one sentence already ("accept api and web").
fn unless_one<'a>(part: &'a str, joint: &str) -> Vec<&'a str> {
    if sentence(part).is_some() { vec![part] } else { part.split(joint).collect() }
}

impl Intent {
    /// Whether it changes nothing.
    pub fn only_looks(&self) -> bool {
        match self {
            Self::ShowServices
            | Self::ShowPlan
            | Self::Logs { .. }
            | Self::Status
            | Self::Help
            | Self::Courtesy => true,
            Self::Deploy { .. }
            | Self::DeployOther(_)
            | Self::AnalyzeAgain { .. }
            | Self::Accept(_)
            | Self::Reject(_)
            | Self::Set { .. }
            | Self::SetVariables { .. }
            | Self::VariableWithoutValue(_)
            | Self::MakePlan
            | Self::Approve
            | Self::Redeploy(_)
            | Self::Pause
            | Self::Resume
            | Self::StopRun
            | Self::Stop
            | Self::Retry
            | Self::RollBack { .. }
            | Self::Operate { .. } => false,
        }
    }
}
