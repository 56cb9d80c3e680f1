//! An image built on this server from a checkout, or from a Dockerfile alone.
//!
//! Rule: the same commit, context, Dockerfile and arguments give the same label, and an image with that label is not
//! built again. Neighbours: `context` (what is sent), `ignore` (what is not), `docker` (the builder).

mod context;
mod ignore;

use std::collections::{HashMap, VecDeque};
use std::io::Read as _;
use std::path::Path;

use hydron_proto::plan::{Dockerfile, EnvPart, ImageBuild, StepResult};
use sha2::{Digest as _, Sha256};

use super::Applied;
use super::failure::unless_cancelled;
use super::git::Checkout;
use super::place::{Place, refused};
use crate::docker::{BuildRequest, DockerError, Engine};
use crate::step_context::{Check, StepContext, StepFailure};

/// Says from what an image was built.
const INPUT_LABEL: &str = "hydron.build";
/// Largest Dockerfile.
const MOST_DOCKERFILE: u64 = 1 << 20;
/// Lines of a failed build that its error repeats.
const LAST_LINES: usize = 20;
/// Of each of them, bytes.
const LAST_LINE: usize = 400;

pub(super) async fn check(wanted: &ImageBuild, context: &StepContext<'_>) -> Result<Check, StepFailure> {
    let engine = Engine::connect(&context.config.docker_socket).await?;
    let input = input_digest(wanted, context)?;
    let there = engine
        .image(wanted.tag.as_str())
        .await?
        .filter(|image| image.labels.get(INPUT_LABEL).is_some_and(|label| *label == input));
    Ok(there.map_or(Check::Needed, |image| Check::AlreadyDone(StepResult::Image { image_id: image.id })))
}

pub(super) async fn apply(wanted: &ImageBuild, context: &StepContext<'_>) -> Result<Applied, StepFailure> {
    if let Check::AlreadyDone(result) = check(wanted, context).await? {
        context.log.line(&format!("{} is built already from the same input", wanted.tag)).await;
        return Ok(Applied::unchanged(result));
    }
    context.doing.set(format!("Building {}", wanted.service));
    let engine = Engine::connect(&context.config.docker_socket).await?;
    let source = source(wanted, context)?;
    let request = request(wanted, context)?;
    let mut last = Tail::default();
    let log = context.log.clone();
    let build = engine.build(&request, context::stream(source), async |text: &str| {
        last.take(text);
        log.bytes(text.as_bytes()).await;
    });
    let built = unless_cancelled(context, async { Ok::<_, StepFailure>(build.await) }).await?;
    built.map_err(|error| failed(wanted, &error, &last))?;
    let image = engine.image(wanted.tag.as_str()).await?.ok_or_else(|| {
        StepFailure::new("BUILD_FAILED", format!("the build ended well, but {} is not here", wanted.tag))
    })?;
    Ok(Applied::changed(StepResult::Image { image_id: image.id }))
}

fn request(wanted: &ImageBuild, context: &StepContext<'_>) -> Result<BuildRequest, StepFailure> {
    let mut args = HashMap::new();
    for argument in &wanted.args {
        let mut value = String::new();
        for part in &argument.value {
            match part {
                EnvPart::Text(text) => value.push_str(text),
                EnvPart::Secret(_) => {
                    return Err(StepFailure::new(
                        "BUILD_ARGUMENT_SECRET",
                        format!(
                            "build argument {} names a secret; images show their arguments to everyone",
                            argument.name
                        ),
                    ));
                }
            }
        }
        args.insert(argument.name.to_string(), value);
    }
    let labels = [("hydron.name", wanted.service.to_string()), (INPUT_LABEL, input_digest(wanted, context)?)];
    Ok(BuildRequest {
        tag: wanted.tag.to_string(),
        dockerfile: context::DOCKERFILE.to_owned(),
        args,
        labels: context
            .labels()
            .into_iter()
            .chain(labels.map(|(key, value)| (key.to_owned(), value)))
            .collect(),
        memory_mb: wanted.memory_mb,
    })
}

/// What is sent to the builder.
fn source(wanted: &ImageBuild, context: &StepContext<'_>) -> Result<context::Source, StepFailure> {
    let Some(name) = &wanted.checkout else {
        return match &wanted.dockerfile {
            Dockerfile::Inline { content } => {
                Ok(context::Source { dockerfile: content.clone().into_bytes(), directory: None })
            }
            Dockerfile::Repository { path } => Err(StepFailure::new(
                "BUILD_SOURCE_MISSING",
                format!("the Dockerfile {path} of a repository needs a checkout"),
            )),
        };
    };
    let checkout = Checkout::of(context.root, name);
    if checkout.commit()?.is_none() {
        return Err(StepFailure::new(
            "BUILD_SOURCE_MISSING",
            format!("checkout {name} is not here; its step must come first"),
        ));
    }
    let tree = checkout.tree();
    let inside = Path::new(wanted.context.as_str());
    Place::walk(&tree, inside, None).map_err(|error| {
        let failure = refused(inside, error);
        StepFailure { message: format!("the build context {}", failure.message), ..failure }
    })?;
    let dockerfile = match &wanted.dockerfile {
        Dockerfile::Inline { content } => content.clone().into_bytes(),
        Dockerfile::Repository { path } => read_dockerfile(&tree, path.as_str())?,
    };
    Ok(context::Source { dockerfile, directory: Some(tree.join(inside)) })
}

