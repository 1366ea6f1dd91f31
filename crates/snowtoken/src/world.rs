//! Every effect of the surroundings in one value: the clock, the dice, the environment, the
//! network, the browser. It is built in `main` and in tests, nowhere else; everything below takes
//! it as an argument.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use snowtoken_core::diagnosis::{Code, Diagnose};

use crate::browser::{Browser, SystemBrowser};
use crate::http::{HttpOptions, HttpTransport, Proxies, Transport};
use crate::variables::{self, Variable};

/// Tells the wall time. Tokens outlive processes, so there is no other time here.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
    /// Waits; a test's clock moves itself instead.
    fn sleep(&self, duration: std::time::Duration);
}

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn sleep(&self, duration: std::time::Duration) {
        std::thread::sleep(duration);
    }
}

/// The operating system gave no random bytes: nothing secret can be made.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the operating system gives no random bytes: {0}")]
pub struct EntropyError(pub String);

impl Diagnose for EntropyError {
    fn code(&self) -> Code {
        Code::Bug
    }
}

/// Fills a buffer with random bytes, or fails.
pub type Dice = fn(&mut [u8]) -> Result<(), EntropyError>;

/// The surroundings. See the [module](self).
#[derive(Clone)]
pub struct World {
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub dice: Dice,
    /// The documented variables that are set.
    pub environment: Environment,
    /// What carries requests.
    pub transport: Arc<dyn Transport>,
    /// What opens a URL for the person.
    pub browser: Arc<dyn Browser>,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("environment", &self.environment).finish_non_exhaustive()
    }
}

impl World {
    /// The real one. `ca_file` is the command line's `--ca-file`, which the environment's
    /// `SNOWTOKEN_CA_FILE` stands in for. Nothing is opened or started here.
    pub fn real(ca_file: Option<PathBuf>) -> Self {
        let environment = Environment::read();
        let ca_file = ca_file.or_else(|| environment.path(&variables::CA_FILE));
        let options = HttpOptions { proxies: environment.proxies(), ca_file };
        Self {
            clock: Arc::new(SystemClock),
            dice: system_dice,
            transport: Arc::new(HttpTransport::new(options)),
            browser: Arc::new(SystemBrowser),
            environment,
        }
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// The operating system's random numbers.
///
/// # Errors
/// If it has none, which must stop whatever needs them.
pub fn system_dice(buffer: &mut [u8]) -> Result<(), EntropyError> {
    getrandom::fill(buffer).map_err(|error| EntropyError(error.to_string()))
}

/// The variables of the environment that mean something here, read once.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<&'static str, String>);

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Some hold secrets; the names are enough.
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Environment {
    /// Reads the documented variables; empty ones count as not set.
    pub fn read() -> Self {
        let set = variables::ALL.iter().filter_map(|variable| {
            let value = std::env::var_os(variable.name)?.into_string().ok()?;
            (!value.is_empty()).then_some((variable.name, value))
        });
        Self(set.collect())
    }

    /// An environment for tests.
    pub fn of(pairs: &[(&Variable, &str)]) -> Self {
        Self(pairs.iter().map(|(variable, value)| (variable.name, (*value).to_owned())).collect())
    }

    /// The value of a variable, if it is set and not empty.
    pub fn get(&self, variable: &Variable) -> Option<&str> {
        self.0.get(variable.name).map(String::as_str)
    }

    /// The value as a path.
    pub fn path(&self, variable: &Variable) -> Option<PathBuf> {
        self.get(variable).map(PathBuf::from)
    }

    /// The proxies it names; lower case wins, as in other programs.
    fn proxies(&self) -> Proxies {
        let either =
            |lower: &Variable, upper: &Variable| self.get(lower).or_else(|| self.get(upper));
        Proxies {
            https: either(&variables::HTTPS_PROXY_LOWER, &variables::HTTPS_PROXY)
                .or_else(|| either(&variables::ALL_PROXY_LOWER, &variables::ALL_PROXY))
                .map(str::to_owned),
            no: either(&variables::NO_PROXY_LOWER, &variables::NO_PROXY).map(str::to_owned),
        }
    }

    /// The person's home folder.
    pub fn home_folder(&self) -> Option<PathBuf> {
        self.path(&variables::HOME).or_else(|| self.path(&variables::USERPROFILE))
    }

    /// The person's desktop, if there is one.
    pub fn desktop(&self) -> Option<PathBuf> {
        let folder = self
            .path(&variables::XDG_DESKTOP_DIR)
            .or_else(|| Some(self.home_folder()?.join("Desktop")))?;
        is_folder(&folder).then_some(folder)
    }
}

fn is_folder(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|meta| meta.is_dir())
}
