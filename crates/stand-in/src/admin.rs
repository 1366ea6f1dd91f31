//! What an administrator of the pretend instance can do: registry, users, tokens.

use jiff::Timestamp;

use crate::behaviour as knob;
use crate::instance::Instance;
use crate::model::{Client, User};

/// A pair of tokens as a test sees it: what it is worth, and until when.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct TokenView {
    /// The `client_id` that the pair was issued to.
    pub client_id: String,
    /// The user who consented.
    pub user_name: String,
    /// The scope of both tokens.
    pub scope: String,
    /// The current access token, if there is one.
    pub access_token: Option<String>,
    /// When the access token ends.
    pub access_token_expires: Option<Timestamp>,
    /// Whether the access token works now.
    pub access_token_works: bool,
    /// The current refresh token, if there is one.
    pub refresh_token: Option<String>,
    /// When the refresh token ends.
    pub refresh_token_expires: Option<Timestamp>,
    /// Whether the refresh token works now.
    pub refresh_token_works: bool,
}

impl Instance {
    /// Adds a client, or replaces the one with the same `client_id`. Empty fields that the
    /// instance generates are filled in; the client is returned as it was kept.
    pub fn put_client(&mut self, mut client: Client) -> Client {
        if client.client_id.is_empty() {
            client.client_id = self.ids.sys_id();
        }
        if client.sys_id.is_empty() {
            let known = self.clients.get(&client.client_id).map(|known| known.sys_id.clone());
            client.sys_id = known.unwrap_or_else(|| self.ids.sys_id());
        }
        if client.client_secret.is_empty() && !client.public_client {
            let marker = self.behaviour.text(&knob::TOKEN_MARKER);
            client.client_secret = self.ids.classic_secret(marker);
        }
        self.clients.insert(client.client_id.clone(), client.clone());
        client
    }

    /// Takes a client out of the registry; whether it was there.
    pub fn remove_client(&mut self, client_id: &str) -> bool {
        self.clients.remove(client_id).is_some()
    }

    /// Adds a user, or replaces the one with the same `user_name`.
    pub fn put_user(&mut self, mut user: User) -> User {
        if user.sys_id.is_empty() {
            let known = self.users.get(&user.user_name).map(|known| known.sys_id.clone());
            user.sys_id = known.unwrap_or_else(|| self.ids.sys_id());
        }
        if user.name.is_empty() {
            user.name.clone_from(&user.user_name);
        }
        self.users.insert(user.user_name.clone(), user.clone());
        user
    }

    /// The clients, ordered by `client_id`.
    pub fn clients(&self) -> Vec<Client> {
        self.clients.values().cloned().collect()
    }

    /// The users, ordered by name to sign in with.
    pub fn users(&self) -> Vec<User> {
        self.users.values().cloned().collect()
    }

    /// One client by `client_id`.
    pub fn client(&self, client_id: &str) -> Option<&Client> {
        self.clients.get(client_id)
    }

    /// One user by name to sign in with.
    pub fn user(&self, user_name: &str) -> Option<&User> {
        self.users.get(user_name)
    }

    /// Revokes one token by its value. Answers whether it was known.
    pub fn revoke_token(&mut self, token: &str) -> bool {
        self.revoke_value(token)
    }

    /// Revokes both tokens of a client and user. Answers whether there were any.
    pub fn revoke_pair(&mut self, client_id: &str, user_name: &str) -> bool {
        self.revoke_owner(&(client_id.to_owned(), user_name.to_owned()))
    }

    /// Every pair of tokens, ordered by client and user.
    pub fn tokens(&self, now: Timestamp) -> Vec<TokenView> {
        let view = |(owner, pair): (&crate::model::Owner, &crate::model::Pair)| {
            let client = self.clients.get(&owner.0);
            let access_lifespan = client.map_or(0, |client| self.access_lifespan(client));
            let refresh_lifespan = client.map_or(0, |client| self.refresh_lifespan(client));
            let works = |token: &Option<crate::model::Token>, lifespan| {
                token.as_ref().is_some_and(|token| self.lives(now, token, lifespan))
            };
            TokenView {
                client_id: owner.0.clone(),
                user_name: owner.1.clone(),
                scope: pair.scope.clone(),
                access_token: pair.access.as_ref().map(|token| token.value.clone()),
                access_token_expires: pair.access.as_ref().map(|token| token.expires),
                access_token_works: works(&pair.access, access_lifespan),
                refresh_token: pair.refresh.as_ref().map(|token| token.value.clone()),
                refresh_token_expires: pair.refresh.as_ref().map(|token| token.expires),
                refresh_token_works: works(&pair.refresh, refresh_lifespan),
            }
        };
        self.pairs.iter().map(view).collect()
    }
}
