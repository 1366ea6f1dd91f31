//! This machine: the store, its key, its locks; and our own bugs.

macro_rules! machine_entries {
    ([$next:ident $($then:ident)*] $($before:tt)*) => { $next! { [$($then)*] $($before)*

    StoreLocked = "store-locked", "the store is in use by another program", Machine, TryLater {
        cause: "Another process holds the database longer than we wait.",
        proof: "The database stayed busy.",
        fixes: [Note("repeat; if it stays so, look which program holds the file open"),
            Note("if there is none, the folder may lie on a network file system whose locks do not work: set SNOWTOKEN_HOME to a folder on a disk of this machine")],
        who: "you",
        signs: ["database is locked"],
        source: "a rule of snowtoken",
    }
    LockTimeout = "lock-timeout", "another process holds the lock of this profile", Machine, TryLater {
        cause: "A login or refresh of the same profile is still running.",
        proof: "The lock was not free in time; it dies with its process.",
        fixes: [Note("repeat when the other command has ended")],
        who: "you",
        signs: [],
        source: "ARCHITECTURE.md",
    }
    LocksUnavailable = "locks-unavailable", "the file system does not keep locks", Machine, Store {
        cause: "The folder lies on a network file system (NFS, SMB, a share of a virtual machine) whose lock service is off, full or does not answer.",
        proof: "The operating system was asked for a lock and refused, or did not answer in time; without it two programs could use one refresh token at once.",
        fixes: [Set("SNOWTOKEN_HOME", "a folder on a disk of this machine, not on a network file system")],
        who: "you",
        signs: ["no locks available"],
        rehearsal: Test("v34_a_file_system_without_locks_is_told_by_its_name"),
        source: "a rule of snowtoken",
    }
    KeeperRunning = "keeper-running", "a keeper is running already", Machine, TryLater {
        cause: "Another `snowtoken keep` looks after the profiles of this home; two would only be in each other's way.",
        proof: "It holds the keeper's lock, which dies with its process.",
        fixes: [Note("nothing needs to be done; to start another one, end the first (`systemctl --user stop snowtoken-keep`, Ctrl-C)")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    StoreDamaged = "store-damaged", "the store is damaged", Machine, Store {
        cause: "The database file is not what was written: disk failure, truncation, or another program wrote to it.",
        proof: "It fails its own checks. It is left as it is, never replaced by an empty one.",
        fixes: [Run("snowtoken doctor", "says what is damaged, and what of it is at hand"),
            Run("snowtoken doctor --restore", "goes back to the last good state; the damaged file is kept")],
        who: "you",
        signs: ["database disk image is malformed", "file is not a database"],
        source: "a rule of snowtoken",
    }
    RestoreRefused = "restore-refused", "nothing was restored", You, Failed {
        cause: "Nothing is damaged, or nobody agreed to go back.",
        proof: "The store was looked through before anything was changed.",
        fixes: [Run("snowtoken doctor", "shows step by step what is well and what is not")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    StoreFull = "store-full", "the disk is full", Machine, Store {
        cause: "There is no room to store tokens durably.",
        proof: "The operating system said so; what was stored before is kept.",
        fixes: [Note("free some space, then repeat; a quota and a limit on the size of files (`ulimit -f`) count as well"),
            Set("SNOWTOKEN_HOME", "another folder on another disk")],
        who: "you",
        signs: ["no space left on device", "database or disk is full"],
        source: "a rule of snowtoken",
    }
    StoreReadOnly = "store-read-only", "the store cannot be written", Machine, Store {
        cause: "The folder or file is read-only for this user.",
        proof: "A test write failed before anything else was done.",
        fixes: [Set("SNOWTOKEN_HOME", "a folder this user may write to")],
        who: "you",
        signs: ["read-only file system", "attempt to write a readonly database"],
        source: "a rule of snowtoken",
    }
    StoreInsecure = "store-insecure", "others can get at the store", Machine, Store {
        cause: "The file or folder belongs to somebody else, or its mode lets others in.",
        proof: "Owner and mode are checked on every use.",
        fixes: [Note("take the rights away from others with `chmod` as the message says, then find out who could read it")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    StoreNewer = "store-newer", "the store was written by a newer version", Machine, Store {
        cause: "A newer snowtoken changed its form.",
        proof: "Its version number is higher than the one we know.",
        fixes: [Note("use the newer version; this one leaves the store as it is")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    StoreConflict = "store-conflict", "somebody else changed the tokens meanwhile", Machine, TryLater {
        cause: "Another process stored a newer token set first.",
        proof: "The generation is not the one that was read.",
        fixes: [Note("repeat: the newer tokens are used")],
        who: "you",
        signs: [],
        rehearsal: Test("a_late_answer_changes_nothing"),
        source: "ARCHITECTURE.md",
    }
    StoreUnreadable = "store-unreadable", "the store cannot be opened", Machine, Store {
        cause: "The operating system refuses, or a path leads nowhere.",
        proof: "The message names file and reason.",
        fixes: [Set("SNOWTOKEN_HOME", "another folder")],
        who: "you",
        signs: ["unable to open database file"],
        source: "a rule of snowtoken",
    }
    KeyMissing = "key-missing", "the key of the store is not there", Machine, Store {
        cause: "The key file is gone, or the keyring has no such entry.",
        proof: "The store exists, its key does not; no new key is made, for it could open nothing.",
        fixes: [Note("bring the key back from where you keep it; without it log in again with a new SNOWTOKEN_HOME")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    KeyWrong = "key-wrong", "that key does not open the store", Machine, Store {
        cause: "Another key file, passphrase or keyring than the one the store was made with.",
        proof: "A sealed check value does not open.",
        fixes: [Note("use the key the store was made with; `snowtoken status` names the kind")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    KeyInvalid = "key-invalid", "that is no key", Machine, Store {
        cause: "The key file or command did not give 32 bytes as text, or others may read it.",
        proof: "Its form and its mode are checked.",
        fixes: [Note("a key file made by snowtoken has mode 0600 and one line")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    KeyNotChosen = "key-not-chosen", "say where the key of the store shall rest", Machine, Store {
        cause: "There is no keyring here that answers, and nothing is ever stored in the clear or with a key chosen silently.",
        proof: "The keyring was asked and did not answer in time.",
        fixes: [Set("SNOWTOKEN_KEY_FILE=PATH", "keeps it in a file that only you can read; it is made by the first login"),
            Set("SNOWTOKEN_KEY_COMMAND=COMMAND", "asks a command for it"),
            Set("--key passphrase", "derives it from a passphrase")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    KeyringUnavailable = "keyring-unavailable", "the keyring of this system does not answer", Machine, Store {
        cause: "It is absent, locked, or hangs: usual on machines without a desktop.",
        proof: "It was asked with a time limit.",
        fixes: [Set("SNOWTOKEN_KEY_FILE=PATH", "keeps the key in a file that only you can read")],
        who: "you",
        signs: ["org.freedesktop.secrets"],
        rehearsal: Test("without_a_bus"),
        source: "a rule of snowtoken",
    }
    MachineExhausted = "machine-exhausted", "this machine gives no more threads, open files or memory", Machine, TryLater {
        cause: "A limit of this program or of the user is reached (`ulimit -a` shows them), or the machine has nothing left to give.",
        proof: "The operating system refused a thread, a file or memory; what is stored is untouched.",
        fixes: [Note("end other programs or raise the limit, then repeat")],
        who: "you",
        signs: ["too many open files", "cannot allocate memory"],
        source: "a rule of snowtoken",
    }
    Bug = "bug", "a bug in snowtoken", Us, Bug {
        cause: "Something happened that should be impossible.",
        proof: "We checked and were wrong.",
        fixes: [Note("please report it with the command and this message; it holds no secret")],
        who: "us",
        signs: [],
        rehearsal: Never("if we knew how, we would mend it"),
        source: "a rule of snowtoken",
    }

    } };
}
