//! `deliver`: credentials in a consumer's shape, to a file, to stdout or to the product's own program.

mod answer;
mod bundle;
mod check;
mod destination;
mod form;
mod order;
mod prepared;
pub(crate) mod push;

use std::process::ExitCode;

use serde_json::json;
use snowtoken::Session;
use snowtoken::core::diagnosis::Code;
use snowtoken::core::printable::Printable;
use snowtoken::delivery::follow::{self, Followed};
use snowtoken::delivery::{Credentials, Format, Order, Piece, moment};
use snowtoken::store::{Record, Wish};

use crate::app::App;
use crate::args::DeliverArgs;
use crate::output;
use crate::report::Failure;

pub(crate) use destination::{destination, is_dash, write, write_again};

pub(crate) fn run(app: &App, args: &DeliverArgs) -> Result<ExitCode, Failure> {
    if let Some(file) = &args.bundle.bundle {
        let session = app.any_session(args.profile.as_deref())?;
        let client = prepared::Client::of(app, &session)?;
        let done = bundle::run(app, &session, client.as_ref(), &args.bundle, file);
        return done.map_err(|failure| failure.about(&session.profile().name));
    }
    sensible(args)?;
    let session = app.any_session(args.profile.as_deref())?;
    if let Some(file) = &args.forget {
        let done = check::forget(&session, file);
        return done.map_err(|failure| failure.about(&session.profile().name));
    }
    order::refuse_code(&session, args)?;
    let client = prepared::Client::of(app, &session)?;
    let done = match (&client, args.format) {
        (client, _) if args.check => check::run(&session, client.as_ref(), args.json),
        (Some(client), _) => client.deliver(&session, args),
        (None, Format::GitCredential) => answer::git(&session, args.operation.as_deref()),
        (None, Format::TokenJson) => answer::token_json(&session),
        (None, _) => deliver(app, &session, args),
    };
    done.map_err(|failure| failure.about(&session.profile().name))
}

/// What the parser cannot say.
fn sensible(args: &DeliverArgs) -> Result<(), Failure> {
    let usage = |text: &str| Err(Failure::told(Code::Usage, text));
    let goes_somewhere = args.output.is_some() || args.push;
    let asks = args.format.is_answer() || args.format == Format::Form && args.field.is_none();
    let asks = asks && args.template.is_none();
    if args.operation.is_some() && args.format != Format::GitCredential {
        return usage("one profile is delivered at a time");
    }
    if args.json && !goes_somewhere && !args.check {
        return usage("--json goes with --output, --push or --check: the text itself is on stdout");
    }
    if args.output.as_deref().is_some_and(is_dash) {
        return usage("without --output it is standard output: leave `--output -` out");
    }
    if asks && goes_somewhere {
        return usage("this shape is an answer for the moment: it goes to stdout only");
    }
    Ok(())
}

fn deliver(app: &App, session: &Session, args: &DeliverArgs) -> Result<ExitCode, Failure> {
    let target = app.target(&session.profile().target)?;
    // What is recorded must not be while the tokens change: a refresh that has read the older
    // record would write it back.
    let is_recorded = args.output.is_some() && !args.push;
    let _lock = is_recorded.then(|| session.lock()).transpose()?;
    let record = session.record()?;
    session.check_usable(&record)?;
    let secret = session.store().client_secret(&session.profile().name, &session.binding())?;
    let credentials = Credentials {
        profile: session.profile(),
        client_secret: secret.as_ref(),
        tokens: Some(&record.tokens),
        fresh_code: None,
        created: session.now(),
    };
    let order = order::of(args, &credentials, &target)?;
    if order.format == Format::Form {
        return form::run(app, &credentials, &target);
    }
    let text = credentials.render(&order)?;
    for concern in credentials.concerns(&target) {
        output::say(format!("warning: {concern}"));
    }
    warn(session, &record, &order);
    if args.push {
        push::run(session, args, &credentials, &order)?;
    } else if args.output.is_some() {
        to_file(app, session, args, &credentials, &order)?;
    } else if order.format == Format::Field {
        output::value(&text)?;
    } else {
        output::data(&text)?;
        push::explain(&credentials, &order, None);
    }
    Ok(ExitCode::SUCCESS)
}

/// What somebody should know who thinks that everything in it works.
fn warn(session: &Session, record: &Record, order: &Order) {
    let name = &session.profile().name;
    let tokens = &record.tokens;
    // Programs use these at once; a form is filled in for the refresh token's sake.
    let at_once = order.format.is_for_now() || order.field == Some(Piece::AccessToken);
    if at_once && tokens.access_expires_at.at <= session.now() {
        output::say(format!(
            "warning: the access token has ended; `snowtoken refresh {name}` gets another one"
        ));
    }
    if order.field == Some(Piece::UsedCode) {
        output::say(format!(
            "warning: this auth code was used {}: nobody can use it again; `snowtoken login {name} --code-only` \
             gets a fresh one",
            moment(tokens.granted_at)
        ));
    }
}

fn to_file(
    app: &App,
    session: &Session,
    args: &DeliverArgs,
    credentials: &Credentials<'_>,
    order: &Order,
) -> Result<(), Failure> {
    let Some(path) = &args.output else { return Ok(()) };
    let path = destination::absolute(path)?;
    let wish = Wish {
        variant: order.variant.map(str::to_owned),
        name: order.name.clone(),
        place: order.place.clone(),
        field: order.field.map(|piece| piece.name().to_owned()),
        template: order::template_path(args)?,
        values: None,
        follow: args.keep_fresh,
        reload: args.reload.clone().filter(|_| args.keep_fresh),
    };
    let written = follow::write(&mut **session.store(), &path, credentials, order, wish)?;
    let name = &session.profile().name;
    let place = path.display().to_string();
    output::say(format!("{name}: written to {place}"));
    if args.keep_fresh {
        output::say("  it is written again whenever the tokens change");
    }
    push::explain(credentials, order, Some(&place));
    if args.json {
        output::json(&json!({
            "version": 1,
            "profile": name.as_str(),
            "format": order.format.as_str(),
            "variant": order.variant(),
            "output": place,
            "changed": written.changed,
            "keep_fresh": args.keep_fresh,
        }))?;
    }
    let (profile, format) = (name.clone(), order.format.as_str().to_owned());
    let (path, reload) = (place, args.reload.clone());
    app.followed(Followed { profile, format, path, result: Ok(written), reload });
    Ok(())
}

/// Foreign lines, each with the name of whoever said it.
pub(crate) fn repeat(program: &str, said: &[String]) {
    for line in said {
        output::say(format!("  {program}: {}", Printable(line)));
    }
}
