//! What things are called where they are handed over to, and which names the products refuse.

use std::borrow::Cow;

use super::{Credentials, Format, Order, Unfit};

/// How something is called.
pub(super) struct Rule {
    /// What it is.
    what: &'static str,
    /// What stands before the profile's name if nobody says otherwise.
    prefix: &'static str,
    /// Which names there can be.
    fits: fn(&str) -> bool,
    /// The same for people.
    says: &'static str,
    /// What becomes of the characters of a profile's name that are not allowed.
    filler: Option<char>,
}

pub(super) const APPFLOW: Rule = Rule {
    what: "the name of the connector profile",
    prefix: "servicenow-",
    fits: |name| fits(name, 1..=256, "_/!@#+=.-"),
    says: "1 to 256 letters, digits and _ / ! @ # + = . -",
    filler: None,
};

pub(super) const AWS_SECRET: Rule = Rule {
    what: "the name of the secret",
    prefix: "servicenow/",
    fits: |name| fits(name, 1..=512, "/_+=.@-"),
    says: "1 to 512 letters, digits and / _ + = . @ -",
    filler: None,
};

pub(super) const VAULT: Rule = Rule {
    what: "the path of the secret",
    prefix: "servicenow/",
    fits: |name| fits(name, 1..=512, "/_.-") && segments(name),
    says: "letters, digits, _ . - and single slashes between them",
    filler: None,
};

pub(super) const VAULT_MOUNT: Rule = Rule { what: "the mount", prefix: "", ..VAULT };

pub(super) const KUBERNETES: Rule = Rule {
    what: "the name of the Secret",
    prefix: "servicenow-",
    fits: |name| name.len() <= 253 && name.split('.').all(is_dns_label),
    says: "at most 253 lower-case letters, digits, - and . (RFC 1123)",
    filler: Some('-'),
};

pub(super) const NAMESPACE: Rule = Rule {
    what: "the namespace",
    fits: is_dns_label,
    says: "at most 63 lower-case letters, digits and -",
    ..KUBERNETES
};

pub(super) const GITHUB: Rule = Rule {
    what: "the beginning of the secrets' names",
    prefix: "",
    fits: |name| {
        let upper = name.to_ascii_uppercase();
        fits(name, 1..=100, "_")
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && !upper.starts_with("GITHUB_")
            && upper != "GITHUB"
    },
    says: "letters, digits and _, no digit first, and not GITHUB_",
    filler: Some('_'),
};

pub(super) const REPOSITORY: Rule = Rule {
    what: "the repository",
    prefix: "",
    fits: |name| {
        let parts: Vec<&str> = name.split('/').collect();
        (2..=3).contains(&parts.len())
            && parts.iter().all(|part| fits(part, 1..=100, "_.-") && !part.starts_with('-'))
    },
    says: "OWNER/NAME or HOST/OWNER/NAME",
    filler: None,
};

pub(super) const AZURE: Rule = Rule {
    what: "the beginning of the secrets' names",
    prefix: "servicenow-",
    fits: |name| fits(name, 1..=100, "-") && !name.starts_with('-'),
    says: "1 to 100 letters, digits and -",
    filler: Some('-'),
};

pub(super) const AZURE_VAULT: Rule = Rule {
    what: "the key vault",
    prefix: "",
    fits: |name| fits(name, 3..=24, "-") && !name.starts_with('-'),
    says: "3 to 24 letters, digits and -",
    filler: None,
};

pub(super) const ONE_PASSWORD: Rule = Rule {
    what: "the title of the item",
    prefix: "ServiceNow ",
    fits: |name| fits(name, 1..=256, "_.- ") && !name.starts_with('-'),
    says: "letters, digits, blanks and _ . - (others cannot stand in a secret reference)",
    filler: None,
};

pub(super) const ONE_PASSWORD_VAULT: Rule = Rule { what: "the vault", prefix: "", ..ONE_PASSWORD };

pub(super) const DOCKER: Rule = Rule {
    what: "the name of the secret",
    prefix: "servicenow-",
    fits: |name| {
        let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        fits(name, 1..=64, "_.-") && ends(name.chars().next()) && ends(name.chars().last())
    },
    says: "1 to 64 letters, digits and _ . -, a letter or digit first and last",
    filler: None,
};

pub(super) const SYSTEMD: Rule = Rule {
    what: "the name of the credential",
    prefix: "servicenow-",
    fits: |name| fits(name, 1..=255, "_.-") && !name.starts_with(['.', '-']),
    says: "1 to 255 letters, digits and _ . -",
    filler: None,
};

pub(super) const SNOWFLAKE: Rule = Rule {
    what: "the name of integration and secret",
    prefix: "servicenow_",
    fits: |name| {
        let is_name = |part: &str| {
            fits(part, 1..=200, "_$") && part.starts_with(|c: char| c == '_' || c.is_alphabetic())
        };
        let parts: Vec<&str> = name.split('.').collect();
        parts.len() <= 3 && parts.into_iter().all(is_name)
    },
    says: "letters, digits, _ and $, with database and schema before it if wanted: DB.SCHEMA.NAME",
    filler: Some('_'),
};

pub(super) const STORE: Rule = Rule {
    what: "the secret store",
    prefix: "",
    fits: KUBERNETES.fits,
    says: KUBERNETES.says,
    filler: None,
};