fn read_dockerfile(tree: &Path, path: &str) -> Result<Vec<u8>, StepFailure> {
    let shown = Path::new(path);
    let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
    let mut content = Vec::new();
    let place = Place::walk(tree, Path::new(parent), None).map_err(|error| refused(shown, error))?;
    let file = place.read(Path::new(name)).map_err(|error| refused(shown, error))?;
    file.take(MOST_DOCKERFILE).read_to_end(&mut content).map_err(|error| refused(shown, error))?;
    Ok(content)
}

/// A digest over everything that decides what comes out.
fn input_digest(wanted: &ImageBuild, context: &StepContext<'_>) -> Result<String, StepFailure> {
    let commit = match &wanted.checkout {
        Some(name) => Checkout::of(context.root, name).commit()?.map(String::from),
        None => None,
    };
    let input = serde_json::json!([commit, wanted.context, wanted.dockerfile, wanted.args]);
    let digest = Sha256::digest(input.to_string().as_bytes());
    Ok(digest.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}")))
}

fn failed(wanted: &ImageBuild, error: &DockerError, last: &Tail) -> StepFailure {
    let words = match error {
        DockerError::Stream(message) | DockerError::Refused { message, .. } => message.trim().to_owned(),
        DockerError::Unreachable { .. } | DockerError::Connection(_) => {
            return StepFailure::new("DOCKER_CONNECTION", error.to_string());
        }
    };
    let exit_code = words.rsplit_once("non-zero code: ").and_then(|(_, code)| code.trim().parse().ok());
    let what = match (&last.instruction, exit_code) {
        (Some(instruction), Some(code)) => format!("{instruction} ended with code {code}"),
        _ => words,
    };
    StepFailure {
        exit_code,
        oom: exit_code == Some(137),
        ..StepFailure::new(
            "BUILD_FAILED",
            format!("the image of {} could not be built: {what}\n{}", wanted.service, last.text()),
        )
    }
}

/// The last lines of an output, each cut to [`LAST_LINE`], and the instruction that they belong to.
#[derive(Default)]
struct Tail {
    lines: VecDeque<String>,
    open: String,
    instruction: Option<String>,
}

impl Tail {
    fn take(&mut self, text: &str) {
        for (at, part) in text.split('\n').enumerate() {
            if at > 0 {
                let line = std::mem::take(&mut self.open);
                if let Some(instruction) = instruction(&line) {
                    self.instruction = Some(instruction);
                }
                self.lines.push_back(line);
            }
            let room = LAST_LINE.saturating_sub(self.open.len());
            self.open.push_str(part.get(..part.floor_char_boundary(room)).unwrap_or_default());
        }
        while self.lines.len() > LAST_LINES {
            self.lines.pop_front();
        }
    }

    fn text(&self) -> String {
        self.lines.iter().map(String::as_str).chain([self.open.as_str()]).collect::<Vec<_>>().join("\n")
    }
}

/// The engine says `Step 4/11 : RUN make` before each instruction of a Dockerfile.
fn instruction(line: &str) -> Option<String> {
    let (number, words) = line.strip_prefix("Step ")?.split_once(" : ")?;
    let (at, of) = number.split_once('/')?;
    (at.parse::<u32>().is_ok() && of.parse::<u32>().is_ok())
        .then(|| format!("\u{201c}{}\u{201d} (instruction {at} of {of})", words.trim()))
}

#[cfg(test)]
mod tests {
    use super::Tail;

    #[test]
    fn the_instruction_that_failed_is_the_last_one_that_the_engine_named() {
        let mut tail = Tail::default();
        tail.take("Step 1/2 : FROM scratch\n ---> 0123\nStep 2/2 : RUN echo Step 9 ");
        tail.take("&& exit 7\n ---> Running in 89ab\nStep by step : no\n");
        assert_eq!(
            tail.instruction.as_deref(),
            Some("\u{201c}RUN echo Step 9 && exit 7\u{201d} (instruction 2 of 2)")
        );
        assert!(tail.text().starts_with("Step 1/2 : FROM scratch\n"));
    }
}
