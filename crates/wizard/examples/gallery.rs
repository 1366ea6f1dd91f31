//! Writes every page with every sample into a folder: `cargo run -p snowtoken-wizard --example gallery -- FOLDER`.

use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    let folder = PathBuf::from(std::env::args_os().nth(1).unwrap_or_else(|| "gallery".into()));
    std::fs::create_dir_all(&folder)?;
    for (name, html) in snowtoken_wizard::pages::gallery() {
        std::fs::write(folder.join(format!("{name}.html")), html)?;
    }
    Ok(())
}
