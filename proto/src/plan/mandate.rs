//! Mandates: what later releases of a service may do without a new approval. Signed with the provisioning plan,
//! kept by the executor, checked field by field there (and by the coordinator, which asks a person when it does not fit).
//!
//! Rule: everything not named here is outside.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    Action, ActionKind, Dockerfile, GitCheckout, Health, ImageBuild, ImagePull, InterruptPolicy,
    PlanDocument, PlanKind, Probe, ReleaseImage, ReleaseOrder, ReleaseSpec, Step, Undo,
};
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
    /// The repository of the images that are built for it, e.g. `hydron/prj-api`: a tag of any other is somebody else's.
    pub image: ImageRef,
    /// Memory ceiling of a build, MiB.
    pub build_memory_mb: u32,
    /// Which step kinds a release may use, and what must be promised about each.
    pub kinds: BTreeMap<ActionKind, StepRule>,
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
    /// How it is known to be well.
    pub health: Health,
    /// Whether old and new may run side by side: two databases on one volume must not.
    pub order: ReleaseOrder,
    /// Watch time after the switch, seconds.
    pub bake_s: u16,
    /// Wait for open connections to the old one, seconds.
    pub drain_s: u16,
    /// Time between TERM and KILL, seconds.
    pub stop_grace_s: u16,
    /// No release starts after this, milliseconds since 1970.
    pub valid_until_unix_ms: i64,
}

/// What must be promised about a step of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct StepRule {
    /// Ceiling of its time-out, seconds.
    pub timeout_s: u32,
    /// What happens when its outcome is unknown.
    pub on_interrupt: InterruptPolicy,
    /// What happens when it fails.
    pub undo: Undo,
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
    /// Whether a release plan for this service stays inside, at `now_unix_ms`. Every field of every step is taken apart
    /// here by name, so that a new one cannot be forgotten; what is left free says so.
    pub fn admits(&self, plan: &PlanDocument, now_unix_ms: i64) -> Result<(), RejectCode> {
        let inside = plan.kind == PlanKind::Release
            && now_unix_ms < self.valid_until_unix_ms
            && plan.steps.iter().all(|step| self.admits_step(step));
        if inside { Ok(()) } else { Err(RejectCode::OutsideMandate) }
    }

    fn admits_step(&self, step: &Step) -> bool {
        // Free: what only a person reads, the risk, which is computed, and what is waited for.
        let Step {
            title: _,
            phase: _,
            service,
            action,
            risk: _,
            timeout_s,
            on_interrupt,
            undo,
            after: _,
            guarded,
            downtime_s: _,
        } = step;
        let Some(rule) = self.kinds.get(&action.kind()) else { return false };
        *service == Some(self.service)
            && *timeout_s <= rule.timeout_s
            && *on_interrupt == rule.on_interrupt
            && *undo == rule.undo
            && !guarded
            && self.admits_action(action)
    }

    fn admits_action(&self, action: &Action) -> bool {
        let inside = match action {
            Action::GitCheckout(checkout) => self.admits_checkout(checkout),
            Action::ImageBuild(build) => self.admits_build(build),
            Action::ImagePull(ImagePull { image, credential: _ }) => self.admits_image(image),
            Action::Release(spec) => self.admits_release(spec),
            // Free: what is asked of the service's own public host.
            Action::Probe(Probe { host, path: _, status_from: _, status_to: _, tries: _ }) => {
                self.hosts.contains(host)
            }
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
        };
        inside && action.secrets().iter().all(|secret| self.secrets.contains(&secret.name))
    }

    fn admits_checkout(&self, checkout: &GitCheckout) -> bool {
        // Free: the commit; the name, which the executor holds against the builds of the plan.
        let GitCheckout { url, reference, commit: _, credential: _, checkout: _ } = checkout;
        match &self.source {
            SourceRule::Git { url: known, reference: at, .. } => url == known && reference == at,
            SourceRule::Dockerfile { .. } | SourceRule::Image { .. } => false,
        }
    }

    fn admits_build(&self, build: &ImageBuild) -> bool {
        let ImageBuild { service, checkout, context, dockerfile, args, tag, memory_mb } = build;
        let from = match &self.source {
            SourceRule::Git { context: root, dockerfile: rule, .. } => {
                checkout.is_some() && context == root && rule.admits(dockerfile)
            }
            SourceRule::Dockerfile { dockerfile: rule } => checkout.is_none() && rule.admits(dockerfile),
            SourceRule::Image { .. } => false,
        };
        from && *service == self.name
            && args.is_empty()
            && self.owns(tag)
            && *memory_mb <= self.build_memory_mb
    }

    fn admits_release(&self, spec: &ReleaseSpec) -> bool {
        let ReleaseSpec {
            service,
            name,
            release: _,
            image,
            command,
            env,
            port,
            network,
            volumes,
            limits,
            health,
            order,
            pre_deploy,
            bake_s,
            drain_s,
            stop_grace_s,
        } = spec;
        *service == self.service
            && *name == self.name
            && match image {
                ReleaseImage::Built { tag } => self.owns(tag),
                ReleaseImage::Pulled { image } => self.admits_image(image),
            }
            && *command == self.command
            && env.iter().all(|var| self.env.contains(&var.name))
            && port.is_none_or(|port| self.ports.contains(&port))
            && self.networks.contains(network)
            && volumes.iter().all(|mount| self.volumes.contains(mount))
            && limits.memory_mb <= self.limits.memory_mb
            && limits.cpu_milli <= self.limits.cpu_milli
            && limits.pids <= self.limits.pids
            && *health == self.health
            && *order == self.order
            && *pre_deploy == self.pre_deploy
            && *bake_s == self.bake_s
            && *drain_s == self.drain_s
            && *stop_grace_s == self.stop_grace_s
    }

    /// Whether a tag lies in the repository of this service's builds.
    fn owns(&self, tag: &ImageRef) -> bool {
        let version = tag.as_str().strip_prefix(self.image.as_str()).and_then(|rest| rest.strip_prefix(':'));
        match self.source {
            SourceRule::Git { .. } | SourceRule::Dockerfile { .. } => {
                version.is_some_and(|version| !version.contains(['/', ':', '@']))
            }
            SourceRule::Image { .. } => false,
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

#[cfg(test)]
mod tests;
