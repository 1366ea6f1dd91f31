//! `setup --checklist`: every step with every value.

use std::path::Path;
use std::process::ExitCode;

use snowtoken::core::profile::{Grant, Profile, ProfileName};
use snowtoken::core::servicenow::{ACCESS_TOKEN_LIFESPAN, REFRESH_TOKEN_LIFESPAN};
use snowtoken::core::setup::checklist::{Checklist, ChecklistWish, Release};
use snowtoken::core::target::Class;
use snowtoken::store::write_file;

use super::Wish;
use crate::app::App;
use crate::args::{ChecklistFormat, ReleaseChoice, SetupArgs};
use crate::report::Failure;
use crate::{files, output};

/// What stands for the Client ID, which is not known before the client is there.
const CLIENT_ID: &str = "PASTE-THE-CLIENT-ID";

/// The width of what is piped or written to a file.
const COLUMNS: usize = 80;

pub(crate) fn run(app: &App, args: &SetupArgs) -> Result<ExitCode, Failure> {
    let name = match args.profile.as_deref() {
        Some(typed) => Some(ProfileName::parse(typed)?),
        // Without a name the steps are the same; which of several profiles is meant is not guessed.
        None => app.name(None).ok(),
    };
    let wish = Wish::of(app, &args.client, name)?;
    let name = wish.name.as_ref().map_or_else(|| named_after(&wish), ToString::to_string);
    let login = login_command(&wish, &name);
    let script = wish.target.class.is_made_by_script().then(|| script_command(&wish, &name));
    let list = Checklist::new(&ChecklistWish {
        plan: &wish.plan,
        target: &wish.target,
        instance: wish.instance.as_ref(),
        release: args.release.map(release),
        login: wish.is_minted.then_some(login.as_str()),
        script: script.as_deref(),
    });
    let path = args.output.as_deref().filter(|path| *path != Path::new("-"));
    let text = match args.format.unwrap_or_else(|| format_of(path)) {
        ChecklistFormat::Text => {
            let screen = output::screen().columns.filter(|_| path.is_none());
            list.text(screen.unwrap_or(COLUMNS))
        }
        ChecklistFormat::Markdown => list.markdown(),
        ChecklistFormat::Html => list.html(),
    };
    let Some(path) = path else {
        output::data(&text)?;
        return Ok(ExitCode::SUCCESS);
    };
    let path = files::absolute(path).map_err(|error| super::output_refused(&error))?;
    write_file::replace(&path, text.as_bytes())?;
    output::say(format!("written to {}; there is no secret in it", path.display()));
    Ok(ExitCode::SUCCESS)
}

fn release(choice: ReleaseChoice) -> Release {
    match choice {
        ReleaseChoice::Xanadu => Release::Xanadu,
        ReleaseChoice::Yokohama => Release::Yokohama,
        ReleaseChoice::Zurich => Release::Zurich,
        ReleaseChoice::Australia => Release::Australia,
    }
}

/// As the file's name ends; text otherwise.
fn format_of(path: Option<&Path>) -> ChecklistFormat {
    let ending = path.and_then(Path::extension).and_then(|ending| ending.to_str());
    match ending.map(str::to_ascii_lowercase).as_deref() {
        Some("html" | "htm") => ChecklistFormat::Html,
        Some("md" | "markdown") => ChecklistFormat::Markdown,
        _ => ChecklistFormat::Text,
    }
}

/// A name for the profile: that of the instance, as long as it can be one.
fn named_after(wish: &Wish) -> String {
    let host = wish.instance.as_ref().and_then(|instance| instance.origin().host_str());
    let label = host.and_then(|host| host.split('.').next()).unwrap_or_default();
    ProfileName::parse(label).map_or_else(|_| "servicenow".to_owned(), |name| name.to_string())
}

