//! What comes before and after the client: rights, the user, the login, and where to look when it fails.

use super::{ChecklistWish, Section, Step, Words};
use crate::target::{Class, Confidence, Value};

/// The property without which an instance refuses the client credentials grant.
const CLIENT_CREDENTIALS: &str = "glide.oauth.inbound.client.credential.grant_type.enabled";

pub(super) fn about(wish: &ChecklistWish<'_>) -> Vec<Words> {
    let mut about = Vec::new();
    if let Some(instance) = wish.instance {
        about.push(Words::from("Instance: ").code(instance.url()));
    }
    if let Some(release) = wish.release {
        about.push(Words::from("Release: ").plain(release.name()));
    }
    about.push(match wish.target.confidence {
        Confidence::Documented => "What the product wants was read in its documentation.".into(),
        Confidence::PartlyDocumented => {
            "What the product wants was read in a part of its documentation; the rest is assumed."
                .into()
        }
        Confidence::Reported => {
            "What the product wants is reported by others, not by its maker.".into()
        }
        Confidence::Assumed => {
            "What the product wants is assumed: its own page goes before this one.".into()
        }
    });
    about
}

pub(super) fn before(wish: &ChecklistWish<'_>) -> Section {
    let mut section = Section::new("Before you begin")
        .step(
            Step::new(
                "Sign in to the instance as an administrator: role **admin**, or **oauth_admin** (for Machine Identity \
                 Console on newer releases also **mi_admin**).",
            )
            .trap("The instance that is meant is your own, not a personal developer instance: those sleep, and are taken back after some idle days."),
        )
        .step(
            Step::new("Elevate your role: your picture > **Elevate role** > tick **security_admin** > **Update**.")
                .trap("Without it the button **New** may be missing."),
        )
        .step(
            Step::new("Look at the application scope (the globe, or your settings): it must be **Global**.")
                .trap("A client that was made inside another application gets tokens whose calls are refused with 403."),
        );
    if wish.release.is_none() {
        section = section.step(
            Step::new("Which release is it? The page Stats says so; `--release` then leaves out what does not concern you.")
                .link(wish.release_page()),
        );
    }
    if let Some(command) = wish.script {
        section = section.step(
            Step::new(
                "The short way, if you like: this command writes one script. Pasted into **System Definition > Scripts - \
                 Background**, it makes the client, and you go on at the user below.",
            )
            .value("Command", command),
        );
    }
    match wish.target.class {
        Class::ClientCredentials => section.step(
            Step::new("Allow the grant on the instance: in **sys_properties** this must be `true`; make it if it is not there, with the type **true | false**.")
                .value("Name", CLIENT_CREDENTIALS)
                .value("Value", "true")
                .link(wish.property(CLIENT_CREDENTIALS))
                .trap("It holds for every client of the instance: ask whoever owns it."),
        ),
        Class::Password => section.step(
            Step::new("Look whether the instance still allows this grant: the property must not be `true`.")
                .value("Name", "glide.oauth.inbound.ropc.grant_type.disabled")
                .link(wish.property("glide.oauth.inbound.ropc.grant_type.disabled"))
                .trap("This grant hands a user's password to the product; security standards advise against it (RFC 9700)."),
        ),
        _ => section,
    }
}

