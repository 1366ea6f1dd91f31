//! The targets that are known: those that come with the program, and those in files of a person's
//! own, which come first where they have the same name.

mod file;
mod folder;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use snowtoken_core::diagnosis::{Code, Diagnose};
use snowtoken_core::target::{Class, Target};

use crate::home::Home;

pub use file::{TargetTextError, parse};
pub use folder::place;

/// What comes with the program. The first target is the default of `login`, the last `custom`.
const BUILT_IN: [&str; 6] = [
    include_str!("targets/built-in/appflow.toml"),
    include_str!("targets/built-in/aws.toml"),
    include_str!("targets/built-in/microsoft.toml"),
    include_str!("targets/built-in/google.toml"),
    include_str!("targets/built-in/data.toml"),
    include_str!("targets/built-in/services.toml"),
];

/// The default of `login`.
pub const USUAL: &str = "nice-knowledge-hub";

/// The JSON Schema of a file of targets.
pub const SCHEMA: &str = include_str!("targets/target-file.schema.json");

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
    /// Somebody else could have written it.
    #[error("own targets are not used: {0}")]
    Insecure(String),
    /// What stands in it.
    #[error("{}", .path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: TargetTextError,
    },
    /// Two files have a target of the same name.
    #[error("target \"{name}\" stands in {} and in {}", .first.display(), .path.display())]
    Twice {
        /// The target.
        name: String,
        /// The later file.
        path: PathBuf,
        /// The earlier file.
        first: PathBuf,
    },
}

impl Diagnose for TargetFileError {
    fn code(&self) -> Code {
        Code::TargetFileInvalid
    }
}

/// A target of a person's own.
#[derive(Debug, Clone)]
struct Own {
    target: Target,
    /// Where it stands.
    path: PathBuf,
}

/// All targets that are known.
#[derive(Debug, Clone)]
pub struct Targets {
    own: Vec<Own>,
}

impl Targets {
    /// Those that come with the program, and no others.
    pub fn built_in() -> Self {
        Self { own: Vec::new() }
    }

    /// Those that come with the program, and those of this person's files.
    ///
    /// # Errors
    /// If a file cannot be read, could be written by others, or says something that cannot be.
    pub fn load(home: &Home) -> Result<Self, TargetFileError> {
        Ok(Self { own: folder::read(home)? })
    }

    /// A target that comes with the program, for when a file of the person's own cannot be used: none
    /// if one that can be read has a target of this name, which would stand in for it.
    pub fn in_spite_of_broken(home: &Home, name: &str) -> Option<Target> {
        let is_replaced = folder::readable(home).iter().any(|own| own.name == name);
        if is_replaced { None } else { Self::built_in().find(name).cloned() }
    }

    /// Those that come with the program, and those of one file, wherever it lies.
    ///
    /// # Errors
    /// If it cannot be read, could be written by others, or says something that cannot be.
    pub fn with_file(path: &Path) -> Result<Self, TargetFileError> {
        let own = folder::read_file(path)?.into_iter();
        Ok(Self { own: own.map(|target| Own { target, path: path.to_owned() }).collect() })
    }

    /// Those of a person's own.
    pub fn own(&self) -> impl Iterator<Item = &Target> {
        self.own.iter().map(|own| &own.target)
    }

    /// With these targets of a person's own, which come first.
    #[must_use]
    pub fn with(mut self, own: Vec<Target>) -> Self {
        let own = own.into_iter().map(|target| Own { target, path: PathBuf::new() });
        self.own.splice(0..0, own);
        self
    }

    /// The target of that name.
    pub fn find(&self, name: &str) -> Option<&Target> {
        if let Some(own) = self.own.iter().find(|own| own.target.name == name) {
            return Some(&own.target);
        }
        let (file, _) = index().iter().find(|(_, entry)| entry.name == name)?;
        built_in(*file).iter().find(|target| target.name == name)
    }

    /// All of them: the person's own, then those that come with the program. A name stands for the
    /// first that has it.
    pub fn all(&self) -> impl Iterator<Item = &Target> {
        let is_new =
            |target: &&'static Target| !self.own.iter().any(|own| own.target.name == target.name);
        let built_in = (0..BUILT_IN.len()).flat_map(built_in).filter(is_new);
        self.own().chain(built_in.map(|target| target as &Target))
    }

    /// Whether it is from a file of the person's own.
    pub fn is_own(&self, target: &Target) -> bool {
        self.origin(target).is_some()
    }

