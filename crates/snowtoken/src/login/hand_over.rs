//! A login that stops before the exchange: the code goes to somebody else, unspent.
//!
//! An instance takes a code once, and for about a minute. A product that wants to exchange it itself
//! gets it here, with everything its token request needs. No token exists afterwards, and nothing is
//! stored.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use jiff::Timestamp;
use snowtoken_core::oauth::authorization::{AuthorizationRequest, Entropy, FreshCode, Pkce};
use snowtoken_core::oauth::token::add_seconds;
use snowtoken_core::secret::Secret;
use snowtoken_core::servicenow::{CODE_LIFESPAN, client_record, read_client};

use super::waiting::{Consented, Goal};
use super::{LAST_PAGE_PATIENCE, Login, Paste, Watcher};
use crate::error::Error;
use crate::learn;
use crate::loopback::{Ending, Listener};
use crate::world::World;

/// How long a code lives, and how that is known.
#[derive(Debug, Clone)]
pub enum CodeLifespan {
    /// Somebody has looked it up: so many seconds.
    Stated(i64),
    /// Ask the client's record with this access token, while the person consents. Where it may not be
    /// read, the documented default holds.
    AskedWith(Secret),
    /// The documented default.
    Usual,
}

/// A code that was got and not exchanged.
#[derive(Debug)]
pub struct HandedOver {
    /// The code with what belongs to it.
    pub fresh: FreshCode,
    /// Its lifespan in seconds.
    pub lifespan: i64,
    /// Whether it was pasted: then some of its seconds had passed before it came here.
    pub pasted: bool,
    listener: Option<Listener>,
}

impl HandedOver {
    /// Tells the browser's waiting page how it ended, and closes the port.
    pub fn finish(&mut self, ending: Ending) {
        if let Some(listener) = self.listener.take() {
            listener.finish(ending, LAST_PAGE_PATIENCE);
        }
    }
}

impl Login<'_> {
    /// Runs the authorization code grant up to the code. The client's secret is not used.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn hand_over(
        &self,
        world: &World,
        pkce: Pkce,
        lifespan: &CodeLifespan,
        pastes: Receiver<Paste>,
        watcher: &dyn Watcher,
    ) -> Result<HandedOver, Error> {
        let asked = self.ask_for_lifespan(world, lifespan);
        let begin = |request: AuthorizationRequest, entropy: &Entropy| {
            request.begin_hand_over(entropy, pkce)
        };
        let consented = self.consent(world, Goal::FreshCode, begin, pastes, watcher)?;
        let arrived: Timestamp = world.now();
        let Consented { expect, code, pasted, listener, .. } = consented;
        // What has not been answered by now is not waited for: the code's time runs.
        let lifespan = match lifespan {
            CodeLifespan::Stated(seconds) => *seconds,
            _ => asked.try_recv().unwrap_or(CODE_LIFESPAN),
        };
        let fresh = expect.hand_over(code, add_seconds(arrived, lifespan));
        Ok(HandedOver { fresh, lifespan, pasted, listener })
    }

    /// Asks beside the consent. The thread ends by itself.
    fn ask_for_lifespan(&self, world: &World, lifespan: &CodeLifespan) -> Receiver<i64> {
        let (answered, answers) = channel();
        let CodeLifespan::AskedWith(token) = lifespan else { return answers };
        let request = read_client(&self.profile.instance, &self.profile.client_id, token);
        let (transport, client_id) = (Arc::clone(&world.transport), self.profile.client_id.clone());
        let asking = move || {
            let answer = transport.send_beside(request, learn::LIMIT).ok();
            let record = answer.and_then(|answer| client_record(&answer, &client_id));
            if let Some(seconds) = record.and_then(|record| record.code_lifespan) {
                // Nobody may be waiting any more.
                let _ = answered.send(seconds);
            }
        };
        // Without a thread it is not asked.
        drop(std::thread::Builder::new().name("learn".to_owned()).spawn(asking));
        answers
    }
}
