//! A notification on the person's desktop, where there is one. It is a courtesy: it never holds a
//! secret, takes at most three seconds, and if it cannot be shown, nothing else changes.

use std::time::Duration;

use crate::errand::{self, Errand};

/// How long the desktop may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// Shows a title and a sentence; whether something was there to show it.
pub fn show(title: &str, text: &str) -> bool {
    let Some(errand) = errand(&printable(title), &printable(text)) else { return false };
    match errand.run() {
        Ok(()) => true,
        Err(error) => {
            log::info!("no notification: {error}");
            false
        }
    }
}

/// One line without control characters, of a sensible length.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect()
}

/// freedesktop.org Desktop Notifications, by the program that brings its own bus.
#[cfg(all(unix, not(target_os = "macos")))]
fn errand(title: &str, text: &str) -> Option<Errand> {
    if !errand::has_session_bus() {
        return None;
    }
    // Bodies may hold markup, titles may not.
    let body = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let arguments = ["--app-name=snowtoken", "--icon=dialog-password", "--", title, &body];
    Some(Errand::program(errand::find("notify-send")?, &arguments, PATIENCE))
}

/// The words are arguments of the script, so nothing in them is part of it.
#[cfg(target_os = "macos")]
fn errand(title: &str, text: &str) -> Option<Errand> {
    let script = [
        "-e",
        "on run words",
        "-e",
        "display notification (item 2 of words) with title (item 1 of words)",
        "-e",
        "end run",
    ];
    let arguments = [&script[..], &[title, text]].concat();
    Some(Errand::program(errand::find("osascript")?, &arguments, PATIENCE))
}

/// The words are variables of the script, so nothing in them is part of it.
#[cfg(windows)]
fn errand(title: &str, text: &str) -> Option<Errand> {
    const SCRIPT: &str = "[void][Windows.UI.Notifications.ToastNotificationManager, Windows.UI.Notifications, ContentType = WindowsRuntime]; \
        $xml = [Windows.UI.Notifications.ToastNotificationManager]::GetTemplateContent([Windows.UI.Notifications.ToastTemplateType]::ToastText02); \
        $lines = $xml.GetElementsByTagName('text'); \
        [void]$lines.Item(0).AppendChild($xml.CreateTextNode($env:SNOWTOKEN_TITLE)); \
        [void]$lines.Item(1).AppendChild($xml.CreateTextNode($env:SNOWTOKEN_TEXT)); \
        $app = '{1AC14E77-02E7-4E5D-B744-2EB1AE5198B7}\\WindowsPowerShell\\v1.0\\powershell.exe'; \
        [Windows.UI.Notifications.ToastNotificationManager]::CreateToastNotifier($app).Show([Windows.UI.Notifications.ToastNotification]::new($xml))";
    let arguments = ["-NoProfile", "-NonInteractive", "-WindowStyle", "Hidden", "-Command", SCRIPT];
    let mut errand = Errand::program(errand::find("powershell.exe")?, &arguments, PATIENCE);
    errand.variable("SNOWTOKEN_TITLE", title);
    errand.variable("SNOWTOKEN_TEXT", text);
    Some(errand)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_one_line_of_a_sensible_length() {
        assert_eq!(printable("a\n\u{1b}[31mb\0"), "a  [31mb ");
        assert_eq!(printable(&"x".repeat(1_000)).len(), 300);
    }
}
