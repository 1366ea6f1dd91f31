//! Runs hooks and shows notifications beside the keeper, so that one that hangs holds up neither a
//! refresh nor the hooks of other profiles.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use snowtoken::delivery::follow::{Followed, Follower};
use snowtoken::hooks::{self, Happening, Hooks, Observer};
use snowtoken::notification;

use crate::app::tell_and_reload;
use crate::output;

/// Hooks of different profiles that run at a time; those of one profile run one after another.
const LANES: usize = 4;

/// So many messages wait in a lane; what comes then is left out, and that is said.
const WAITING: usize = 256;

/// When the keeper ends, what is under way or waiting may take this long.
const LAST_WAIT: Duration = Duration::from_secs(10);

enum Message {
    Hook(Happening),
    Notice(String, String),
    Reload(Followed),
}

/// The lanes.
pub(super) struct Messenger {
    lanes: Mutex<Vec<SyncSender<Message>>>,
    hooks: Arc<Mutex<Option<Hooks>>>,
    /// Whether a flag allows notifications, and whether the configuration does.
    may_notify: bool,
    wants_notices: AtomicBool,
    /// Closed when every lane has ended.
    ended: Mutex<Option<Receiver<()>>>,
}

impl Messenger {
    pub(super) fn new(may_notify: bool) -> Self {
        let hooks = Arc::<Mutex<Option<Hooks>>>::default();
        let (alive, ended) = channel();
        let mut lanes = Vec::new();
        for _ in 0..LANES {
            let (lane, messages) = sync_channel(WAITING);
            let (hooks, alive) = (hooks.clone(), alive.clone());
            let work = move || {
                deliver(&messages, &hooks);
                drop(alive);
            };
            if thread::Builder::new().name("hooks".to_owned()).spawn(work).is_ok() {
                lanes.push(lane);
            }
        }
        Self {
            lanes: Mutex::new(lanes),
            hooks,
            may_notify,
            wants_notices: AtomicBool::new(true),
            ended: Mutex::new(Some(ended)),
        }
    }

    /// From now on these hooks, and notifications or none.
    pub(super) fn configure(&self, hooks: Option<Hooks>, notify: bool) {
        *self.hooks.lock().unwrap_or_else(PoisonError::into_inner) = hooks;
        self.wants_notices.store(notify, Ordering::Relaxed);
    }

    /// Whoever tells it what happened has the hook run.
    pub(super) fn observer(self: &Arc<Self>) -> Observer {
        let messenger = self.clone();
        Arc::new(move |happening| {
            let hooks = messenger.hooks.lock().unwrap_or_else(PoisonError::into_inner);
            let is_wanted =
                hooks.as_ref().is_some_and(|hooks| hooks.line(happening.occasion()).is_some());
            drop(hooks);
            if is_wanted {
                let mut hasher = DefaultHasher::new();
                happening.profile.hash(&mut hasher);
                messenger.send(hasher.finish(), Message::Hook(happening));
            }
        })
    }

    /// Whoever tells it what followed the tokens has the person's own line run.
    pub(super) fn follower(self: &Arc<Self>, may_run: bool) -> Follower {
        let messenger = self.clone();
        Arc::new(move |followed| {
            let mut hasher = DefaultHasher::new();
            followed.profile.hash(&mut hasher);
            if followed.result.is_err() {
                let _ = tell_and_reload(&followed, false);
            } else if may_run && followed.reload.is_some() {
                messenger.send(hasher.finish(), Message::Reload(followed));
            }
        })
    }

    /// Shows a notification, if there is something to show it on.
    pub(super) fn notify(&self, title: String, text: String) {
        if self.may_notify && self.wants_notices.load(Ordering::Relaxed) {
            self.send(0, Message::Notice(title, text));
        }
    }

    fn send(&self, lane: u64, message: Message) {
        let lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let count = lanes.len() as u64;
        let Some(lane) = lane.checked_rem(count).and_then(|n| lanes.get(usize::try_from(n).ok()?))
        else {
            return;
        };
        if let Err(TrySendError::Full(_)) = lane.try_send(message) {
            output::say("warning: hooks take longer than things happen: one was left out");
        }
    }

    /// Waits for what is under way, within limits.
    pub(super) fn finish(&self) {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner).clear();
        hooks::hurry();
        if let Some(ended) = self.ended.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = ended.recv_timeout(LAST_WAIT);
        }
    }
}

fn deliver(messages: &Receiver<Message>, hooks: &Mutex<Option<Hooks>>) {
    while let Ok(message) = messages.recv() {
        match message {
            Message::Hook(happening) => {
                let hooks = hooks.lock().unwrap_or_else(PoisonError::into_inner).clone();
                if let Some(Err(error)) = hooks.map(|hooks| hooks.run(&happening)) {
                    output::say(format!("warning: {error}"));
                }
            }
            Message::Reload(followed) => {
                if let Err(error) = tell_and_reload(&followed, true) {
                    output::say(format!("warning: {error}"));
                }
            }
            Message::Notice(title, text) => {
                notification::show(&title, &text);
            }
        }
    }
}
