//! The table `[hooks]`.

use toml_edit::Item;

use super::ConfigError;
use crate::hooks::{Hooks, Occasion};

/// Reads it; a key that means nothing is refused, so that a misspelt one is noticed.
pub(super) fn read(item: &Item) -> Result<Hooks, ConfigError> {
    let wrong = |key: &str, reason| ConfigError::Hook { key: format!(".{key}"), reason };
    let table = item
        .as_table_like()
        .ok_or_else(|| ConfigError::Hook { key: String::new(), reason: "it is no table" })?;
    let mut hooks = Hooks::default();
    for (key, item) in table.iter() {
        let occasion = Occasion::ALL.into_iter().find(|occasion| occasion.as_str() == key);
        match (occasion, item.as_str(), item.as_bool()) {
            (Some(_), Some(line), _) if line.trim().is_empty() => {
                return Err(wrong(key, "it is empty; leave the key out instead"));
            }
            (Some(_), Some(line), _) if line.contains('\0') => {
                return Err(wrong(key, "a command cannot hold a NUL"));
            }
            (Some(occasion), Some(line), _) => hooks.set_line(occasion, Some(line.to_owned())),
            (Some(_), None, _) => return Err(wrong(key, "it is no command in quotes")),
            (None, _, Some(notify)) if key == "notify" => hooks.notify = notify,
            (None, _, None) if key == "notify" => {
                return Err(wrong(key, "it is neither true nor false"));
            }
            (None, ..) => return Err(wrong(key, "there is no such key")),
        }
    }
    Ok(hooks)
}
