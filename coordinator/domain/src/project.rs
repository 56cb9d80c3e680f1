//! Projects: the top-level container of one application, its host name and what a person sees as its state.
//!
//! Rule: the status is computed from what is there (analysis, plans, releases, runs), never set by hand.

use hydron_proto::ids::ProjectId;
use hydron_proto::names::Hostname;
use serde::{Deserialize, Serialize};

use crate::disguise::is_disguise;
use crate::named::named;

named! {
    /// What kind of application a project holds; for people and filters only.
    ProjectType, "project type" {
        /// A web application.
        WebApp = "web_app",
        /// A service behind others.
        Microservice = "microservice",
        /// Files only.
        StaticSite = "static_site",
        /// An API.
        Api = "api",
        /// Something else.
        Other = "other",
    }
}

named! {
    /// What a person sees on the projects page.
    ProjectStatus, "project status" {
        /// Nothing connected yet.
        Empty = "empty",
        /// A repository is being read.
        Analyzing = "analyzing",
        /// Services or a plan, nothing live.
        Planned = "planned",
        /// A run is going on.
        Deploying = "deploying",
        /// Everything accepted is live.
        Live = "live",
        /// The last run failed and nothing is live.
        Failed = "failed",
        /// Live, but the last run failed or a server is away.
        Degraded = "degraded",
    }
}

/// One application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Id.
    pub id: ProjectId,
    /// What people call it.
    pub name: String,
    /// DNS label made from the name.
    pub slug: Slug,
    /// Kind.
    pub kind: ProjectType,
    /// Its default host, unique in the installation.
    pub host: Hostname,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Milliseconds since 1970.
    pub updated_at: i64,
}

/// A name that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidProject {
    /// Nothing but white space.
    #[error("give the project a name")]
    Empty,
    /// Too long to show.
    #[error("keep the name under 80 characters")]
    Long,
    /// Not on one line, or in another order than it is read.
    #[error("use printable characters on one line, without marks that change the direction of text")]
    Control,
}

/// The trimmed name, if it can be shown on one line.
pub fn project_name(text: &str) -> Result<String, InvalidProject> {
    let name = text.trim();
    if name.is_empty() {
        return Err(InvalidProject::Empty);
    }
    if name.chars().count() > 80 {
        return Err(InvalidProject::Long);
    }
    if name.chars().any(is_disguise) {
        return Err(InvalidProject::Control);
    }
    Ok(name.to_owned())
}

/// A DNS label of at most 32 characters made from a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Slug(String);

impl Slug {
    /// Letters and digits stay, everything else becomes one dash; `project` when nothing is left.
    pub fn of(name: &str) -> Self {
        let mut slug = String::new();
        for c in name.chars().flat_map(char::to_lowercase) {
            match c {
                'a'..='z' | '0'..='9' => slug.push(c),
                _ if slug.ends_with('-') || slug.is_empty() => {}
                _ => slug.push('-'),
            }
        }
        slug.truncate(32);
        let slug = slug.trim_matches('-');
        Self(if slug.is_empty() { "project".to_owned() } else { slug.to_owned() })
    }

    /// The label.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What the status is computed from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProjectSigns {
    /// An analysis is queued or running.
    pub analyzing: bool,
    /// Services exist.
    pub services: bool,
    /// A run is not over.
    pub running: bool,
    /// The newest run failed.
    pub last_failed: bool,
    /// Releases are live.
    pub live: bool,
}

impl ProjectStatus {
    /// The one status that fits the signs.
    pub fn from_signs(signs: ProjectSigns) -> Self {
        if signs.running {
            Self::Deploying
        } else if signs.live {
            if signs.last_failed { Self::Degraded } else { Self::Live }
        } else if signs.last_failed {
            Self::Failed
        } else if signs.analyzing {
            Self::Analyzing
        } else if signs.services {
            Self::Planned
        } else {
            Self::Empty
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line_in_the_order_in_which_it_is_read() {
        assert_eq!(project_name("  Ada's \u{5d0} site "), Ok("Ada's \u{5d0} site".to_owned()));
        for name in ["a\nb", "a\u{1b}[31m", "a\u{202e}b", "\u{2066}a\u{2069}", "a\u{200f}b"] {
            assert_eq!(project_name(name), Err(InvalidProject::Control), "{name:?}");
        }
        assert_eq!(project_name(" \t "), Err(InvalidProject::Empty));
        assert_eq!(project_name(&"ä".repeat(80)), Ok("ä".repeat(80)));
        assert_eq!(project_name(&"ä".repeat(81)), Err(InvalidProject::Long));
    }

    #[test]
    fn a_slug_is_always_a_label() {
        for (name, slug) in [
            ("Corkboard", "corkboard"),
            ("  My App!! 2 ", "my-app-2"),
            ("日本", "project"),
            ("a;rm -rf /", "a-rm-rf"),
            ("---", "project"),
            ("Ünïcode Straße", "n-code-stra-e"),
        ] {
            assert_eq!(Slug::of(name).as_str(), slug);
        }
        assert!(Slug::of(&"x".repeat(200)).as_str().len() <= 32);
    }

    #[test]
    fn the_status_follows_what_is_there() {
        let signs = ProjectSigns::default();
        assert_eq!(ProjectStatus::from_signs(signs), ProjectStatus::Empty);
        let live = ProjectSigns { live: true, services: true, ..signs };
        assert_eq!(ProjectStatus::from_signs(live), ProjectStatus::Live);
        assert_eq!(
            ProjectStatus::from_signs(ProjectSigns { last_failed: true, ..live }),
            ProjectStatus::Degraded
        );
        assert_eq!(
            ProjectStatus::from_signs(ProjectSigns { running: true, ..live }),
            ProjectStatus::Deploying
        );
    }
}