/// What can be said about name and place in each shape; `None` where there is nothing to name.
fn rules(format: Format) -> (Option<&'static Rule>, Option<&'static Rule>) {
    match format {
        Format::Appflow => (Some(&APPFLOW), None),
        Format::Cloudformation => (Some(&APPFLOW), Some(&AWS_SECRET)),
        Format::AwsSecret => (Some(&AWS_SECRET), None),
        Format::SnowflakeSql => (Some(&SNOWFLAKE), None),
        Format::Vault => (Some(&VAULT), Some(&VAULT_MOUNT)),
        Format::Kubernetes => (Some(&KUBERNETES), Some(&NAMESPACE)),
        Format::ExternalSecret => (Some(&KUBERNETES), Some(&STORE)),
        Format::Github => (Some(&GITHUB), Some(&REPOSITORY)),
        Format::AzureKeyVault => (Some(&AZURE), Some(&AZURE_VAULT)),
        Format::OnePassword => (Some(&ONE_PASSWORD), Some(&ONE_PASSWORD_VAULT)),
        Format::Docker => (Some(&DOCKER), None),
        Format::SystemdCredential => (Some(&SYSTEMD), None),
        _ => (None, None),
    }
}

/// Whether the names that were typed can be, also where the text does without them.
pub(super) fn check_typed(order: &Order) -> Result<(), Unfit> {
    let (name, place) = rules(order.format);
    for (typed, rule, flag) in [(&order.name, name, "--name"), (&order.place, place, "--to")] {
        match (typed, rule) {
            (Some(typed), Some(rule)) => check(typed, rule)?,
            (Some(_), None) => return Err(Unfit::NothingToName(flag)),
            (None, _) => {}
        }
    }
    Ok(())
}

/// The name that was typed, or the usual one.
pub(super) fn name<'a>(
    order: &'a Order,
    credentials: &Credentials<'_>,
    rule: &Rule,
) -> Result<Cow<'a, str>, Unfit> {
    checked(order.name.as_deref(), credentials, rule)
}

/// The same for the place inside the product.
pub(super) fn place<'a>(
    order: &'a Order,
    credentials: &Credentials<'_>,
    rule: &Rule,
) -> Result<Cow<'a, str>, Unfit> {
    checked(order.place.as_deref(), credentials, rule)
}

/// The place, if one was typed.
pub(super) fn typed_place<'a>(order: &'a Order, rule: &Rule) -> Result<Option<&'a str>, Unfit> {
    let Some(typed) = order.place.as_deref() else { return Ok(None) };
    check(typed, rule).map(|()| Some(typed))
}

fn checked<'a>(
    typed: Option<&'a str>,
    credentials: &Credentials<'_>,
    rule: &Rule,
) -> Result<Cow<'a, str>, Unfit> {
    let name: Cow<'a, str> = match typed {
        Some(typed) => typed.into(),
        None => usual(credentials.profile.name.as_str(), rule).into(),
    };
    check(&name, rule).map(|()| name)
}

fn check(name: &str, rule: &Rule) -> Result<(), Unfit> {
    if (rule.fits)(name) { Ok(()) } else { Err(Unfit::Name { what: rule.what, says: rule.says }) }
}

fn usual(profile: &str, rule: &Rule) -> String {
    let Some(filler) = rule.filler else { return format!("{}{profile}", rule.prefix) };
    let plain = profile.replace(|c: char| !c.is_ascii_alphanumeric(), &filler.to_string());
    format!("{}{}", rule.prefix, plain.trim_end_matches(filler))
}

fn fits(name: &str, length: std::ops::RangeInclusive<usize>, others: &str) -> bool {
    length.contains(&name.len())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || others.contains(c))
}

fn segments(path: &str) -> bool {
    path.split('/')
        .all(|part| !part.is_empty() && part != "." && part != ".." && !part.starts_with('-'))
}

fn is_dns_label(label: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    (1..=63).contains(&label.len())
        && label.bytes().all(|b| plain(b) || b == b'-')
        && label.bytes().next().is_some_and(plain)
        && label.bytes().last().is_some_and(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_name_of_every_profile_fits_every_product() {
        let rules = [
            &APPFLOW,
            &AWS_SECRET,
            &VAULT,
            &KUBERNETES,
            &AZURE,
            &ONE_PASSWORD,
            &SYSTEMD,
            &SNOWFLAKE,
        ];
        for profile in ["p", "acme-prod.eu_1", "0", "a..b", "a-", "x._-", &"a".repeat(40)] {
            for rule in rules {
                let name = usual(profile, rule);
                assert!((rule.fits)(&name), "{}: {name}", rule.what);
            }
        }
        assert!((DOCKER.fits)(&usual("acme-prod.eu_1", &DOCKER)));
    }

    #[test]
    fn names_that_would_be_options_paths_or_other_things_are_refused() {
        for (rule, names) in [
            (&APPFLOW, vec!["", "a b", "ä"]),
            (&AWS_SECRET, vec!["a b", "a:b", "{{x}}"]),
            (&VAULT, vec!["", "/a", "a/", "a//b", "a/../b", "-a", "a\nb"]),
            (&KUBERNETES, vec!["A", "-a", "a-", "a_b", "a..b", ""]),
            (&GITHUB, vec!["1A", "GITHUB_X", "github_x", "A-B", ""]),
            (&REPOSITORY, vec!["a", "a/b/c/d", "-a/b", "a b/c"]),
            (&AZURE, vec!["a_b", "a/b", "-a"]),
            (&ONE_PASSWORD, vec!["a/b", "-a", ""]),
            (&DOCKER, vec!["-a", "a-", "a/b", ""]),
            (&SYSTEMD, vec!["..", "a/b", "-a", ""]),
            (&SNOWFLAKE, vec!["1a", "a.b.c.d", "a b", "a;drop", "\"a\""]),
        ] {
            for name in names {
                assert!(check(name, rule).is_err(), "{}: {name}", rule.what);
            }
        }
    }
}
