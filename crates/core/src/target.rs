//! Targets: the products that take ServiceNow tokens, with what each of them wants.

use crate::oauth::redirect::{RedirectUri, RedirectUriError};

/// A product the tokens are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// Its name on the command line.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// Where the code is sent, with `{region}` in it; `None` when the person must say.
    pub redirect_template: Option<&'static str>,
    /// The regions that exist; empty when it has none.
    pub regions: &'static [&'static str],
    /// The scope to ask for; empty leaves it to the client.
    pub scope: &'static str,
    /// Recommended Access Token Lifespan in seconds, if the product has a wish.
    pub access_lifespan: Option<i64>,
    /// Recommended Refresh Token Lifespan in seconds, if the product has a wish.
    pub refresh_lifespan: Option<i64>,
    /// The fields of its form, in its order.
    pub fields: &'static [&'static str],
    /// Whether `login` writes the credentials file unless told otherwise.
    pub delivers_file: bool,
    /// Longest client ID and secret it takes, in characters; 0 means no limit known.
    pub longest_client: usize,
    /// Longest token and code it takes.
    pub longest_token: usize,
    /// The tables it reads.
    pub tables: &'static [&'static str],
    /// How sure this is, and where it comes from.
    pub sources: &'static str,
}

/// The 16 regions in which AppFlow exists; there is none in `GovCloud` or China.
const APPFLOW_REGIONS: &[&str] = &[
    "af-south-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

const APPFLOW_REDIRECT: &str = "https://{region}.console.aws.amazon.com/appflow/oauth";

/// The targets there are. The first is the default of `login`.
pub const TARGETS: &[Target] = &[
    Target {
        name: "nice-knowledge-hub",
        title: "NiCE CXone Knowledge Hub (ServiceNow knowledge source)",
        redirect_template: Some(APPFLOW_REDIRECT),
        regions: APPFLOW_REGIONS,
        scope: "useraccount openid profile email offline_access",
        access_lifespan: None,
        refresh_lifespan: Some(31_536_000),
        fields: &[
            "Instance URL",
            "Client ID",
            "Client Secret",
            "Access Token",
            "Refresh Token",
            "Auth Code",
        ],
        delivers_file: true,
        longest_client: 512,
        longest_token: 4_096,
        tables: &["kb_knowledge", "kb_knowledge_base"],
        sources: "the vendor's help page \"Generate ServiceNow OAuth Tokens\"; limits from the AppFlow service model \
                  (assumed back end, since the redirect URI is AppFlow's)",
    },
    Target {
        name: "appflow",
        title: "Amazon AppFlow (ServiceNow connector)",
        redirect_template: Some(APPFLOW_REDIRECT),
        regions: APPFLOW_REGIONS,
        scope: "",
        access_lifespan: None,
        refresh_lifespan: None,
        fields: &["Client ID", "Client secret", "Instance URL"],
        delivers_file: false,
        longest_client: 512,
        longest_token: 4_096,
        tables: &["sys_db_object", "sys_dictionary", "sys_glide_object"],
        sources: "Amazon AppFlow user guide, ServiceNow page; service model in botocore 1.44.5",
    },
    Target {
        name: "custom",
        title: "Anything else: you say redirect URI, scope and lifespans",
        redirect_template: None,
        regions: &[],
        scope: "",
        access_lifespan: None,
        refresh_lifespan: None,
        fields: &["Instance URL", "Client ID", "Client Secret", "Access Token", "Refresh Token"],
        delivers_file: false,
        longest_client: 0,
        longest_token: 0,
        tables: &[],
        sources: "RFC 6749",
    },
];

/// Why a target gives no redirect URI.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// The region is not one of those that exist.
    #[error("{target} does not exist in that region; it has: {}", .regions.join(", "))]
    RegionUnknown {
        /// The target's name.
        target: &'static str,
        /// The regions there are.
        regions: &'static [&'static str],
    },
    /// The target has regions, and none was given.
    #[error("{0} needs a region or a redirect URI")]
    RegionMissing(&'static str),
    /// The target cannot know the redirect URI.
    #[error("{0} needs a redirect URI")]
    RedirectUriMissing(&'static str),
    /// The redirect URI cannot be used.
    #[error(transparent)]
    RedirectUri(#[from] RedirectUriError),
}

impl Target {
    /// The target of that name.
    pub fn find(name: &str) -> Option<&'static Self> {
        TARGETS.iter().find(|target| target.name == name)
    }

    /// The redirect URI for a region.
    ///
    /// # Errors
    /// See [`TargetError`]: the list of regions is closed.
    pub fn redirect_uri(&self, region: Option<&str>) -> Result<RedirectUri, TargetError> {
        let target = TARGETS.iter().find(|t| t.name == self.name).map_or("custom", |t| t.name);
        let template = self.redirect_template.ok_or(TargetError::RedirectUriMissing(target))?;
        if self.regions.is_empty() {
            return Ok(RedirectUri::parse(template)?);
        }
        let region = region.ok_or(TargetError::RegionMissing(target))?;
        if !self.regions.contains(&region) {
            return Err(TargetError::RegionUnknown { target, regions: self.regions });
        }
        Ok(RedirectUri::parse(&template.replace("{region}", region))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_region_gives_a_redirect_uri_and_others_are_refused() {
        for target in TARGETS {
            for region in target.regions {
                let uri = target.redirect_uri(Some(region)).unwrap();
                assert_eq!(
                    uri.as_str(),
                    format!("https://{region}.console.aws.amazon.com/appflow/oauth")
                );
            }
        }
        let target = Target::find("nice-knowledge-hub").unwrap();
        for region in ["us-gov-west-1", "cn-north-1", "evil.example/#", "us-west-22", ""] {
            assert!(
                matches!(target.redirect_uri(Some(region)), Err(TargetError::RegionUnknown { .. })),
                "{region}"
            );
        }
        assert_eq!(
            target.redirect_uri(None),
            Err(TargetError::RegionMissing("nice-knowledge-hub"))
        );
    }
}
