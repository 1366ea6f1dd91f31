//! A fresh code in the shape of the product that exchanges it, and its way there.

use snowtoken::core::diagnosis::Hint;
use snowtoken::core::oauth::authorization::FreshCode;
use snowtoken::core::profile::Profile;
use snowtoken::core::secret::Secret;
use snowtoken::delivery::{Credentials, Order, Run, hand_over, moment};
use snowtoken::store::sqlite::SqliteStore;
use snowtoken::store::{AuditEntry, TokenStore as _};

use super::settings;
use crate::app::App;
use crate::args::LoginArgs;
use crate::commands::deliver::{push, repeat};
use crate::output;
use crate::report::Failure;

/// What was asked for by `--format`, with the client secret that is a part of it.
pub(super) struct Shape {
    order: Order,
    secret: Option<Secret>,
    push: bool,
}

impl Shape {
    /// Everything but the code is looked at here, before a person is sent to a browser.
    pub(super) fn of(
        app: &App,
        args: &LoginArgs,
        profile: &Profile,
        store: &SqliteStore,
    ) -> Result<Option<Self>, Failure> {
        let Some(format) = args.code.format else { return Ok(None) };
        let variant = Some(format.with_code(args.code.variant.as_deref())?);
        let order = Order { variant, name: args.code.name.clone(), ..Order::of(format) };
        let file = args.client_secret_file.as_deref();
        let secret = settings::client_secret(app, file, profile, store)?;
        let shape = Self { order, secret, push: args.code.push };
        shape.credentials(app, profile, None).await_code(&shape.order)?;
        Ok(Some(shape))
    }

    pub(super) fn credentials<'a>(
        &'a self,
        app: &App,
        profile: &'a Profile,
        fresh: Option<&'a FreshCode>,
    ) -> Credentials<'a> {
        Credentials {
            profile,
            client_secret: self.secret.as_ref(),
            tokens: None,
            fresh_code: fresh,
            created: app.world.now(),
        }
    }

    pub(super) fn order(&self) -> &Order {
        &self.order
    }

    pub(super) fn is_pushed(&self) -> bool {
        self.push
    }

    /// For the audit.
    pub(super) fn words(&self) -> String {
        format!("{} ({})", self.order.format.as_str(), self.order.variant())
    }

    /// The product's own program gets it, once: a code that was tried is spent.
    pub(super) fn push(
        &self,
        app: &App,
        store: &mut SqliteStore,
        credentials: &Credentials<'_>,
        fresh: &FreshCode,
    ) -> Result<(), Failure> {
        let secrets = credentials.secrets();
        for run in credentials.runs(&self.order, None)? {
            let said = hand_over(&run, &secrets).map_err(|error| {
                push::failed(&error, 0, 1).with_hint(Hint::note(format!(
                    "the code ends {}, and is spent if the product has tried it: the same login brings another",
                    moment(fresh.good_until)
                )))
            })?;
            repeat(run.program, &said);
            self.note(app, store, credentials.profile, &run)?;
        }
        Ok(())
    }

    fn note(
        &self,
        app: &App,
        store: &mut SqliteStore,
        profile: &Profile,
        run: &Run,
    ) -> Result<(), Failure> {
        let shape = self.order.format.as_str();
        store.append_audit(&AuditEntry {
            at: app.world.now(),
            profile: profile.name.clone(),
            event: "delivery".to_owned(),
            outcome: "done".to_owned(),
            detail: format!("{shape} handed to {}", run.program),
        })?;
        output::say(format!("{}: {shape} was handed to {}", profile.name, run.program));
        output::say("  the code is spent by that: nobody can use it again");
        Ok(())
    }

    /// How it gets to its taker, and what stays behind.
    pub(super) fn explain(&self, credentials: &Credentials<'_>, file: Option<&str>) {
        push::explain(credentials, &self.order, file);
        if file.is_some() {
            output::say(
                "  delete the file then: the client secret in it does not end with the code",
            );
        }
    }
}
