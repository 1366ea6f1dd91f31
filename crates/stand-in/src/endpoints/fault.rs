//! Answers that a fault puts in place of the instance's own (§4.6, §14.11).

use http::header::{CONTENT_LENGTH, RETRY_AFTER};

use crate::endpoints::{self, token_answer};
use crate::fault::{Fault, Network};
use crate::instance::Answer;
use crate::pages;
use crate::reply::{self, Reply};

/// A fault that keeps the request from the instance.
pub(crate) fn replaces(fault: &Fault) -> Answer {
    let response = match fault.kind.as_str() {
        "asleep" => reply::html(200, pages::hibernating()),
        "offline" => reply::html(503, pages::offline()),
        "bad-gateway" => bad_gateway(),
        "login-page" => reply::html(200, pages::single_sign_on()),
        "login-redirect" => reply::redirect("/login_with_sso.do?glide_sso_id=pretend"),
        "moved" => reply::redirect("https://moved.service-now.example/oauth_token.do"),
        "offline-page" => reply::html(200, pages::offline()),
        "address-refused" => ip_refused(),
        "not-found" => endpoints::not_found(),
        "flapping-refresh" | "refused" => token_answer::generic(),
        _ => unavailable(fault),
    };
    Answer { response, network: Network::default(), fault: Some(fault.kind.clone()) }
}

/// A fault that loses or spoils an answer after the instance did its work.
pub(crate) fn spoils(fault: &Fault, mut response: Reply) -> Answer {
    match fault.kind.as_str() {
        "bad-gateway-after" => response = bad_gateway(),
        "truncated-json" => {
            let half = response.body().len() / 2;
            response.body_mut().truncate(half);
        }
        "huge-body" => {
            response.headers_mut().remove(CONTENT_LENGTH);
            let size = fault.body_size().max(response.body().len());
            response.body_mut().resize(size, b' ');
        }
        _ => {}
    }
    Answer { response, network: fault.network(), fault: Some(fault.kind.clone()) }
}

fn bad_gateway() -> Reply {
    reply::html(
        502,
        pages::notice("502 Bad Gateway", "The node behind the load balancer did not answer."),
    )
}

fn unavailable(fault: &Fault) -> Reply {
    let text = "The instance is being upgraded. Try again in a moment.";
    let mut answer = reply::html(503, pages::notice("503 Service Unavailable", text));
    if fault.retry_after > 0 {
        reply::set(&mut answer, &RETRY_AFTER, &fault.retry_after.to_string());
    }
    answer
}

/// §4.2 no. 16; its true form is unknown.
pub(crate) fn ip_refused() -> Reply {
    reply::html(
        403,
        pages::notice(
            "Access restricted",
            "Security restricted: Access restricted (127.0.0.1 not authorized)",
        ),
    )
}
