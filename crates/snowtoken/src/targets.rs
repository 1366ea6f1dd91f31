//! The targets that are known: those that come with the program, and those in files of a person's
//! own, which come first where they have the same name.

mod file;
mod folder;

use std::path::PathBuf;
use std::sync::OnceLock;

use snowtoken_core::diagnosis::{Code, Diagnose, Hint};
use snowtoken_core::target::Target;

use crate::home::Home;

pub use file::{TargetTextError, parse};
pub use folder::place;

/// What comes with the program. The first is the default of `login`.
const BUILT_IN: &str = include_str!("targets/built-in.toml");

/// The default of `login`.
pub const USUAL: &str = "nice-knowledge-hub";

/// A file of targets that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TargetFileError {
    /// It cannot be read.
    #[error("{} cannot be read", .path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// What stands in it.
    #[error("{}", .path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: TargetTextError,
    },
}

impl Diagnose for TargetFileError {
    fn code(&self) -> Code {
        Code::ConfigInvalid
    }

    fn hints(&self) -> Vec<Hint> {
        vec![Hint::note("mend the file, or move it away: nothing is written over it")]
    }
}

/// All targets that are known.
#[derive(Debug, Clone)]
pub struct Targets {
    own: Vec<Target>,
}

impl Targets {
    /// Those that come with the program, and no others.
    pub fn built_in() -> Self {
        Self { own: Vec::new() }
    }

    /// Those that come with the program, and those of this person's files.
    ///
    /// # Errors
    /// If a file cannot be read, or says something that cannot be.
    pub fn load(home: &Home) -> Result<Self, TargetFileError> {
        Ok(Self { own: folder::read(home)? })
    }

    /// With these targets of a person's own, which come first.
    #[must_use]
    pub fn with(mut self, own: Vec<Target>) -> Self {
        self.own.splice(0..0, own);
        self
    }

    /// The target of that name.
    pub fn find(&self, name: &str) -> Option<&Target> {
        self.all().find(|target| target.name == name)
    }

    /// All of them: the person's own, then those that come with the program. A name stands for the
    /// first that has it.
    pub fn all(&self) -> impl Iterator<Item = &Target> {
        let is_new = |target: &&Target| !self.own.iter().any(|own| own.name == target.name);
        self.own.iter().chain(built_in().iter().filter(is_new))
    }

    /// Whether it is from a file of the person's own.
    pub fn is_own(&self, target: &Target) -> bool {
        self.own.iter().any(|own| std::ptr::eq(own, target))
    }
}

/// Whether a target of that name comes with the program. Nothing is parsed for it.
pub fn is_built_in(name: &str) -> bool {
    names().any(|own| own == name)
}

/// The names of the targets that come with the program, in their order.
pub fn names() -> impl Iterator<Item = &'static str> {
    BUILT_IN.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'))
}

fn built_in() -> &'static [Target] {
    static PARSED: OnceLock<Vec<Target>> = OnceLock::new();
    // That it can be parsed is proved by a test: it is part of the program.
    PARSED.get_or_init(|| parse(BUILT_IN).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use snowtoken_core::target::TargetError;

    use super::*;

    #[test]
    fn what_comes_with_the_program_is_right() {
        let parsed = parse(BUILT_IN).unwrap();
        let found: Vec<&str> = parsed.iter().map(|target| target.name.as_str()).collect();
        assert_eq!(found, names().collect::<Vec<_>>());
        assert_eq!(found[0], USUAL);
        let unique: std::collections::BTreeSet<&str> = found.iter().copied().collect();
        assert_eq!(unique.len(), found.len());
    }

    #[test]
    fn every_region_gives_a_redirect_uri_and_others_are_refused_with_the_reason() {
        let targets = Targets::built_in();
        let target = targets.find(USUAL).unwrap();
        assert_eq!(target.regions.list.len(), 16);
        for region in &target.regions.list {
            assert_eq!(
                target.redirect_uri(Some(region)).unwrap().as_str(),
                format!("https://{region}.console.aws.amazon.com/appflow/oauth")
            );
        }
        for (region, why) in [
            ("us-gov-west-1", Some("Amazon AppFlow is not offered in GovCloud")),
            ("cn-north-1", Some("Amazon AppFlow is not offered in China")),
            ("evil.example/#", None),
            ("us-west-22", None),
            ("", None),
        ] {
            let error = target.redirect_uri(Some(region)).unwrap_err();
            let TargetError::RegionUnknown { reason, .. } = error else { panic!("{error}") };
            assert_eq!(reason.as_deref(), why, "{region}");
        }
        assert_eq!(target.redirect_uri(None), Err(TargetError::RegionMissing(USUAL.into())));
    }

    #[test]
    fn a_persons_own_target_comes_first() {
        let mut own = Targets::built_in().find(USUAL).unwrap().clone();
        own.title = "Ours".into();
        let targets = Targets::built_in().with(vec![own]);
        assert_eq!(targets.find(USUAL).unwrap().title, "Ours");
        assert!(targets.is_own(targets.find(USUAL).unwrap()));
        assert!(!targets.is_own(targets.find("appflow").unwrap()));
        assert_eq!(targets.all().filter(|target| target.name == USUAL).count(), 1);
    }
}
