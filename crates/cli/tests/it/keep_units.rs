//! What `keep --unit` prints, judged by the programs it is for, or by parsers of others.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::sandbox::{BINARY, Sandbox};

/// Folder names that somebody may have, each in its own way a trap.
const HOSTILE: [&str; 6] = [
    "a b  c",
    "100 %h %HOME%",
    "it's \"quoted\"",
    "R&D <x>; $HOME ${HOME} `id`",
    "back\\slash",
    "Größe ’ --x",
];

/// The program, at a place of that name, and what it prints when everything lies in such a place.
struct Placed {
    sandbox: Sandbox,
    program: PathBuf,
    home: PathBuf,
}

impl Placed {
    fn new(name: &str) -> Self {
        let sandbox = Sandbox::new();
        let folder = sandbox.path(name);
        fs::create_dir(&folder).unwrap();
        let program = folder.join("snow token");
        fs::hard_link(BINARY, &program).or_else(|_| fs::copy(BINARY, &program).map(drop)).unwrap();
        let home = folder.join("ho me");
        Self { sandbox, program, home }
    }

    fn prints(&self, system: &str) -> String {
        let mut command = self.sandbox.program(&self.program);
        command.args(["keep", "--unit", system]).env("SNOWTOKEN_HOME", &self.home);
        command.env("USERDOMAIN", "CORP").env("USERNAME", "A & B");
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert_eq!(output.stderr, b"");
        String::from_utf8(output.stdout).unwrap()
    }

    fn saved(&self, name: &str, text: &str) -> PathBuf {
        self.sandbox.file(name, text)
    }
}

/// systemd's own judge: nothing to complain about, the program found and executable.
fn systemd(placed: &Placed, unit: &Path) -> Result<(), String> {
    let runtime = placed.sandbox.path("run");
    fs::create_dir_all(&runtime).unwrap();
    let mut command = Command::new("systemd-analyze");
    command.args(["verify", "--user"]).arg(unit).env("XDG_RUNTIME_DIR", runtime);
    let output = command.output().unwrap_or_else(|error| {
        panic!("systemd-analyze: {error}; `cargo xtask setup` installs it")
    });
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() && said.is_empty() { Ok(()) } else { Err(said) }
}

