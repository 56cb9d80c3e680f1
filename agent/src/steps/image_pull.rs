//! An image from a registry. A digest is exact; for a tag, the registry is asked, and when it cannot be reached an image
//! of that tag which is already here counts, said in the log.

use hydron_proto::plan::{ImagePull, StepResult};

use super::Applied;
use super::failure::unless_cancelled;
use crate::docker::{DockerError, Engine, ImageFacts};
use crate::step_context::{Check, StepContext, StepFailure};

pub(super) async fn check(wanted: &ImagePull, context: &StepContext<'_>) -> Result<Check, StepFailure> {
    let engine = Engine::connect(&context.config.docker_socket).await?;
    Ok(match engine.image(wanted.image.as_str()).await? {
        Some(image) if is_exact(wanted) => Check::AlreadyDone(done(image)),
        Some(_) | None => Check::Needed,
    })
}

pub(super) async fn apply(wanted: &ImagePull, context: &StepContext<'_>) -> Result<Applied, StepFailure> {
    let engine = Engine::connect(&context.config.docker_socket).await?;
    let reference = wanted.image.as_str();
    let before = engine.image(reference).await?;
    if let Some(image) = before.clone().filter(|_| is_exact(wanted)) {
        return Ok(Applied::unchanged(done(image)));
    }
    context.doing.set(format!("Pulling {reference}"));
    let tagged = tagged(reference);
    let pull = engine.pull(&tagged, login(wanted, context)?, &context.log);
    let pulled = unless_cancelled(context, async { Ok::<_, StepFailure>(pull.await) }).await?;
    match (pulled, before) {
        (Ok(()), before) => {
            let missing =
                || StepFailure::new("IMAGE_MISSING", format!("{reference} is not here after its pull"));
            let image = engine.image(reference).await?.ok_or_else(missing)?;
            Ok(Applied { already_done: before.as_ref() == Some(&image), result: done(image) })
        }
        (Err(DockerError::Refused { status, message }), Some(image)) if status >= 500 => {
            context.log.line(&format!("the registry could not be asked ({message})")).await;
            context.log.line(&format!("{reference} is already here and is used: {}", image.id)).await;
            Ok(Applied::unchanged(done(image)))
        }
        (Err(error), _) => Err(StepFailure::new(
            "PULL_FAILED",
            format!("{reference} could not be pulled: {error}; check its name and the registry's login"),
        )),
    }
}

fn done(image: ImageFacts) -> StepResult {
    StepResult::Image { image_id: image.id }
}

fn is_exact(wanted: &ImagePull) -> bool {
    wanted.image.as_str().contains('@')
}

/// Without a tag the engine would pull every tag.
fn tagged(reference: &str) -> String {
    let last = reference.rsplit('/').next().unwrap_or(reference);
    if last.contains([':', '@']) { reference.to_owned() } else { format!("{reference}:latest") }
}

/// The secret is `user:password`.
fn login(wanted: &ImagePull, context: &StepContext<'_>) -> Result<Option<(String, String)>, StepFailure> {
    let Some(secret) = &wanted.credential else { return Ok(None) };
    let unusable = || {
        StepFailure::new(
            "CREDENTIAL_UNUSABLE",
            format!("the registry login {} must be `user:password`; enter it again", secret.name),
        )
    };
    let value = context.secrets.get(secret).ok_or_else(unusable)?;
    let text = std::str::from_utf8(value).map_err(|_| unusable())?;
    let (user, password) = text.split_once(':').ok_or_else(unusable)?;
    Ok(Some((user.to_owned(), password.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::tagged;

    #[test]
    fn a_reference_without_a_tag_means_latest() {
        assert_eq!(tagged("nginx"), "nginx:latest");
        assert_eq!(tagged("localhost:5000/a/nginx"), "localhost:5000/a/nginx:latest");
        assert_eq!(tagged("nginx:1.22"), "nginx:1.22");
    }
}
