//! G36, V17: whatever is made is for its owner only, from the call on that makes it, under any
//! umask, in folders that hand their group down and in folders that hand rights down.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rustix::fs::XattrFlags;

use crate::support::instance::{Instance, PROFILE, first_login, paste, words};
use crate::support::process::{Outcome, Running};
use crate::support::sandbox::Sandbox;
use crate::support::stand_in::StandIn;
use crate::support::wrapped::{require, wrapped};

/// The calls that make something, and those that would mend it too late.
const CALLS: &str = "trace=open,openat,creat,mkdir,mkdirat,mknod,mknodat,chmod,fchmod,fchmodat,\
                     setxattr,fsetxattr";

/// The surroundings: a name, a umask, and what is done to the folder above everything.
type Surroundings = (&'static str, &'static str, fn(&Path));

const ALL: [Surroundings; 5] = [
    ("umask 000", "000", |_| ()),
    ("umask 022", "022", |_| ()),
    ("umask 077", "077", |_| ()),
    ("a folder that hands its group down", "000", |folder| {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o2777)).unwrap();
    }),
    ("a folder that hands rights down", "000", hand_rights_down),
];

/// The default ACL `u::rwx,u:54321:rwx,g::rwx,m::rwx,o::rwx`, as the kernel keeps it.
fn hand_rights_down(folder: &Path) {
    const ALL_RIGHTS: u16 = 7;
    let entries: [(u16, u32); 5] =
        [(0x01, u32::MAX), (0x02, 54_321), (0x04, u32::MAX), (0x10, u32::MAX), (0x20, u32::MAX)];
    let mut bytes = 2_u32.to_le_bytes().to_vec();
    for (tag, id) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(ALL_RIGHTS.to_le_bytes());
        bytes.extend(id.to_le_bytes());
    }
    let name = "system.posix_acl_default";
    let set = rustix::fs::setxattr(folder, name, &bytes, XattrFlags::empty());
    assert!(
        set.is_ok(),
        "the temporary folder keeps no ACLs ({set:?}): set TMPDIR to one that does"
    );
    // It works: what is made without care is open to everybody.
    fs::write(folder.join("control"), "").unwrap();
    let mode = fs::metadata(folder.join("control")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o666, "the default ACL hands nothing down");
    fs::remove_file(folder.join("control")).unwrap();
}

/// Starts the command with that umask; the calls that make files are written to `trace`.
fn start(sandbox: &Sandbox, umask: &str, trace: &Path, arguments: &[String]) -> Running {
    let script = format!("umask {umask}; exec \"$@\"");
    let trace = trace.display().to_string();
    let wrapper =
        ["sh", "-c", &script, "sh", "strace", "-f", "-qq", "-e", CALLS, "-o", trace.as_str()];
    let mut command = wrapped(sandbox, &wrapper, arguments);
    // A folder for the key that is not there yet: it is made as well.
    command.env("SNOWTOKEN_KEY_FILE", sandbox.path("made/for/store.key"));
    Running::start(command)
}

/// What of the trace is not as it should be, and how many files and folders were made.
fn judge(trace: &str) -> (Vec<String>, usize) {
    let mut wrong = Vec::new();
    let mut made = 0;
    for line in trace.lines().filter(|line| !line.contains(" = -1 ")) {
        let is = |call: &str| line.contains(&format!(" {call}("));
        let creates = line.contains("O_CREAT") || line.contains("O_TMPFILE");
        if is("mkdir") || is("mkdirat") {
            made += 1;
            if !line.contains(", 0700)") {
                wrong.push(line.to_owned());
            }
        } else if creates {
            made += 1;
            if !line.contains(", 0600)") {
                wrong.push(line.to_owned());
            }
        } else if !is("open") && !is("openat") && line.contains('(') {
            wrong.push(line.to_owned());
        }
    }
    (wrong, made)
}

fn life(sandbox: &Sandbox, umask: &str, trace: &Path) {
    let instance = StandIn::with(&[]);
    let arguments = first_login(sandbox, &instance);
    let seen = |outcome: Outcome, wanted: &str| {
        outcome.ok();
        let text = fs::read_to_string(trace).unwrap();
        let (wrong, made) = judge(&text);
        assert!(wrong.is_empty(), "umask {umask}, {wanted}: {wrong:#?}");
        assert!(made > 0 && text.contains(wanted), "{wanted} was not seen: {text}");
    };
    seen(paste(start(sandbox, umask, trace, &arguments), &instance), "tokens.db-journal");
    let run = |arguments: &[&str]| start(sandbox, umask, trace, &words(arguments)).finish();
    seen(run(&["refresh", PROFILE]), "locks/p.lock");
    let copy = sandbox.path("files/copy.txt").display().to_string();
    seen(run(&["deliver", PROFILE, "--output", &copy]), "O_TMPFILE");
    // The second time there is something to replace.
    seen(run(&["deliver", PROFILE, "--output", &copy]), "O_TMPFILE");
    seen(run(&["profile", "set", PROFILE, "--refresh-token-lifespan", "30d"]), "O_TMPFILE");
    assert!(instance.token_requests().len() >= 2);
}

#[test]
fn g36_everything_is_made_for_its_owner_only_wherever_it_is_made() {
    require(&["strace", "-V"], "strace");
    for (name, umask, prepare) in ALL {
        let sandbox = Sandbox::new();
        for folder in ["", "files", "home", "tmp"] {
            prepare(&sandbox.path(folder));
        }
        life(&sandbox, umask, &sandbox.path("trace"));
        let mut found = 0;
        let ours = ["keep", "made", "home"].into_iter().flat_map(|name| sandbox.snapshot_of(name));
        let copy = sandbox.snapshot_of("files").into_iter().filter(|(n, _)| n.contains("copy"));
        for (path, entry) in ours.chain(copy) {
            // Handing down a group gives nobody a right.
            let wanted = if entry.is_folder() { 0o700 } else { 0o600 };
            assert_eq!(entry.permissions() & !0o2000, wanted, "{name}: {path}");
            found += 1;
        }
        // Store, locks, configuration, key and its folders, two delivered files.
        assert!(found >= 9, "{name}: {found}");
        assert!(sandbox.credentials().exists());
    }
}

#[test]
fn a_trace_of_a_careless_program_is_found_out() {
    let sandbox = Sandbox::new();
    let trace = sandbox.path("trace");
    let script = "mkdir d; : >f; chmod 600 f";
    let mut strace = sandbox.program("strace");
    strace.args(["-f", "-qq", "-e", CALLS, "-o"]).arg(&trace).args(["sh", "-c", script]);
    Running::start(strace).finish().ok();
    let (wrong, made) = judge(&fs::read_to_string(trace).unwrap());
    assert_eq!((wrong.len(), made), (3, 2), "{wrong:?}");
}
