//! A user unit of systemd.

use std::fmt::Write as _;

use super::Unit;

/// What a keeper never needs. The rest is left to the hooks, which run in the same unit and may be
/// any program: so no rule against code that is made at run time, and no closed list of calls.
const HARDENING: &str = "\
UMask=0077
LimitCORE=0
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
";

pub(super) fn text(unit: &Unit) -> String {
    let mut text = String::from(
        "[Unit]\n\
         Description=Keeps ServiceNow OAuth tokens alive (snowtoken)\n\
         StartLimitIntervalSec=600\n\
         StartLimitBurst=10\n\n\
         [Service]\n\
         Type=exec\n",
    );
    let _ = writeln!(text, "ExecStart={} keep", program(&unit.program));
    text.push_str("ExecReload=/bin/kill -HUP $MAINPID\n");
    for (name, value) in &unit.variables {
        let _ = writeln!(text, "Environment={}", quoted(&format!("{name}={value}")));
    }
    // 2: wrong configuration, 6: the store or its key; both wait for a person.
    text.push_str(
        "Restart=on-failure\n\
         RestartSec=30\n\
         RestartPreventExitStatus=2 6\n\
         KillMode=mixed\n\
         TimeoutStopSec=60\n",
    );
    text.push_str(HARDENING);
    text.push_str("\n[Install]\nWantedBy=default.target\n\n");
    text.push_str(
        "# To install: save this as ~/.config/systemd/user/snowtoken-keep.service, then\n\
         #   systemctl --user daemon-reload\n\
         #   systemctl --user enable --now snowtoken-keep.service\n\
         # To see what it does: journalctl --user -u snowtoken-keep -f\n\
         # To keep it running when you are not logged in: loginctl enable-linger\n\
         # A proxy, if you need one: systemctl --user edit snowtoken-keep, and there\n\
         #   [Service]\n\
         #   Environment=HTTPS_PROXY=http://proxy:8080\n\
         # To remove: systemctl --user disable --now snowtoken-keep.service, and delete the file.\n",
    );
    text
}

/// systemd starts no program whose name holds quotes or backslashes; `env` does. Of arguments it
/// replaces `$`, of the program's name it does not.
fn program(path: &str) -> String {
    if path.contains(['"', '\'', '\\']) {
        format!("/usr/bin/env {}", quoted(&path.replace('$', "$$")))
    } else {
        quoted(path)
    }
}

/// One word: in quotes, with what systemd would replace written twice.
fn quoted(text: &str) -> String {
    let mut word = String::with_capacity(text.len() + 2);
    word.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                word.push('\\');
                word.push(character);
            }
            '%' => word.push_str("%%"),
            other => word.push(other),
        }
    }
    word.push('"');
    word
}
