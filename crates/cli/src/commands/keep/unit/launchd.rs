//! A launch agent of macOS.

use std::fmt::Write as _;

use super::{Unit, xml};

pub(super) fn text(unit: &Unit) -> String {
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
         <plist version=\"1.0\">\n<dict>\n\
         \t<key>Label</key>\n\t<string>snowtoken.keep</string>\n\
         \t<key>ProgramArguments</key>\n\t<array>\n",
    );
    let _ = writeln!(
        text,
        "\t\t<string>{}</string>\n\t\t<string>keep</string>\n\t</array>",
        xml(&unit.program)
    );
    if !unit.variables.is_empty() {
        text.push_str("\t<key>EnvironmentVariables</key>\n\t<dict>\n");
        for (name, value) in &unit.variables {
            let _ = writeln!(text, "\t\t<key>{name}</key>\n\t\t<string>{}</string>", xml(value));
        }
        text.push_str("\t</dict>\n");
    }
    if let Some(home) = &unit.home {
        let log = xml(&format!("{home}/Library/Logs/snowtoken-keep.log"));
        let _ = writeln!(text, "\t<key>StandardErrorPath</key>\n\t<string>{log}</string>");
    }
    // Octal 077 is 63: property lists know decimal numbers only.
    text.push_str(
        "\t<key>RunAtLoad</key>\n\t<true/>\n\
         \t<key>KeepAlive</key>\n\t<dict>\n\t\t<key>SuccessfulExit</key>\n\t\t<false/>\n\t</dict>\n\
         \t<key>ThrottleInterval</key>\n\t<integer>30</integer>\n\
         \t<key>ExitTimeOut</key>\n\t<integer>60</integer>\n\
         \t<key>ProcessType</key>\n\t<string>Background</string>\n\
         \t<key>Umask</key>\n\t<integer>63</integer>\n\
         </dict>\n</plist>\n",
    );
    // Two hyphens in a row would end a comment.
    text.push_str(
        "<!-- To install: save this as ~/Library/LaunchAgents/snowtoken.keep.plist, then\n\
         \x20       launchctl bootstrap gui/$UID ~/Library/LaunchAgents/snowtoken.keep.plist\n\
         \x20    A proxy, if you need one, goes into EnvironmentVariables as HTTPS_PROXY.\n\
         \x20    To remove: launchctl bootout gui/$UID/snowtoken.keep, and delete the file. -->\n",
    );
    text
}