/// The user whose rights the tokens carry.
pub(super) fn user(wish: &ChecklistWish<'_>) -> Section {
    let mut section = Section::new("The user").about(
        "The tokens can do what their user can do, and end when the user is switched off. Take a user that was made \
         for this product, without the role admin, not a person.",
    );
    let mut step = Step::new("Look at the user: active, not locked out.").link(wish.user());
    if let Some(user) = &wish.plan.user {
        step = step.value("User ID", user.as_str());
    }
    if wish.is_code() {
        step = step
            .trap("**Web service access only** must be off: such a user cannot sign in by a browser, so it cannot consent.")
            .trap("From Yokohama on, a user with a local password is asked for a second factor at sign-in: have it at hand.");
    }
    section = section.step(step);
    if !wish.target.roles.is_empty() {
        let mut step = Step::new("Give it the roles that the product asks for.");
        for role in &wish.target.roles {
            step = step.value("Role", role.as_str());
        }
        section = section.step(step);
    }
    if !wish.target.tables.is_empty() {
        let mut words = Words::from("Make sure that it can read the tables the product reads: ");
        for (index, table) in wish.target.tables.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            words = words.plain(comma).code(table);
        }
        let mut step = Step::new(words.and("."));
        if wish.target.tables.iter().any(|table| table.starts_with("kb_")) {
            step = step.trap(
                "Knowledge bases have **Can Read** criteria of their own: without them the token works and the list is \
                 empty, with no error.",
            );
        }
        section = section.step(step);
    }
    for note in &wish.target.notes {
        section = section.note(Words::foreign(note));
    }
    section
}

pub(super) fn next(wish: &ChecklistWish<'_>) -> Section {
    if let Some(login) = wish.login {
        let words = if wish.is_code() {
            "On your machine. It asks for the client secret, then opens the browser."
        } else {
            "On your machine. It asks for the client secret."
        };
        let section =
            Section::new("What comes next").step(Step::new(words).value("Command", login));
        return if wish.is_code() { consent(section) } else { section };
    }
    let mut step = Step::new(
        "Enter this into the product, with the Client ID and the Client Secret that you copied. It gets its tokens itself.",
    );
    for field in &wish.target.fields {
        if let Some(value) = known_value(wish, &field.value) {
            step = step.value(&field.label, value);
        }
    }
    Section::new("What comes next").step(step)
}

fn consent(section: Section) -> Section {
    let sign_in = "Sign in as the user of the tokens, press **Allow**, copy the whole address of the page you end at, and \
                   paste it.";
    section
        .step(Step::new(sign_in).trap(
            "Within 60 seconds of **Allow**. The page itself may look like an error: only its address counts.",
        ))
        .step(Step::new(
            "Before the refresh token ends, the same command again. `snowtoken status` shows when that is.",
        ))
}

/// What goes into a field of the product's form, where that is known before the client is there.
fn known_value(wish: &ChecklistWish<'_>, value: &Value) -> Option<String> {
    let text = match value {
        Value::Instance => wish.target.instance.of(wish.instance?),
        Value::TokenUrl => wish.instance?.endpoints().token.to_string(),
        Value::AuthorizationUrl => wish.instance?.endpoints().authorization.to_string(),
        Value::RedirectUri => wish.plan.redirect_uris.first()?.as_str().to_owned(),
        Value::Scope => wish.plan.scopes.join(" "),
        Value::Fixed(text) => text.clone(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

pub(super) fn trouble(wish: &ChecklistWish<'_>) -> Section {
    let mut section = Section::new("If it does not work").step(
        Step::new(
            "The instance answers nearly every mistake with `server_error`, `access_denied`. The true cause is in \
             **System Logs > All**: message contains `token flow`.",
        )
        .link(wish.log()),
    );
    if wish.is_code() {
        section = section
            .step(
                Step::new("Which tokens are out, and until when: **System OAuth > Manage Tokens**.")
                    .link(wish.tokens()),
            )
            .note("`Invalid redirect_uri` on a page: the address in the client differs from the one that is sent.")
            .note("`Missing State parameter in request` on a page: the address was cut when it was copied.");
    }
    section
        .note("`invalid_scope` in the log: a scope is missing in the list **OAuth Scopes**, or misspelt.")
        .note("`client_secret` in the log: Client ID and secret do not belong together, or the client is inactive.")
        .note("403 with a good token: broadly scoped is off, or a REST API Access Policy does not let OAuth in.")
        .note("`snowtoken explain` takes any error text that you paste into it.")
}
