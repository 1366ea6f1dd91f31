//! Sessions of browsers and, as on the real thing, of API callers that keep cookies (§3.4).

use std::collections::{BTreeMap, VecDeque};

use crate::random::Random;

const MOST: usize = 4_096;

/// One session, found by the value of the cookie `JSESSIONID`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Session {
    /// Who is signed in.
    pub(crate) user: Option<String>,
    /// The anti-CSRF token that forms carry as `sysparm_ck`.
    pub(crate) ck: String,
    /// The authorization request that was just allowed, waiting for the additional hop.
    pub(crate) allowed: Option<String>,
    /// The access token that signed this session in, if it was an API call.
    pub(crate) token: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Sessions {
    known: BTreeMap<String, Session>,
    order: VecDeque<String>,
    random: Random,
}

impl Sessions {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            known: BTreeMap::new(),
            order: VecDeque::new(),
            random: Random::new(seed, "sessions"),
        }
    }

    pub(crate) fn open(&mut self) -> String {
        let key = self.random.sys_id().to_uppercase();
        let ck = format!("{}{}", self.random.sys_id(), self.random.sys_id());
        self.known.insert(key.clone(), Session { ck, ..Session::default() });
        self.order.push_back(key.clone());
        if self.order.len() > MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        key
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Session> {
        self.known.get(key)
    }

    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Session> {
        self.known.get_mut(key)
    }

    pub(crate) fn close(&mut self, key: &str) {
        self.known.remove(key);
        self.order.retain(|known| known != key);
    }

    /// A number for `BIGipServerpool_…` and the like.
    pub(crate) fn number(&mut self) -> u64 {
        self.random.below(4_000_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_session_makes_room() {
        let mut sessions = Sessions::new(1);
        let first = sessions.open();
        let rest: Vec<String> = (1..MOST).map(|_| sessions.open()).collect();
        assert!(sessions.get(&first).is_some());
        sessions.open();
        assert!(sessions.get(&first).is_none());
        assert!(sessions.get(&rest[0]).is_some());
    }
}
