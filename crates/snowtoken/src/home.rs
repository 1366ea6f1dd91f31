//! Where everything is kept.

use std::path::PathBuf;

use snowtoken_core::diagnosis::{Code, Diagnose};

use crate::variables;
use crate::world::Environment;

/// The places of this person's configuration and data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// `config.toml`: profiles, no secrets.
    pub config_file: PathBuf,
    /// The folder of the database and the locks.
    pub data: PathBuf,
}

/// There is no folder to keep anything in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("neither SNOWTOKEN_HOME nor a home folder is set")]
pub struct HomeError;

impl Diagnose for HomeError {
    fn code(&self) -> Code {
        Code::SettingMissing
    }
}

impl Home {
    /// `SNOWTOKEN_HOME` moves everything into one folder; otherwise the platform's usual folders.
    ///
    /// # Errors
    /// If no variable names a folder.
    pub fn find(environment: &Environment) -> Result<Self, HomeError> {
        if let Some(folder) = environment.path(&variables::SNOWTOKEN_HOME) {
            // A folder of our own below it: the one that was named may be open to others.
            let data = folder.join("store");
            return Ok(Self { config_file: folder.join("config.toml"), data });
        }
        let folder = |variable: &variables::Variable, below_home: &str| {
            environment
                .path(variable)
                .filter(|path| path.is_absolute())
                .or_else(|| Some(environment.home_folder()?.join(below_home)))
                .map(|path| path.join("snowtoken"))
                .ok_or(HomeError)
        };
        let (config, data) = if cfg!(windows) {
            (
                folder(&variables::APPDATA, "AppData/Roaming")?,
                folder(&variables::LOCALAPPDATA, "AppData/Local")?,
            )
        } else {
            (
                folder(&variables::XDG_CONFIG_HOME, ".config")?,
                folder(&variables::XDG_DATA_HOME, ".local/share")?,
            )
        };
        Ok(Self { config_file: config.join("config.toml"), data })
    }

    /// The database.
    pub fn database(&self) -> PathBuf {
        self.data.join("tokens.db")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_variable_moves_everything() {
        let environment =
            Environment::of(&[(&variables::SNOWTOKEN_HOME, "/s"), (&variables::HOME, "/h")]);
        let home = Home::find(&environment).unwrap();
        assert_eq!((home.config_file, home.data), ("/s/config.toml".into(), "/s/store".into()));
        assert_eq!(Home::find(&Environment::of(&[])), Err(HomeError));
    }

    #[cfg(all(unix, not(target_os = "windows")))]
    #[test]
    fn otherwise_the_usual_folders() {
        let environment =
            Environment::of(&[(&variables::HOME, "/h"), (&variables::XDG_DATA_HOME, "/d")]);
        let home = Home::find(&environment).unwrap();
        assert_eq!(
            (home.config_file, home.data),
            ("/h/.config/snowtoken/config.toml".into(), "/d/snowtoken".into())
        );
    }
}
