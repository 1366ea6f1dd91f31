//! Whether each delivered file still holds what is stored now.

use std::process::ExitCode;

use serde_json::json;
use snowtoken::Session;
use snowtoken::core::diagnosis::Code;
use snowtoken::delivery::Credentials;
use snowtoken::delivery::follow::{self, Standing};

use super::prepared::Client;
use crate::output;
use crate::report::Failure;

pub(super) fn run(
    session: &Session,
    client: Option<&Client>,
    as_json: bool,
) -> Result<ExitCode, Failure> {
    let name = &session.profile().name;
    let deliveries = session.store().deliveries(name)?;
    if deliveries.is_empty() {
        output::say(format!("{name}: nothing was delivered to a file"));
    }
    let record = session.store().load(name)?;
    let secret = session.store().client_secret(name, &session.binding())?;
    let credentials = record.as_ref().map(|record| Credentials {
        profile: session.profile(),
        client_secret: secret.as_ref(),
        tokens: Some(&record.tokens),
        fresh_code: None,
        created: session.now(),
    });
    let (mut found, mut drifted) = (Vec::new(), 0);
    for delivery in &deliveries {
        let standing = match client {
            Some(client) => client.standing(session, delivery),
            None => follow::standing(&**session.store(), delivery, credentials.as_ref()),
        };
        let (state, words) = match &standing {
            Standing::Same => ("same", "is what is stored".to_owned()),
            Standing::Gone => {
                session.store().forget_delivery(name, &delivery.format, &delivery.path)?;
                let words = "is gone, as it should be: there are no tokens any more";
                ("gone", words.to_owned())
            }
            Standing::Drifted(how) => {
                drifted += 1;
                ("drifted", how.clone())
            }
        };
        output::say(format!("{} {words}", delivery.path));
        found.push(json!({
            "format": delivery.format,
            "path": delivery.path,
            "state": state,
            "reason": words,
            "keep_fresh": delivery.wish.follow,
        }));
    }
    if as_json {
        output::json(&json!({ "version": 1, "profile": name.as_str(), "deliveries": found }))?;
    }
    if drifted == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    let text = format!("{drifted} of {} delivered files have drifted", deliveries.len());
    Err(Failure::told(Code::DeliveryDrifted, text))
}
