//! The step kinds, typed. Each has check, apply and (where declared) undo in `agent/src/steps/`.
//!
//! Rule: every field is a parsed type or a number; only [`Shell`] carries text that is run, and that makes it R3.

use serde::{Deserialize, Serialize};

use super::{EnvVar, ReleaseSpec, Risk, SecretRef};
use crate::ids::{ReleaseId, ServiceId};
use crate::names::{
    AbsolutePath, CommitId, GitRef, GitUrl, Hostname, ImageRef, RelPath, ResourceName, ServiceName,
};

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident($content:ty) = $risk:expr;)*) => {
        /// What a step does.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(tag = "kind", content = "with", rename_all = "snake_case", deny_unknown_fields)]
        pub enum Action {
            $($(#[$doc])* $name($content),)*
        }

        /// The kind of an action, without its content.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum ActionKind {
            $($(#[$doc])* $name,)*
        }

        impl Action {
            /// The kind.
            pub fn kind(&self) -> ActionKind {
                match self { $(Self::$name(_) => ActionKind::$name,)* }
            }
        }

        impl ActionKind {
            /// Every kind, for tests that must cover all.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The least risk of this kind; see [`Action::risk`].
            pub fn base_risk(self) -> Risk {
                match self { $(Self::$name => $risk,)* }
            }
        }
    };
}

actions! {
    /// Distribution packages from the configured, signed sources.
    Packages(Packages) = Risk::R1;
    /// A file with known content.
    File(File) = Risk::R1;
    /// A directory.
    Directory(Directory) = Risk::R1;
    /// The Docker Engine, installed and answering.
    DockerEngine(DockerEngine) = Risk::R2;
    /// The private network of a project.
    Network(Network) = Risk::R1;
    /// A named volume.
    Volume(Volume) = Risk::R1;
    /// Source code at a commit.
    GitCheckout(GitCheckout) = Risk::R1;
    /// An image built on this server.
    ImageBuild(ImageBuild) = Risk::R1;
    /// An image from a registry.
    ImagePull(ImagePull) = Risk::R1;
    /// A rolling swap of one service.
    Release(ReleaseSpec) = Risk::R2;
    /// Host names and paths of the reverse proxy.
    Route(Route) = Risk::R2;
    /// A certificate for host names.
    Certificate(Certificate) = Risk::R1;
    /// A request that must be answered.
    Probe(Probe) = Risk::R0;
    /// Raw shell text: always security-relevant.
    Shell(Shell) = Risk::R3;
    /// One operation on what runs.
    Operate(Operation) = Risk::R0;
}

impl Action {
    /// The computed risk.
    pub fn risk(&self) -> Risk {
        let outside = |path: &AbsolutePath| !path.as_str().starts_with("/var/lib/hydron/");
        if let Self::Operate(operation) = self {
            return operation.risk();
        }
        let writes_outside = matches!(self, Self::File(file) if outside(&file.path))
            || matches!(self, Self::Directory(directory) if outside(&directory.path));
        if writes_outside { Risk::R3 } else { self.kind().base_risk() }
    }

    /// The secrets that the step names.
    pub fn secrets(&self) -> Vec<&SecretRef> {
        match self {
            Self::Release(spec) => spec.env.iter().flat_map(EnvVar::secrets).collect(),
            Self::Shell(shell) => shell.env.iter().flat_map(EnvVar::secrets).collect(),
            Self::GitCheckout(checkout) => checkout.credential.iter().collect(),
            Self::ImagePull(pull) => pull.credential.iter().collect(),
            Self::Operate(Operation::Rollback { secrets, .. } | Operation::Logs { secrets, .. }) => {
                secrets.iter().collect()
            }
            Self::Packages(_)
            | Self::File(_)
            | Self::Directory(_)
            | Self::DockerEngine(_)
            | Self::Network(_)
            | Self::Volume(_)
            | Self::ImageBuild(_)
            | Self::Route(_)
            | Self::Certificate(_)
            | Self::Probe(_)
            | Self::Operate(_) => Vec::new(),
        }
    }
}

macro_rules! contents {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
        }
    )*};
}

