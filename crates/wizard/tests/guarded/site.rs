//! What a journey has, in small: a page with a form, a secret field, a download, a value to copy.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use http::StatusCode;
use snowtoken::Secret;
use snowtoken_wizard::pages::{SCRIPT, STYLE};
use snowtoken_wizard::site::{AGE_MARK, CSRF_MARK, Form, Reply, Shown, Site};
use tokio::sync::watch;
use zeroize::Zeroizing;

/// A secret that the site hands out, by copy and by download.
pub(crate) const CANARY: &str = "canary-of-the-site-7Qx9";

/// A page that fills every buffer between here and there.
pub(crate) const LARGE: usize = 24 * 1024 * 1024;

/// What was asked of the site.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) reads: AtomicUsize,
    pub(crate) writes: AtomicUsize,
    /// The secrets that were entered.
    pub(crate) entered: Mutex<Vec<String>>,
    /// Changes when somebody asks for `/change`.
    changes: watch::Sender<()>,
}

impl Log {
    /// Reads and writes so far.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.reads.load(Ordering::SeqCst), self.writes.load(Ordering::SeqCst))
    }
}

pub(crate) struct Echo(pub(crate) Arc<Log>);

impl Site for Echo {
    fn get(&mut self, path: &str, _: Option<&str>) -> Reply {
        self.0.reads.fetch_add(1, Ordering::SeqCst);
        match path {
            "/" => Reply::page(page(FORM, "")),
            "/done" => Reply::page(page("<h1>Kept</h1>", "")),
            "/wait" => Reply::page(page("<p data-look=\"/look\" data-seen=\"1\">Waiting</p>", "")),
            "/look" => Reply::Json("{\"seen\":\"1\"}".into()),
            "/soon" => Reply::Soon { to: "/done".into(), changes: self.0.changes.subscribe() },
            "/change" => {
                self.0.changes.send_replace(());
                Reply::page(page("<h1>Changed</h1>", ""))
            }
            "/large" => Reply::page(page(&"x".repeat(LARGE), "")),
            "/file" => Reply::File {
                name: "setup.sh".into(),
                kind: "text/plain; charset=utf-8",
                bytes: Zeroizing::new(CANARY.as_bytes().to_vec()),
            },
            _ => Reply::NotFound,
        }
    }

    fn post(&mut self, path: &str, form: Form) -> Reply {
        self.0.writes.fetch_add(1, Ordering::SeqCst);
        match path {
            "/journey" => {
                let secret = form.get("client_secret").unwrap_or_default().to_owned();
                self.0.entered.lock().unwrap().push(secret);
                Reply::To("/done".into())
            }
            "/copy" => Reply::Text(Secret::new(CANARY)),
            "/bye" => {
                let html = Zeroizing::new(page(&"bye ".repeat(LARGE / 4), ""));
                Reply::Goodbye(Shown(StatusCode::OK, html))
            }
            _ => Reply::NotFound,
        }
    }
}

const FORM: &str = "<h1>The client</h1>\
    <form method=\"post\" action=\"/journey\" autocomplete=\"off\">\
    <input type=\"hidden\" name=\"csrf\" value=\"@csrf@\">\
    <label for=\"client_id\">ID</label><input type=\"text\" id=\"client_id\" name=\"client_id\" autocomplete=\"off\">\
    <label for=\"client_secret\">Secret</label>\
    <input type=\"password\" id=\"client_secret\" name=\"client_secret\" autocomplete=\"new-password\">\
    <button type=\"submit\">Keep</button></form>\
    <button type=\"button\" data-from=\"/copy\" data-value=\"token\" data-done=\"Copied\" data-failed=\"Not copied\">Copy</button>\
    <a href=\"/file\" download>Save</a>";

fn page(body: &str, more: &str) -> String {
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Echo</title>\
         <link rel=\"icon\" href=\"data:,\"><style>{STYLE}</style>\
         <noscript><style>{AGE_MARK}</style></noscript></head>\
         <body data-csrf=\"{CSRF_MARK}\">{body}{more}<p id=\"status\" role=\"status\"></p>\
         <script>{SCRIPT}</script></body></html>"
    )
}
