//! What this process does not leave behind: no core file with secrets in it, and no access for
//! other processes of the same user that have no special rights. And what it does not die of.

/// Best effort: where the system does not know these, nothing else changes.
pub(crate) fn apply() {
    #[cfg(unix)]
    survive_file_limits();
    // On Linux this ends with `exec`, so programs we start are not touched by it.
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
    #[cfg(all(unix, not(target_os = "linux")))]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};
        let mut limit = getrlimit(Resource::Core);
        limit.current = Some(0);
        let _ = setrlimit(Resource::Core, limit);
    }
}

/// A write beyond `ulimit -f` shall fail like one to a full disk, which is told, and not end the
/// program where it stands. Programs that `exec` starts get the usual behaviour back.
#[cfg(unix)]
fn survive_file_limits() {
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    // Nobody reads the flag: the failed write tells the same.
    let _ =
        signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::new(AtomicBool::new(false)));
}