contents! {
    /// Distribution packages to have installed.
    Packages {
        /// Package names.
        names: Vec<ResourceName>,
    }
    /// A file to have, replaced atomically.
    File {
        /// Where.
        path: AbsolutePath,
        /// The whole content.
        content: String,
        /// Permission bits, e.g. 0o644.
        mode: u32,
    }
    /// A directory to have.
    Directory {
        /// Where.
        path: AbsolutePath,
        /// Permission bits.
        mode: u32,
    }
    /// The engine to have.
    DockerEngine {
        /// Install it when it is missing.
        install: bool,
    }
    /// The private network of a project, and a second one on which service names resolve.
    ///
    /// Containers get a static address on the first and no name; their name is attached on the second only once they
    /// may serve, so that a candidate is never resolved before its health is known.
    Network {
        /// Network with static addresses; `<name>-names` is the second.
        name: ResourceName,
    }
    /// A volume to have.
    Volume {
        /// Which.
        name: ResourceName,
    }
    /// Source code, fetched bare and shallow under caps, unpacked without links that leave the tree.
    GitCheckout {
        /// Where from.
        url: GitUrl,
        /// The ref under which the commit was found.
        reference: GitRef,
        /// What exactly.
        commit: CommitId,
        /// A token for the host, if it needs one.
        credential: Option<SecretRef>,
        /// Name of the checkout for later steps.
        checkout: ResourceName,
    }
    /// An image from a checkout or from nothing but a Dockerfile.
    ImageBuild {
        /// Service the image is for.
        service: ServiceName,
        /// Checkout made by an earlier step; none for dependencies.
        checkout: Option<ResourceName>,
        /// Build context inside the checkout.
        context: RelPath,
        /// Where the Dockerfile is.
        dockerfile: Dockerfile,
        /// Build arguments; never secrets.
        args: Vec<EnvVar>,
        /// Tag to give, e.g. `hydron/prj-api:abc123`.
        tag: ImageRef,
        /// Memory limit of the build, MiB (the classic builder takes at most 2047).
        memory_mb: u32,
    }
    /// An image from a registry, by digest where known.
    ImagePull {
        /// Which.
        image: ImageRef,
        /// A login for the registry, if it needs one.
        credential: Option<SecretRef>,
    }
    /// One site: its hosts, and which path goes to which service of this server.
    Route {
        /// Name of the site, unique on the server.
        site: ResourceName,
        /// Host names.
        hosts: Vec<Hostname>,
        /// Longest prefix wins.
        paths: Vec<RoutePath>,
        /// Largest request body, MiB.
        max_body_mb: u32,
    }
    /// A path prefix and its service.
    RoutePath {
        /// Starts with `/`.
        prefix: String,
        /// Target.
        service: ServiceId,
        /// Turn response buffering off (server-sent events).
        streaming: bool,
    }
    /// A certificate.
    Certificate {
        /// Site it is for.
        site: ResourceName,
        /// Names in it.
        hosts: Vec<Hostname>,
        /// Who issues it.
        issuer: CertificateIssuer,
    }
    /// A request through the public side of the proxy.
    Probe {
        /// Host name to ask for; the connection goes to this server's own proxy.
        host: Hostname,
        /// Path and query.
        path: String,
        /// Lowest accepted status.
        status_from: u16,
        /// Highest accepted status.
        status_to: u16,
        /// Give up after this many tries, a second apart.
        tries: u16,
    }
    /// Raw shell text, run by `/bin/sh` with data only in its environment.
    Shell {
        /// The text, exactly as approved.
        script: String,
        /// Its environment.
        env: Vec<EnvVar>,
        /// Exit codes that mean success.
        expect: Vec<i32>,
    }
}

/// Where a Dockerfile comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Dockerfile {
    /// A file of the checkout, relative to its root.
    Repository {
        /// Path of the file.
        path: RelPath,
    },
    /// Text in the plan: what was generated and shown.
    Inline {
        /// The text.
        content: String,
    },
}

/// Who issues a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CertificateIssuer {
    /// The server's own authority; its root is shown to the user.
    ServerAuthority,
}

/// The closed list of operations on what runs. No free text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "operation", rename_all = "snake_case", deny_unknown_fields)]
pub enum Operation {
    /// Stop and start the live containers of a service.
    Restart {
        /// Which.
        service: ServiceId,
    },
    /// Stop them; routes answer 503.
    Stop {
        /// Which.
        service: ServiceId,
    },
    /// Start them again.
    Start {
        /// Which.
        service: ServiceId,
    },
    /// Swap back to a release that this agent recorded live, image and environment.
    Rollback {
        /// Which service.
        service: ServiceId,
        /// The release to bring back.
        release: ReleaseId,
        /// The secrets of that release's environment.
        secrets: Vec<SecretRef>,
    },
    /// The last lines of a service's containers, into the step's log.
    Logs {
        /// Which.
        service: ServiceId,
        /// How many lines, at most 10,000.
        lines: u32,
        /// The secrets of its environment, to be taken out of what it printed.
        secrets: Vec<SecretRef>,
    },
    /// Containers, images, volumes and routes of this server, as the step's result.
    Inventory {},
}

impl Operation {
    /// The computed risk.
    pub fn risk(&self) -> Risk {
        match self {
            Self::Logs { .. } | Self::Inventory {} => Risk::R0,
            Self::Restart { .. } | Self::Stop { .. } | Self::Start { .. } | Self::Rollback { .. } => Risk::R2,
        }
    }
}
