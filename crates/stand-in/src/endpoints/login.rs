//! Signing in and out (§1.4).

use crate::behaviour as knob;
use crate::call::{Call, value};
use crate::endpoints::AUTH;
use crate::instance::Instance;
use crate::model::User;
use crate::pages;
use crate::reply::{self, Reply};

pub(crate) fn handle(instance: &mut Instance, call: &mut Call) -> Reply {
    let sent = if call.method == http::Method::POST { &call.form } else { &call.query };
    let back = safe_way_back(value(sent, "sysparm_goto_url"));
    if call.method != http::Method::POST {
        return page(instance, &back, "", None);
    }
    let user_name = value(&call.form, "user_name").unwrap_or_default().to_owned();
    match check(instance, call, &user_name) {
        Ok(()) => {
            // A session that existed before the sign-in must not become the signed-in one.
            instance.sessions.close(&call.session);
            call.session = instance.sessions.open();
            if let Some(session) = instance.sessions.get_mut(&call.session) {
                session.user = Some(user_name);
            }
            reply::redirect(&back)
        }
        Err(text) => page(instance, &back, &user_name, Some(text)),
    }
}

pub(crate) fn log_out(instance: &mut Instance, call: &mut Call) -> Reply {
    instance.sessions.close(&call.session);
    call.session = instance.sessions.open();
    reply::redirect(&safe_way_back(value(&call.query, "sysparm_goto_url")))
}

fn check(instance: &Instance, call: &Call, user_name: &str) -> Result<(), &'static str> {
    const INVALID: &str = "User name or password invalid";
    if value(&call.form, "sys_action") != Some("sysverb_login") {
        return Err("The form was incomplete.");
    }
    let password = value(&call.form, "user_password").unwrap_or_default();
    let user = instance.record_of_user(user_name).ok_or(INVALID)?;
    check_password(&user, password).then_some(()).ok_or(INVALID)?;
    if user.password_needs_reset {
        return Err("Your password has expired and must be changed.");
    }
    if user.web_service_access_only && instance.behaviour.is(&knob::WEB_SERVICE_USERS, "refused") {
        return Err("This user may use web services only.");
    }
    Ok(())
}

/// Whether these credentials are right and the user may work here at all.
pub(crate) fn check_password(user: &User, password: &str) -> bool {
    user.password == password && user.active && !user.locked_out
}

/// Only the authorization endpoint and the front page are ways back: no open redirect here.
fn safe_way_back(sent: Option<&str>) -> String {
    let start = format!("{AUTH}?");
    sent.filter(|path| path.starts_with(&start)).unwrap_or("/").to_owned()
}

fn page(instance: &Instance, back: &str, user_name: &str, problem: Option<&str>) -> Reply {
    let users: Vec<&User> = instance.users.values().collect();
    reply::html(200, pages::login(&users, back, user_name, problem))
}
