//! Our own pretend instance, in this process: it can be told to misbehave.

use std::time::Duration;

use snowtoken_stand_in::{
    Behaviour, Client, Decision, JwtEndpoint, Options, Person, Running, Server, User,
};

use super::instance::{Consent, Instance, Received, console_uri};

/// What the target of these tests asks for; a client is set up with it beforehand.
const SCOPES: [&str; 5] = ["useraccount", "openid", "profile", "email", "offline_access"];

/// A pretend instance that runs until it is dropped.
pub(crate) struct StandIn {
    running: Running,
    client: Client,
    person: Person,
}

impl StandIn {
    /// With these knobs (`name=value`) and a client whose redirect URI is this.
    pub(crate) fn start(redirect_uri: &str, knobs: &[&str]) -> Self {
        let mut behaviour = Behaviour::default();
        for knob in knobs {
            behaviour.assign(knob).unwrap_or_else(|e| panic!("{knob}: {e}"));
        }
        let client = Client {
            client_id: "0123456789abcdef0123456789abcdef".to_owned(),
            client_secret: "s3cr+t &%=?\"'\\~[`-canary-4711".to_owned(),
            redirect_urls: vec![redirect_uri.to_owned()],
            scopes: SCOPES.map(str::to_owned).to_vec(),
            auth_scopes: SCOPES.map(str::to_owned).to_vec(),
            ..Client::default()
        };
        let clients = vec![client.clone()];
        // The same tokens each time: a failure can be looked at again.
        let options = Options { behaviour, clients, seed: Some(7), ..Options::default() };
        Self { running: Server::start(options).unwrap(), client, person: Person::default() }
    }

    /// With the redirect URI of the vendor's console and a client with this secret.
    pub(crate) fn with_secret(client_secret: &str) -> Self {
        let mut instance = Self::with(&["refresh.access=new-each-time"]);
        client_secret.clone_into(&mut instance.client.client_secret);
        let client = instance.client.clone();
        instance.running.with_instance(|there| there.put_client(client));
        instance
    }

    /// With these knobs, and whoever signs in is called this.
    pub(crate) fn with_user(user_name: &str, knobs: &[&str]) -> Self {
        let mut instance = Self::with(knobs);
        let user = User {
            user_name: user_name.to_owned(),
            password: "snow".to_owned(),
            ..User::default()
        };
        instance.running.with_instance(|there| there.put_user(user));
        user_name.clone_into(&mut instance.person.user_name);
        instance
    }

    /// With these knobs and the redirect URI of the vendor's console.
    pub(crate) fn with(knobs: &[&str]) -> Self {
        Self::start(&console_uri("us-west-2"), knobs)
    }

    /// Lets the client act for itself, as this user (client credentials).
    pub(crate) fn let_client_act_as(&self, user_name: &str) {
        self.set("client_credentials.enabled=on");
        let client = Client { user: user_name.to_owned(), ..self.client.clone() };
        self.running.with_instance(|there| there.put_client(client));
    }

    /// Registers this client in place of its own, as a setup would have.
    pub(crate) fn register(&mut self, client_id: &str, client_secret: &str) {
        client_id.clone_into(&mut self.client.client_id);
        client_secret.clone_into(&mut self.client.client_secret);
        let client = self.client.clone();
        self.running.with_instance(|there| there.put_client(client));
    }

    /// Changes the client's record, as an administrator can.
    pub(crate) fn change_client(&self, change: impl FnOnce(&mut Client)) {
        let mut client = self.client.clone();
        change(&mut client);
        self.running.with_instance(|there| there.put_client(client));
    }

    /// Sets the `auth_code_lifespan` of the client's record.
    pub(crate) fn let_codes_live(&self, seconds: u32) {
        let client = Client { auth_code_lifespan: seconds, ..self.client.clone() };
        self.running.with_instance(|there| there.put_client(client));
    }

