//! Images: looked up, built by the classic builder, pulled.

use std::collections::HashMap;

use bollard::query_parameters::{BuildImageOptionsBuilder, CreateImageOptionsBuilder};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};

use super::{DockerError, Engine, found};
use crate::step_context::LogWriter;

/// The classic builder takes its memory limit as a signed 32-bit number of bytes.
const LARGEST_BUILD_MEMORY_MB: u32 = 2047;

/// What an image is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageFacts {
    /// Content id, `sha256:…`.
    pub id: String,
    /// Its labels.
    pub labels: HashMap<String, String>,
}

/// One build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildRequest {
    /// Tag to give.
    pub tag: String,
    /// Name of the Dockerfile inside the context.
    pub dockerfile: String,
    /// Build arguments.
    pub args: HashMap<String, String>,
    /// Labels to give.
    pub labels: HashMap<String, String>,
    /// Memory limit of each instruction, MiB.
    pub memory_mb: u32,
}

impl Engine {
    /// An image that is present here.
    pub async fn image(&self, reference: &str) -> Result<Option<ImageFacts>, DockerError> {
        let Some(image) = found(self.api.inspect_image(reference).await)? else { return Ok(None) };
        let labels = image.config.and_then(|config| config.labels).unwrap_or_default();
        Ok(Some(ImageFacts { id: image.id.unwrap_or_default(), labels }))
    }

    /// Builds an image from a context (tar); output goes to `say`. Dropping the future cancels the build.
    pub async fn build(
        &self,
        request: &BuildRequest,
        context: impl Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static,
        mut say: impl AsyncFnMut(&str),
    ) -> Result<(), DockerError> {
        let memory = i32::try_from(request.memory_mb.min(LARGEST_BUILD_MEMORY_MB) << 20).unwrap_or(i32::MAX);
        let options = BuildImageOptionsBuilder::default()
            .t(&request.tag)
            .dockerfile(&request.dockerfile)
            .rm(true)
            .forcerm(true)
            .memory(memory)
            .memswap(memory)
            .buildargs(&request.args)
            .labels(&request.labels)
            .build();
        let mut output =
            std::pin::pin!(self.api.build_image(options, None, Some(bollard::body_try_stream(context))));
        while let Some(info) = output.next().await {
            let info = info?;
            if let Some(text) = info.stream {
                say(&text).await;
            } else if let Some(status) = info.status.filter(|status| is_news(status)) {
                say(&format!("{}\n", layer_line(info.id.as_deref(), &status))).await;
            }
            if let Some(message) = info.error_detail.and_then(|detail| detail.message) {
                return Err(DockerError::Stream(message));
            }
        }
        Ok(())
    }

    /// Pulls an image; `login` is user and password.
    pub async fn pull(
        &self,
        reference: &str,
        login: Option<(String, String)>,
        log: &LogWriter,
    ) -> Result<(), DockerError> {
        let options = CreateImageOptionsBuilder::default().from_image(reference).build();
        let credentials = login.map(|(user, password)| bollard::auth::DockerCredentials {
            username: Some(user),
            password: Some(password),
            ..Default::default()
        });
        let mut output = std::pin::pin!(self.api.create_image(Some(options), None, credentials));
        while let Some(info) = output.next().await {
            let info = info?;
            if let Some(message) = info.error_detail.and_then(|detail| detail.message) {
                return Err(DockerError::Stream(message));
            }
            if let Some(status) = info.status.filter(|status| is_news(status)) {
                log.line(&layer_line(info.id.as_deref(), &status)).await;
            }
        }
        Ok(())
    }

    /// Removes an image that nothing uses; one in use, or none, is left alone.
    pub async fn discard_image(&self, id: &str) -> Result<(), DockerError> {
        let options = None::<bollard::query_parameters::RemoveImageOptions>;
        match found(self.api.remove_image(id, options, None).await) {
            Ok(_) => Ok(()),
            Err(error) if error.is_conflict() => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Tag or id of every image that carries a label.
    pub async fn images_with_label(&self, label: &str) -> Result<Vec<String>, DockerError> {
        let filters = HashMap::from([("label", vec![label])]);
        let options =
            bollard::query_parameters::ListImagesOptionsBuilder::default().filters(&filters).build();
        let listed = self.api.list_images(Some(options)).await?;
        Ok(listed.into_iter().map(|image| image.repo_tags.into_iter().next().unwrap_or(image.id)).collect())
    }
}

/// Progress bars repeat hundreds of times a layer.
fn is_news(status: &str) -> bool {
    !matches!(status, "Downloading" | "Extracting")
}

fn layer_line(layer: Option<&str>, status: &str) -> String {
    layer.map_or_else(|| status.to_owned(), |layer| format!("{layer}: {status}"))
}