/// Who and where, for a command that makes the profile or knows it.
fn place(wish: &Wish, known: Option<&Profile>) -> Vec<String> {
    let mut words = Vec::new();
    let mut flag = |name: &str, value: &str| words.extend([name.to_owned(), quoted(value)]);
    match &wish.instance {
        Some(instance) if known.is_none_or(|profile| profile.instance != *instance) => {
            flag("--instance", instance.url());
        }
        None => flag("--instance", "YOUR-INSTANCE"),
        Some(_) => {}
    }
    if known.is_none_or(|profile| profile.target != wish.target.name) {
        flag("--target", &wish.target.name);
    }
    match (&wish.region, &wish.redirect_uri) {
        (Some(region), _) if known.is_none_or(|p| p.region.as_ref() != Some(region)) => {
            flag("--region", region);
        }
        (None, Some(uri)) if known.is_none_or(|p| p.redirect_uri.as_ref() != Some(uri)) => {
            flag("--redirect-uri", uri.as_str());
        }
        _ => {}
    }
    words
}

/// The login that fits the client.
fn login_command(wish: &Wish, name: &str) -> String {
    let known = wish.known.as_ref();
    let mut words = vec!["snowtoken".to_owned(), "login".to_owned(), name.to_owned()];
    words.extend(place(wish, known));
    let mut flag = |name: &str, value: &str| words.extend([name.to_owned(), quoted(value)]);
    let id = wish.plan.client_id.as_ref();
    if known.is_none_or(|profile| Some(&profile.client_id) != id) {
        flag("--client-id", id.map_or(CLIENT_ID, |id| id.as_str()));
    }
    if wish.plan.grant == Grant::ClientCredentials
        && known.is_none_or(|p| p.grant != wish.plan.grant)
    {
        flag("--grant", "client-credentials");
    }
    let (plan, target) = (&wish.plan, &wish.target);
    let before = known.map(|profile| profile.lifespans);
    let access = before.and_then(|l| l.access).or(target.access_token_lifespan);
    if plan.access_token_lifespan != access.unwrap_or(ACCESS_TOKEN_LIFESPAN) {
        flag("--access-token-lifespan", &plan.access_token_lifespan.to_string());
    }
    let refresh = before.and_then(|l| l.refresh).or(target.refresh_token_lifespan);
    if plan.refresh_token_lifespan != refresh.unwrap_or(REFRESH_TOKEN_LIFESPAN) {
        flag("--refresh-token-lifespan", &plan.refresh_token_lifespan.to_string());
    }
    let scope = plan.scopes.join(" ");
    let usual = match known.filter(|profile| profile.target == target.name) {
        Some(profile) => profile.scope.as_ref().map_or("", |scope| scope.as_str()),
        None => &target.scope,
    };
    match scope.as_str() {
        same if same == usual => {}
        "" => words.push("--no-scope".to_owned()),
        other => flag("--scope", other),
    }
    words.join(" ")
}

/// The command that spares the steps.
fn script_command(wish: &Wish, name: &str) -> String {
    let mut words = vec!["snowtoken".to_owned(), "setup".to_owned(), name.to_owned()];
    words.push("--background-script".to_owned());
    words.extend(place(wish, wish.known.as_ref()));
    if wish.target.class == Class::ClientCredentials {
        words.extend(["--grant".to_owned(), "client-credentials".to_owned()]);
    }
    words.join(" ")
}

/// A word for a shell. Our values are printable; most need no quotes.
fn quoted(word: &str) -> String {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.:/@,+".contains(&b);
    let is_harmless = |b: u8| is_plain(b) || b" ?&=;()~#*[]".contains(&b);
    if word.bytes().all(is_plain) && !word.is_empty() {
        word.to_owned()
    } else if word.bytes().all(is_harmless) {
        // Understood by every shell, that of Windows as well.
        format!("\"{word}\"")
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_a_shell() {
        for (word, shown) in [
            ("us-west-2", "us-west-2"),
            ("https://a.example/cb", "https://a.example/cb"),
            ("openid email", "\"openid email\""),
            ("https://a.example/?a=1&b=2", "\"https://a.example/?a=1&b=2\""),
            ("a$b", "'a$b'"),
            ("it's", "'it'\\''s'"),
            ("", "\"\""),
        ] {
            assert_eq!(quoted(word), shown);
        }
    }

    #[test]
    fn the_format_is_that_of_the_file() {
        for (name, format) in [
            ("a.html", ChecklistFormat::Html),
            ("a.HTM", ChecklistFormat::Html),
            ("a.md", ChecklistFormat::Markdown),
            ("a.txt", ChecklistFormat::Text),
            ("html", ChecklistFormat::Text),
        ] {
            assert_eq!(format_of(Some(Path::new(name))), format);
        }
    }
}
