//! Every variable of the environment that is read, with what it does: the reference page is made
//! from this list.

/// A variable of the environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub does: &'static str,
}

macro_rules! variables {
    ($(#[$about:meta])* $list:ident: $($ident:ident = $name:literal, $does:literal;)*) => {
        $(#[doc = $does] pub const $ident: Variable = Variable { name: $name, does: $does };)*
        $(#[$about])*
        pub const $list: &[Variable] = &[$($ident),*];
    };
}

variables! {
    /// All that are read.
    ALL:
    SNOWTOKEN_HOME = "SNOWTOKEN_HOME", "Moves everything the program keeps (configuration, tokens, locks) into one folder.";
    PROFILE = "SNOWTOKEN_PROFILE", "The profile to use when none is named.";
    INSTANCE = "SNOWTOKEN_INSTANCE", "Stands in for `--instance`.";
    CLIENT_ID = "SNOWTOKEN_CLIENT_ID", "Stands in for `--client-id`.";
    CLIENT_SECRET = "SNOWTOKEN_CLIENT_SECRET", "The client secret, where a file is not wanted.";
    ADMIN_USER = "SNOWTOKEN_ADMIN_USER", "Stands in for `--admin-user` of `setup`.";
    ADMIN_PASSWORD = "SNOWTOKEN_ADMIN_PASSWORD", "The administrator's password for `setup`, where a file is not wanted. It is used once and never kept.";
    TARGET = "SNOWTOKEN_TARGET", "Stands in for `--target`.";
    REGION = "SNOWTOKEN_REGION", "Stands in for `--region`.";
    REDIRECT_URI = "SNOWTOKEN_REDIRECT_URI", "Stands in for `--redirect-uri`.";
    CA_FILE = "SNOWTOKEN_CA_FILE", "A file of certificate authorities (PEM) to trust beside the operating system's.";
    KEY_FILE = "SNOWTOKEN_KEY_FILE", "The file that holds the key of the store; the first login makes it. Nothing else is tried then.";
    KEY_COMMAND = "SNOWTOKEN_KEY_COMMAND", "A command that prints the key of the store.";
    PASSPHRASE_FILE = "SNOWTOKEN_PASSPHRASE_FILE", "A file whose first line is the passphrase of the store.";
    EXPORT_PASSPHRASE_FILE = "SNOWTOKEN_EXPORT_PASSPHRASE_FILE", "A file whose first line is the passphrase that `profile export` seals with and `profile import` opens with.";
    LOG = "SNOWTOKEN_LOG", "`error`, `warn`, `info`, `debug` or `trace`: a log on stderr, never with a secret.";
    NO_COLOR = "NO_COLOR", "No colours and no moving lines, whatever its value.";
    TERM = "TERM", "`dumb` means the same.";
    HTTPS_PROXY = "HTTPS_PROXY", "The proxy for https, `http://user:password@proxy:port`.";
    HTTPS_PROXY_LOWER = "https_proxy", "The same; wins over the upper-case form.";
    ALL_PROXY = "ALL_PROXY", "The proxy where `HTTPS_PROXY` is not set.";
    ALL_PROXY_LOWER = "all_proxy", "The same; wins over the upper-case form.";
    NO_PROXY = "NO_PROXY", "Hosts that are reached without a proxy. Loopback addresses always are.";
    NO_PROXY_LOWER = "no_proxy", "The same; wins over the upper-case form.";
    HOME = "HOME", "The person's folder.";
    USERPROFILE = "USERPROFILE", "The person's folder on Windows.";
    USERNAME = "USERNAME", "The person's name on Windows, for `keep --unit windows`.";
    USERDOMAIN = "USERDOMAIN", "The domain of that name.";
    APPDATA = "APPDATA", "Where configuration is kept on Windows.";
    LOCALAPPDATA = "LOCALAPPDATA", "Where data is kept on Windows.";
    XDG_CONFIG_HOME = "XDG_CONFIG_HOME", "Where configuration is kept.";
    XDG_DATA_HOME = "XDG_DATA_HOME", "Where data is kept.";
    XDG_DESKTOP_DIR = "XDG_DESKTOP_DIR", "The desktop, where the credentials file goes.";
    HOOK = "SNOWTOKEN_HOOK", "Set for hooks (see below): what they start runs no hooks of its own.";
    DISPLAY = "DISPLAY", "The desktop whose clipboard `deliver --format form` uses.";
    WAYLAND_DISPLAY = "WAYLAND_DISPLAY", "The same under Wayland.";
    DBUS = "DBUS_SESSION_BUS_ADDRESS", "Where the keyring is asked for; without it the keyring is absent.";
}

variables! {
    /// Those that hooks find besides [`HOOK`], [`PROFILE`], [`INSTANCE`] and [`TARGET`]. Nothing of
    /// them is secret; what is not known is not set.
    HOOKS:
    HOOK_USER = "SNOWTOKEN_USER", "Whose tokens they are, as the instance named them.";
    HOOK_AT = "SNOWTOKEN_AT", "When it happened, RFC 3339, UTC.";
    HOOK_CHANGE = "SNOWTOKEN_CHANGE", "`refreshed`: what is new, in words.";
    HOOK_ACCESS_END = "SNOWTOKEN_ACCESS_TOKEN_EXPIRES_AT", "When the access token ends.";
    HOOK_DEADLINE = "SNOWTOKEN_DEADLINE", "When the refresh token ends: a person must have logged in by then.";
    HOOK_KNOWN_BY = "SNOWTOKEN_DEADLINE_KNOWN_BY", "How that end is known: `stated`, `derived` or `observed`.";
    HOOK_DAYS_LEFT = "SNOWTOKEN_DAYS_LEFT", "Whole days until that end; 0 when it is over or less than a day away.";
    HOOK_THRESHOLD = "SNOWTOKEN_THRESHOLD_DAYS", "`deadline`: the threshold that was crossed: 30, 14, 7, 1, or 0 for the end itself.";
}

variables! {
    /// What the line behind `deliver --reload` finds besides [`HOOK`] (`reload`) and [`PROFILE`].
    RELOADS:
    HOOK_FILE = "SNOWTOKEN_FILE", "`deliver --reload` only: the file that was written.";
}
