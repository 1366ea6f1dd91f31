//! What the user on the instance needs, for whose rights the product works.

use super::{Class, Target};

impl Target {
    /// What to know about that user, in sentences: what holds for every target of the class, what
    /// follows from the tables, then what this target says itself.
    pub fn advice(&self) -> Vec<String> {
        let mut advice: Vec<String> =
            by_class(self.class).iter().map(|&text| text.into()).collect();
        if self.class != Class::Basic {
            advice.push(
                "Where the instance lets only some users call its REST API, the user needs the role \
                 snc_platform_rest_api_access."
                    .to_owned(),
            );
        }
        if !self.tables.is_empty() {
            advice.push(format!(
                "It needs read access to each table and to its fields: {}. Where the rule for the fields \
                 is missing, rows arrive with empty values.",
                self.tables.iter().map(|t| format!("{t} and {t}.*")).collect::<Vec<_>>().join(", ")
            ));
        }
        if self.tables.iter().any(|table| table.starts_with("kb_")) {
            advice.push(
                "Knowledge bases are filtered by user criteria (Can Read): a user who is not in them sees \
                 no articles, and no error."
                    .to_owned(),
            );
        }
        advice.extend(self.user_advice.iter().cloned());
        advice
    }
}

/// ServiceNow documentation: authorization code flow and MFA; client credentials grant; JWT bearer
/// grant; resource owner password credentials. RFC 9700 §2.4 on the password grant.
fn by_class(class: Class) -> &'static [&'static str] {
    const OWN: &str = "A user of its own for this product, not a person's and not an administrator: the \
                       product may do whatever this user may.";
    match class {
        Class::Tokens | Class::Client => &[
            OWN,
            "The user must be able to sign in with a browser once: \"Web service access only\" must not be \
             ticked. Single sign-on and multi-factor sign-in are fine.",
            "Whoever presses Allow is the user from then on: sign in as the right one, in a private window.",
        ],
        Class::ClientCredentials => &[
            OWN,
            "The user is named on the client, as OAuth Application User. Nobody signs in, so \"Web service \
             access only\" may be ticked.",
            "The instance must allow this grant: system property \
             glide.oauth.inbound.client.credential.grant_type.enabled, true (Washington DC or later).",
        ],
        Class::JwtBearer => &[
            OWN,
            "The user is the one that the assertion names. Users with the role admin are refused.",
        ],
        Class::Password => &[
            OWN,
            "The user needs a local password: single sign-on does not help here. It must be active and not \
             locked, and \"Web service access only\" must not be ticked.",
            "The instance must not have switched this grant off: system property \
             glide.oauth.inbound.ropc.grant_type.disabled.",
        ],
        Class::Basic => &[
            OWN,
            "The user needs a local password, and \"Web service access only\" may be ticked.",
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::tests::sample;
    use super::*;

    #[test]
    fn tables_bring_their_fields_and_knowledge_its_criteria() {
        let mut target = sample();
        target.tables = vec!["kb_knowledge".into(), "sys_user".into()];
        target.user_advice = vec!["And a hat.".into()];
        let advice = target.advice().join("\n");
        assert!(
            advice.contains("kb_knowledge and kb_knowledge.*, sys_user and sys_user.*"),
            "{advice}"
        );
        assert!(advice.contains("user criteria"), "{advice}");
        assert!(advice.ends_with("And a hat."), "{advice}");
        target.tables = vec!["sys_user".into()];
        assert!(!target.advice().join("\n").contains("user criteria"));
    }

    #[test]
    fn whoever_must_sign_in_is_told_about_web_service_access() {
        for class in Class::all() {
            let advice = Target { class, ..sample() }.advice().join("\n");
            let must_sign_in = matches!(class, Class::Tokens | Class::Client | Class::Password);
            assert_eq!(advice.contains("must not be ticked"), must_sign_in, "{class:?}");
            assert!(advice.contains("not an administrator"), "{class:?}");
        }
    }
}