/// What a Python program makes of a file and some words.
fn python(program: &str, arguments: &[&Path]) -> String {
    let mut command = Command::new("python3");
    command.args(["-I", "-c", program]).args(arguments);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn systemd_takes_the_unit_whatever_the_path() {
    for name in HOSTILE {
        let placed = Placed::new(name);
        let text = placed.prints("systemd");
        let unit = placed.saved("snowtoken-keep.service", &text);
        assert_eq!(systemd(&placed, &unit), Ok(()), "{text}");
        assert!(text.contains("# To install:") && text.contains("# To remove:"), "{text}");
    }
}

#[test]
fn systemd_would_notice() {
    let placed = Placed::new("100 %h");
    let text = placed.prints("systemd");
    for (good, bad) in
        [("%%h", "%h"), ("RestartSec=30", "RestartSec=soon"), ("snow token", "snowtoken")]
    {
        assert!(text.contains(good), "{text}");
        let unit = placed.saved("snowtoken-bad.service", &text.replace(good, bad));
        assert!(systemd(&placed, &unit).is_err(), "{bad}");
    }
}

#[test]
fn a_plist_reader_finds_program_and_variables() {
    const READ: &str = "import plistlib, sys; p = plistlib.load(open(sys.argv[1], 'rb')); \
        assert p['ProgramArguments'] == [sys.argv[2], 'keep'], p; \
        assert p['EnvironmentVariables']['SNOWTOKEN_HOME'] == sys.argv[3], p; \
        assert p['RunAtLoad'] is True and p['KeepAlive'] == {'SuccessfulExit': False}; \
        assert p['Label'] == 'snowtoken.keep' and p['Umask'] == 0o077; print('good')";
    for name in HOSTILE {
        let placed = Placed::new(name);
        let file = placed.saved("snowtoken.keep.plist", &placed.prints("launchd"));
        let program = fs::canonicalize(&placed.program).unwrap();
        assert_eq!(python(READ, &[&file, &program, &placed.home]), "good\n", "{name}");
    }
}

/// The elements that the schema knows (Task Scheduler schema 1.2), in a parser of others.
const TASK: &str = r#"
import sys, re, xml.etree.ElementTree as E
t = E.parse(sys.argv[1]).getroot()
ns = '{http://schemas.microsoft.com/windows/2004/02/mit/task}'
assert t.tag == ns + 'Task' and t.get('version') == '1.2', t.tag
known = {
 'Task': ['RegistrationInfo', 'Triggers', 'Principals', 'Settings', 'Actions'],
 'RegistrationInfo': ['URI', 'Description'], 'Triggers': ['LogonTrigger'],
 'LogonTrigger': ['Enabled', 'UserId'], 'Principals': ['Principal'],
 'Principal': ['UserId', 'LogonType', 'RunLevel'],
 'Settings': ['MultipleInstancesPolicy', 'DisallowStartIfOnBatteries', 'StopIfGoingOnBatteries',
              'ExecutionTimeLimit', 'RestartOnFailure'],
 'RestartOnFailure': ['Interval', 'Count'], 'Actions': ['Exec'], 'Exec': ['Command', 'Arguments']}
def walk(e):
    name = e.tag.removeprefix(ns)
    children = [c.tag.removeprefix(ns) for c in e]
    assert children == known.get(name, []), (name, children)
    for c in e: walk(c)
walk(t)
get = lambda path: t.find('/'.join(ns + p for p in path.split('/'))).text
assert get('Triggers/LogonTrigger/UserId') == 'CORP\\A & B'
assert re.fullmatch(r'PT\d+[SMH]', get('Settings/ExecutionTimeLimit'))
assert t.find(ns + 'Actions').get('Context') == t.find(f'{ns}Principals/{ns}Principal').get('id')
def literal(text):
    # PowerShell: ('…'+[char]37+'…'): single quotes, doubled inside, and characters by number.
    out, parts = '', re.findall(r"'((?:[^'\u2018\u2019\u201a\u201b]|'')*)'|\[char\](\d+)", text)
    for plain, number in parts: out += chr(int(number)) if number else plain.replace("''", "'")
    return out
command, arguments = get('Actions/Exec/Command'), get('Actions/Exec/Arguments')
assert command == 'powershell.exe', command
assert '%' not in arguments, arguments
script = re.fullmatch(r'-NoProfile -NonInteractive -WindowStyle Hidden -Command "([^"]*)"', arguments)[1]
found = dict(re.findall(r"\$env:(\w+)=(\((?:'(?:[^']|'')*'|\+|\[char\]\d+)*\)); ", script))
assert literal(found['SNOWTOKEN_HOME']) == sys.argv[3], (found, sys.argv[3])
program = re.search(r"& (\((?:'(?:[^']|'')*'|\+|\[char\]\d+)*\)) keep; exit \$LASTEXITCODE$", script)[1]
assert literal(program) == sys.argv[2], (program, sys.argv[2])
print('good')
"#;

#[test]
fn the_task_is_well_formed_and_says_what_it_should() {
    for name in HOSTILE {
        let placed = Placed::new(name);
        let file = placed.saved("snowtoken-keep.xml", &placed.prints("windows"));
        let program = fs::canonicalize(&placed.program).unwrap();
        assert_eq!(python(TASK, &[&file, &program, &placed.home]), "good\n", "{name}");
    }
}

#[test]
fn a_path_that_no_unit_can_hold_is_refused() {
    let placed = Placed::new("line\nbreak");
    let mut command = placed.sandbox.program(&placed.program);
    let output = command.args(["keep", "--unit", "systemd"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("cannot stand in a unit: it has control characters"), "{said}");
}
