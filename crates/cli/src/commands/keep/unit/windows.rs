//! A task of the Windows Task Scheduler (schema version 1.2). It has no environment of its own and
//! replaces `%NAME%` in what it starts, so variables and odd paths go through PowerShell.

use std::fmt::Write as _;

use super::{Unit, xml};

pub(super) fn text(unit: &Unit) -> String {
    // Without a declaration: the shell that writes the file chooses how it is encoded.
    let mut text = String::from(
        "<Task version=\"1.2\" xmlns=\"http://schemas.microsoft.com/windows/2004/02/mit/task\">\n\
         \x20 <RegistrationInfo>\n    <URI>\\snowtoken-keep</URI>\n\
         \x20   <Description>Keeps ServiceNow OAuth tokens alive (snowtoken)</Description>\n  </RegistrationInfo>\n\
         \x20 <Triggers>\n    <LogonTrigger>\n      <Enabled>true</Enabled>\n",
    );
    let user = unit.user.as_deref().map(|user| format!("<UserId>{}</UserId>", xml(user)));
    if let Some(user) = &user {
        let _ = writeln!(text, "      {user}");
    }
    text.push_str(
        "    </LogonTrigger>\n  </Triggers>\n  <Principals>\n    <Principal id=\"Author\">\n",
    );
    if let Some(user) = &user {
        let _ = writeln!(text, "      {user}");
    }
    text.push_str(
        "      <LogonType>InteractiveToken</LogonType>\n      <RunLevel>LeastPrivilege</RunLevel>\n\
         \x20   </Principal>\n  </Principals>\n  <Settings>\n\
         \x20   <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>\n\
         \x20   <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>\n\
         \x20   <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>\n\
         \x20   <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>\n\
         \x20   <RestartOnFailure>\n      <Interval>PT1M</Interval>\n      <Count>10</Count>\n    </RestartOnFailure>\n\
         \x20 </Settings>\n  <Actions Context=\"Author\">\n    <Exec>\n",
    );
    let (command, arguments) = action(unit);
    let _ = writeln!(text, "      <Command>{}</Command>", xml(&command));
    let _ = writeln!(text, "      <Arguments>{}</Arguments>", xml(&arguments));
    text.push_str("    </Exec>\n  </Actions>\n</Task>\n");
    // Two hyphens in a row would end a comment.
    text.push_str(
        "<!-- To install: save this as snowtoken-keep.xml, then in PowerShell\n\
         \x20       Register-ScheduledTask -TaskName snowtoken-keep -Xml (Get-Content -Raw snowtoken-keep.xml)\n\
         \x20       Start-ScheduledTask -TaskName snowtoken-keep\n\
         \x20    A proxy, if you need one, is taken from your user variable HTTPS_PROXY.\n\
         \x20    To remove: Unregister-ScheduledTask -TaskName snowtoken-keep -->\n",
    );
    text
}

/// The program and its arguments, as one command line each.
fn action(unit: &Unit) -> (String, String) {
    let program = unit.program.as_str();
    if unit.variables.is_empty() && !program.contains(['%', '"']) {
        return (format!("\"{program}\""), "keep".to_owned());
    }
    let mut script = String::new();
    for (name, value) in &unit.variables {
        let _ = write!(script, "$env:{name}={}; ", literal(value));
    }
    let _ = write!(script, "& {} keep; exit $LASTEXITCODE", literal(program));
    let arguments = format!("-NoProfile -NonInteractive -WindowStyle Hidden -Command \"{script}\"");
    ("powershell.exe".to_owned(), arguments)
}

/// A text of PowerShell that stands for exactly these characters: single quotes replace nothing,
/// and what the Task Scheduler or the command line would touch is named by its number.
fn literal(text: &str) -> String {
    let mut parts = String::from("('");
    for character in text.chars() {
        match character {
            '%' | '"' | '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}' => {
                let _ = write!(parts, "'+[char]{}+'", u32::from(character));
            }
            '\'' => parts.push_str("''"),
            other => parts.push(other),
        }
    }
    parts.push_str("')");
    parts
}
