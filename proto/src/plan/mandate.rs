//! Mandates: what later releases of a service may do without a new approval. Signed with the provisioning plan,
//! kept by the executor, checked field by field there (and by the coordinator, which asks a person when it does not fit).
//!
//! Rule: everything not named here is outside.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Action, ActionKind, Dockerfile, PlanDocument, PlanKind, ReleaseImage, ReleaseSpec};
use crate::ids::ServiceId;
use crate::names::{
    EnvName, GitRef, GitUrl, Hostname, ImageRef, RelPath, ResourceName, SecretName, ServiceName,
};
use crate::reject::RejectCode;

/// The bounds of releases of one service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Mandate {
    /// Which service.
    pub service: ServiceId,
    /// Its name.
    pub name: ServiceName,
    /// Where its code or image may come from.
    pub source: SourceRule,
    /// Which step kinds a release may use.
    pub kinds: BTreeSet<ActionKind>,
    /// Networks it may join.
    pub networks: BTreeSet<ResourceName>,
    /// Volumes it may mount, with their paths.
    pub volumes: Vec<super::VolumeMount>,
    /// Ports it may listen on.
    pub ports: BTreeSet<u16>,
    /// Hosts its probes may ask.
    pub hosts: BTreeSet<Hostname>,
    /// Variables it may set.
    pub env: BTreeSet<EnvName>,
    /// Secrets it may name.
    pub secrets: BTreeSet<SecretName>,
    /// Its command, if it replaces the image's.
    pub command: Option<Vec<String>>,
    /// Its pre-deploy command.
    pub pre_deploy: Option<Vec<String>>,
    /// Ceilings of its limits.
    pub limits: super::Limits,
    /// No release starts after this, milliseconds since 1970.
    pub valid_until_unix_ms: i64,
}

/// Where code or image may come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SourceRule {
    /// Any commit of a ref of a repository.
    Git {
        /// Repository.
        url: GitUrl,
        /// Ref.
        reference: GitRef,
        /// Build context.
        context: RelPath,
        /// Dockerfile.
        dockerfile: DockerfileRule,
    },
    /// An image that is built from a Dockerfile alone.
    Dockerfile {
        /// Dockerfile.
        dockerfile: DockerfileRule,
    },
    /// Tags and digests of an image repository.
    Image {
        /// The reference up to its tag.
        repository: ImageRef,
    },
}

/// Which Dockerfile a release may build with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum DockerfileRule {
    /// The repository's own.
    Repository {
        /// Path.
        path: RelPath,
    },
    /// Exactly the approved text.
    Inline {
        /// The text.
        content: String,
    },
}

/// Whether every step of a release plan stays inside the mandate of its service. Both sides ask this one function.
pub fn admit_release(mandates: &[Mandate], plan: &PlanDocument, now_unix_ms: i64) -> Result<(), RejectCode> {
    let services: Option<BTreeSet<ServiceId>> = plan.steps.iter().map(|step| step.service).collect();
    for service in services.ok_or(RejectCode::OutsideMandate)? {
        let steps = plan.steps.iter().filter(|step| step.service == Some(service)).cloned().collect();
        let part = PlanDocument { steps, ..plan.clone() };
        let mandate = mandates.iter().find(|mandate| mandate.service == service);
        mandate.ok_or(RejectCode::NoMandate)?.admits(&part, now_unix_ms)?;
    }
    Ok(())
}

impl Mandate {
    /// Whether a release plan for this service stays inside, at `now_unix_ms`. Every field is compared.
    pub fn admits(&self, plan: &PlanDocument, now_unix_ms: i64) -> Result<(), RejectCode> {
        let inside = plan.kind == PlanKind::Release
            && now_unix_ms < self.valid_until_unix_ms
            && plan
                .steps
                .iter()
                .all(|step| step.service == Some(self.service) && self.admits_action(&step.action));
        if inside { Ok(()) } else { Err(RejectCode::OutsideMandate) }
    }

    fn admits_action(&self, action: &Action) -> bool {
        self.kinds.contains(&action.kind())
            && match action {
                Action::GitCheckout(checkout) => match &self.source {
                    SourceRule::Git { url, reference, .. } => {
                        checkout.url == *url && checkout.reference == *reference && self.names(action)
                    }
                    SourceRule::Dockerfile { .. } | SourceRule::Image { .. } => false,
                },
                Action::ImageBuild(build) => {
                    build.service == self.name
                        && build.args.is_empty()
                        && match &self.source {
                            SourceRule::Git { context, dockerfile, .. } => {
                                build.checkout.is_some()
                                    && build.context == *context
                                    && dockerfile.admits(&build.dockerfile)
                            }
                            SourceRule::Dockerfile { dockerfile } => {
                                build.checkout.is_none() && dockerfile.admits(&build.dockerfile)
                            }
                            SourceRule::Image { .. } => false,
                        }
                }
                Action::ImagePull(pull) => self.admits_image(&pull.image) && self.names(action),
                Action::Release(spec) => self.admits_release(spec) && self.names(action),
                Action::Probe(probe) => self.hosts.contains(&probe.host),
                Action::Packages(_)
                | Action::File(_)
                | Action::Directory(_)
                | Action::DockerEngine(_)
                | Action::Network(_)
                | Action::Volume(_)
                | Action::Route(_)
                | Action::Certificate(_)
                | Action::Shell(_)
                | Action::Operate(_) => false,
            }
    }

    fn admits_release(&self, spec: &ReleaseSpec) -> bool {
        spec.service == self.service
            && spec.name == self.name
            && self.networks.contains(&spec.network)
            && spec.port.is_none_or(|port| self.ports.contains(&port))
            && spec.volumes.iter().all(|mount| self.volumes.contains(mount))
            && spec.env.iter().all(|var| self.env.contains(&var.name))
            && spec.command == self.command
            && spec.pre_deploy == self.pre_deploy
            && spec.limits.memory_mb <= self.limits.memory_mb
            && spec.limits.cpu_milli <= self.limits.cpu_milli
            && spec.limits.pids <= self.limits.pids
            && match &spec.image {
                ReleaseImage::Built { tag } => {
                    matches!(self.source, SourceRule::Git { .. } | SourceRule::Dockerfile { .. })
                        && tag.as_str().starts_with("hydron/")
                }
                ReleaseImage::Pulled { image } => self.admits_image(image),
            }
    }

    fn admits_image(&self, image: &ImageRef) -> bool {
        match &self.source {
            SourceRule::Image { repository } => image
                .as_str()
                .strip_prefix(repository.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '@'])),
            SourceRule::Git { .. } | SourceRule::Dockerfile { .. } => false,
        }
    }

    fn names(&self, action: &Action) -> bool {
        action.secrets().iter().all(|secret| self.secrets.contains(&secret.name))
    }
}

impl DockerfileRule {
    fn admits(&self, dockerfile: &Dockerfile) -> bool {
        match (self, dockerfile) {
            (Self::Repository { path }, Dockerfile::Repository { path: given }) => path == given,
            (Self::Inline { content }, Dockerfile::Inline { content: given }) => content == given,
            (Self::Repository { .. }, Dockerfile::Inline { .. })
            | (Self::Inline { .. }, Dockerfile::Repository { .. }) => false,
        }
    }
}