    /// With these knobs, and nothing of ours in its registry.
    pub(crate) fn fresh(knobs: &[&str]) -> Self {
        let instance = Self::with(knobs);
        let id = instance.client.client_id.clone();
        instance.running.with_instance(|there| there.remove_client(&id));
        instance
    }

    /// The next answer for this path, instead of its own.
    pub(crate) fn answer_next(&self, path: &str, status: u16, body: &str) {
        let answer = ::http::Response::builder().status(status).body(body.as_bytes().to_vec());
        self.running.with_instance(|there| there.script(path, answer.unwrap()));
    }

    /// The requests that would have changed its tables, by now.
    pub(crate) fn table_writes(&self) -> Vec<Received> {
        let mut all = self.api_requests();
        all.retain(|request| request.method != "GET");
        all
    }

    /// The clients in its registry.
    pub(crate) fn registered(&self) -> Vec<Client> {
        self.running.with_instance(|there| there.clients())
    }

    /// Puts a client into its registry, in place of one with the same ID.
    pub(crate) fn put(&self, client: Client) {
        self.running.with_instance(|there| there.put_client(client));
    }

    /// A user with this password and these roles.
    pub(crate) fn employ(&self, user_name: &str, password: &str, roles: &[&str]) {
        let user = User {
            user_name: user_name.to_owned(),
            password: password.to_owned(),
            roles: roles.iter().map(|&role| role.to_owned()).collect(),
            ..User::default()
        };
        self.running.with_instance(|there| there.put_user(user));
    }

    /// Lets the client vouch for users by assertions, which this certificate or key verifies.
    pub(crate) fn let_client_sign(&self, key_id: &str, pem: &str) {
        let jwt = Some(JwtEndpoint::default());
        let client = Client { jwt, ..self.client.clone() };
        self.running.with_instance(|there| {
            let client = there.put_client(client);
            there.put_verifier(&client.client_id, key_id, pem);
        });
    }

    /// Turns a knob while it runs.
    pub(crate) fn set(&self, knob: &str) {
        let (name, value) = knob.split_once('=').unwrap();
        self.running.with_instance(|instance| instance.set(name, value)).unwrap();
    }

    /// Somebody else than usual signs in and allows it.
    pub(crate) fn consent_as(&self, user_name: &str, authorization_url: &str) -> String {
        assert!(authorization_url.starts_with(self.running.base_url()), "somebody else's");
        let person = Person { user_name: user_name.to_owned(), ..Person::default() };
        person.decide(authorization_url, Decision::Allow).unwrap()
    }

    /// Ends every token of its client, as an administrator can.
    pub(crate) fn end_all_tokens(&self) {
        self.running.with_instance(|instance| {
            for user in instance.users() {
                instance.revoke_pair(&self.client.client_id, &user.user_name);
            }
        });
    }

    /// Lets time pass there.
    pub(crate) fn pass(&self, time: Duration) {
        let time = jiff::SignedDuration::try_from(time).unwrap();
        self.running.with_clock(|clock| clock.advance(time));
    }
}

impl Instance for StandIn {
    fn origin(&self) -> String {
        self.running.base_url().to_owned()
    }

    fn client_id(&self) -> String {
        self.client.client_id.clone()
    }

    fn client_secret(&self) -> String {
        self.client.client_secret.clone()
    }

    fn redirect_uri(&self) -> String {
        self.client.redirect_urls[0].clone()
    }

    fn consent(&self, authorization_url: &str, consent: Consent) -> String {
        let decision = match consent {
            Consent::Allow => Decision::Allow,
            Consent::Deny => Decision::Deny,
        };
        self.person.decide(authorization_url, decision).unwrap()
    }

    fn received(&self) -> Vec<Received> {
        let all = self.running.requests().into_iter().map(|request| Received {
            method: request.method,
            target: request.target,
            headers: request.headers,
            body: String::from_utf8_lossy(&request.body).into_owned(),
            // It does not write its answers down.
            status: 0,
        });
        all.collect()
    }
}
