//! The listener behind a loopback redirect URI: here only, for one redirect only, and mute.

mod pages;
mod sockets;

use std::sync::{Arc, Mutex};

use snowtoken::core::oauth::redirect::RedirectUri;
use snowtoken::loopback::{Listener, Verdict};

/// The query that this listener waits for.
const OURS: &str = "code=the-code&state=the-state";

/// A listener, and the queries it was asked to judge.
struct Scene {
    listener: Listener,
    port: u16,
    judged: Arc<Mutex<Vec<String>>>,
}

impl Scene {
    /// Opens a listener for a redirect URI, in which `PORT` stands for a free port.
    fn open(redirect_uri: &str) -> Self {
        let port = crate::support::ports::free_port();
        let uri = RedirectUri::parse(&redirect_uri.replace("PORT", &port.to_string())).unwrap();
        let judged = Arc::new(Mutex::new(Vec::new()));
        let notes = judged.clone();
        let judge = Box::new(move |query: &str| {
            notes.lock().unwrap().push(query.to_owned());
            if query == OURS { Verdict::Ours } else { Verdict::NotOurs }
        });
        let listener = Listener::open(&uri, judge).unwrap();
        Self { listener, port, judged }
    }

    fn usual() -> Self {
        Self::open("http://127.0.0.1:PORT/callback")
    }

    fn judged(&self) -> Vec<String> {
        self.judged.lock().unwrap().clone()
    }
}