    /// The person's own file it is from.
    pub fn origin(&self, target: &Target) -> Option<&Path> {
        let own = self.own.iter().find(|own| std::ptr::eq(&raw const own.target, target))?;
        Some(&own.path)
    }
}

/// What is asked about targets by whoever looks at many profiles. No TOML is parsed for those that
/// come with the program.
#[derive(Debug, Clone, Default)]
pub struct Classes {
    own: Vec<(String, Class)>,
}

impl Classes {
    /// Own files are read if there are any.
    ///
    /// # Errors
    /// As [`Targets::load`].
    pub fn load(home: &Home) -> Result<Self, TargetFileError> {
        if !folder::exists(home) {
            return Ok(Self::default());
        }
        let own = folder::read(home)?.into_iter();
        Ok(Self { own: own.map(|own| (own.target.name, own.target.class)).collect() })
    }

    /// What the target of that name takes.
    pub fn find(&self, name: &str) -> Option<Class> {
        let own = self.own.iter().find(|(own, _)| own == name).map(|(_, class)| *class);
        own.or_else(|| {
            index().iter().find(|(_, entry)| entry.name == name).map(|(_, entry)| entry.class)
        })
    }

    /// Whether nothing is minted for the target of that name.
    pub fn prepare_only(&self, name: &str) -> bool {
        self.find(name).is_some_and(Class::is_prepare_only)
    }
}

/// Whether a target of that name comes with the program. Nothing is parsed for it.
pub fn is_built_in(name: &str) -> bool {
    names().any(|own| own == name)
}

/// The names of the targets that come with the program, in their order.
pub fn names() -> impl Iterator<Item = &'static str> {
    index().iter().map(|(_, entry)| entry.name)
}

/// The two lines of a target that are read without a parser.
#[derive(Debug, Clone, Copy)]
struct Entry {
    name: &'static str,
    class: Class,
}

/// Name and class of each target that comes with the program, with the number of its file.
fn index() -> &'static [(usize, Entry)] {
    static FOUND: OnceLock<Vec<(usize, Entry)>> = OnceLock::new();
    FOUND.get_or_init(|| {
        let value = |line: &'static str, key| {
            line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"')
        };
        let mut found = Vec::new();
        for (file, text) in BUILT_IN.into_iter().enumerate() {
            let mut name = None;
            for line in text.lines() {
                name = value(line, "name").or(name);
                if let Some(class) = value(line, "class").and_then(Class::find)
                    && let Some(name) = name.take()
                {
                    found.push((file, Entry { name, class }));
                }
            }
        }
        found
    })
}

