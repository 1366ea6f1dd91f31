//! What this process does not leave behind: no core file with secrets in it, and no access for
//! other processes of the same user that have no special rights.

/// Best effort: where the system does not know these, nothing else changes.
pub(crate) fn apply() {
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