/// The targets of one file.
fn built_in(file: usize) -> &'static [Target] {
    static PARSED: [OnceLock<Vec<Target>>; BUILT_IN.len()] =
        [const { OnceLock::new() }; BUILT_IN.len()];
    // That they can be parsed is proved by a test: they are part of the program.
    PARSED[file].get_or_init(|| parse(BUILT_IN[file]).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use snowtoken_core::oauth::redirect::RedirectUri;
    use snowtoken_core::target::{Fit, TargetError};

    use super::*;
    use crate::delivery::Format;

    #[test]
    fn what_comes_with_the_program_is_right() {
        let parsed: Vec<Target> =
            BUILT_IN.into_iter().flat_map(|text| parse(text).unwrap()).collect();
        let found: Vec<(&str, Class)> =
            parsed.iter().map(|target| (target.name.as_str(), target.class)).collect();
        let indexed: Vec<(&str, Class)> =
            index().iter().map(|(_, entry)| (entry.name, entry.class)).collect();
        assert_eq!(found, indexed);
        assert_eq!(found.first().map(|(name, _)| *name), Some(USUAL));
        assert_eq!(found.last().map(|(name, _)| *name), Some("custom"));
        let unique: BTreeSet<&str> = names().collect();
        assert_eq!(unique.len(), found.len());
    }

    /// The presets that were promised, each with what it takes.
    #[test]
    fn each_shape_that_is_named_fits_what_the_product_takes() {
        let known = Targets::built_in();
        let formats = |name: &str| known.find(name).unwrap().formats.clone();
        for target in known.all() {
            for name in &target.formats {
                let format =
                    Format::find(name).unwrap_or_else(|| panic!("{}: {name}", target.name));
                // Tokens are not to be had for a product that gets them itself.
                let fits = format.fits_client() || !target.class.is_prepare_only();
                assert!(fits, "{}: {name}", target.name);
                assert!(!format.is_answer(), "{}: {name}", target.name);
            }
            let takes_nothing = target.class == Class::Basic;
            assert_eq!(target.formats.is_empty(), takes_nothing, "{}", target.name);
        }
        assert_eq!(formats("appflow"), ["appflow", "cloudformation", "json"]);
        assert_eq!(formats("snowflake"), ["snowflake-sql", "json"]);
        for name in ["glue", "bedrock-kb"] {
            assert_eq!(formats(name)[0], "aws-secret", "{name}");
        }
    }

    #[test]
    fn every_product_that_is_known_is_there() {
        let classes = Classes::default();
        for (class, names) in [
            (
                Class::Tokens,
                "nice-knowledge-hub appflow connect-customer-profiles connect-wisdom snowflake harness sailpoint zenoss exalate leena custom",
            ),
            (
                Class::Client,
                "appflow-console glue q-business-plugin quicksight copilot-connector power-platform power-platform-custom logic-apps gemini-enterprise databricks fivetran cdata alteryx snaplogic uipath boomi n8n nango pipedream apideck unleash pipeshub glean zoom postman",
            ),
            (Class::ClientCredentials, "bedrock-kb devops-agent datastream pagerduty datadog"),
            (Class::JwtBearer, "genesys"),
            (Class::Password, "q-business kendra data-factory informatica jitterbit xsoar grafana"),
            (Class::Basic, "airbyte"),
        ] {
            let mut found: Vec<&str> =
                index().iter().filter(|(_, e)| e.class == class).map(|(_, e)| e.name).collect();
            let mut expected: Vec<&str> = names.split(' ').collect();
            found.sort_unstable();
            expected.sort_unstable();
            assert_eq!(found, expected, "{class:?}");
            for name in names.split(' ') {
                assert_eq!(classes.prepare_only(name), class != Class::Tokens, "{name}");
                assert_eq!(Targets::built_in().find(name).unwrap().class, class, "{name}");
            }
        }
    }

    #[test]
    fn every_target_gives_redirect_uris_or_says_where_they_are_read() {
        for target in Targets::built_in().all() {
            let name = &target.name;
            for region in &target.regions.list {
                let found = target.redirect_uris(Some(region)).unwrap();
                assert!(found.iter().all(|uri| target.compare(uri) == Fit::Fits), "{name}");
            }
            if !target.regions.list.is_empty() {
                for region in ["us-gov-west-1", "cn-north-1"] {
                    let error = target.redirect_uri(Some(region)).unwrap_err();
                    let known = matches!(error, TargetError::RegionUnknown { reason: Some(_), .. });
                    assert!(known, "{name}: {error}");
                }
                continue;
            }
            match (target.redirect_uris(None), target.class.has_redirect()) {
                (Ok(found), true) => {
                    assert!(found.iter().all(|uri| target.compare(uri) == Fit::Fits), "{name}");
                }
                (Err(TargetError::RedirectUriMissing { .. }), true) => {
                    assert!(target.redirect_uri_from.is_some(), "{name}");
                }
                (Err(TargetError::NoRedirectUri(_)), false) => {}
                (other, _) => panic!("{name}: {other:?}"),
            }
        }
    }

    /// us-east-1 has an older spelling, which is registered beside the other; the code goes to the
    /// usual one.
    #[test]
    fn us_east_1_has_two_spellings() {
        for target in ["nice-knowledge-hub", "appflow", "appflow-console"] {
            let targets = Targets::built_in();
            let target = targets.find(target).unwrap();
            let found = target.redirect_uris(Some("us-east-1")).unwrap();
            let texts: Vec<&str> = found.iter().map(RedirectUri::as_str).collect();
            assert_eq!(
                texts,
                [
                    "https://us-east-1.console.aws.amazon.com/appflow/oauth",
                    "https://console.aws.amazon.com/appflow/oauth"
                ]
            );
            assert_eq!(target.redirect_uris(Some("us-west-2")).unwrap().len(), 1);
        }
    }

    /// No text speaks of where it was gathered, and every source can be found by a reader.
    #[test]
    fn sources_are_public() {
        for target in Targets::built_in().all() {
            for source in &target.sources {
                assert!(source.len() >= 8 && !source.contains(['[', ']', '§']), "{source}");
                assert!(!source.contains(".md §") && !source.contains("/work"), "{source}");
            }
        }
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
