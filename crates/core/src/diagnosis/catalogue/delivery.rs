//! Files: what is delivered, taken over and handed over.

macro_rules! delivery_entries {
    ([$next:ident $($then:ident)*] $($before:tt)*) => { $next! { [$($then)*] $($before)*

    OutputUnwritable = "output-unwritable", "the file could not be written", Machine, Failed {
        cause: "Folder missing, no permission, disk full, or something else stands in its place.",
        proof: "The operating system refused; what was there before is untouched, and the tokens are safe in the store.",
        fixes: [Note("name another file, in a folder that is there and that you may write")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    OutputFailed = "output-failed", "standard output could not be written", Machine, Failed {
        cause: "It leads to a file on a full disk, or to something that takes nothing.",
        proof: "The operating system refused; what is stored is untouched.",
        fixes: [Note("check where the output is sent to, then repeat")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    DeliveryDrifted = "delivery-drifted", "the delivered copy is not what is stored now", You, Deadline {
        cause: "The tokens changed after the delivery, or somebody edited the copy.",
        proof: "Fingerprints are compared; no secret is shown.",
        fixes: [Run("snowtoken deliver --output FILE", "writes it again"), Note("after `revoke` or `logout` the copy is dead: delete it")],
        who: "you",
        signs: [],
        rehearsal: Test("a_desk_with_tokens_has_its_own_failures"),
        source: "a rule of snowtoken",
    }
    DeliveryUnfit = "delivery-unfit", "a value does not fit the consumer's form", Instance, Failed {
        cause: "It is too long or holds characters the form cannot take.",
        proof: "Lengths and alphabets of the target are checked before anything is written.",
        fixes: [Run("snowtoken target show NAME", "the limits")],
        who: "your ServiceNow administrator",
        signs: [],
        rehearsal: Test("a_line_break_is_refused"),
        source: "docs/reference/targets.md",
    }
    DeliveryIncomplete = "delivery-incomplete", "the shape needs a value that is not here", You, Failed {
        cause: "The product wants something that these tokens came without, or that is no part of OAuth tokens.",
        proof: "The shape's list of values was compared with what is stored; nothing was written.",
        fixes: [Note("the message names what is missing; another `--format` or `--variant` may do without it"),
            Run("snowtoken login", "gets a token set with everything the instance gives")],
        who: "you",
        signs: [],
        rehearsal: Test("what_would_be_refused_changes_nothing"),
        source: "a rule of snowtoken",
    }
    CodeUsed = "code-used", "the code has been used", You, LoginNeeded {
        cause: "A code is worth tokens once (RFC 6749 §4.1.2). The one that is listed was exchanged by the login; a product that exchanges a code itself needs a fresh one.",
        proof: "The store has the code only because its tokens came for it.",
        fixes: [Note("get a fresh code and leave it unused, and hand it over within a minute"),
            Note("most products take the tokens instead: leave `code` out of `--variant`")],
        who: "the user who signs in",
        signs: [],
        rehearsal: Test("shapes_that_need_a_fresh_code_refuse_a_used_one_and_say_what_helps"),
        source: "RFC 6749 §4.1.2, §10.5",
    }
    TemplateInvalid = "template-invalid", "the template cannot be used", You, Usage {
        cause: "It names a value or filter that does not exist, a `{{` is not closed, or the file cannot be read safely.",
        proof: "The template was read whole before anything was written.",
        fixes: [Note("values are `{{access_token}}`, `{{client_secret|json}}` and so on; the guide to handing over lists them")],
        who: "you",
        signs: [],
        rehearsal: Test("a_name_nobody_knows_leaves_what_was_there"),
        source: "a rule of snowtoken",
    }
    PushFailed = "push-failed", "the product's own program did not take the credentials", You, Failed {
        cause: "The program is not installed, not signed in, or its service refused.",
        proof: "How it ended, and what it said, without the secrets.",
        fixes: [Note("try the command that is shown by hand; nothing here was changed")],
        who: "whoever administers the product",
        signs: [],
        rehearsal: Test("without_the_program_the_command_is_shown_and_only_a_push_fails"),
        source: "a rule of snowtoken",
    }
    ImportUnreadable = "import-unreadable", "the file holds no credentials we know", You, Usage {
        cause: "None of the known shapes fits (lines with labels, .env, JSON, a driver's connection string, a curl command), or something that is needed is not in it.",
        proof: "The file was read whole; nothing was stored.",
        fixes: [Note("the file needs at least an instance, a client ID and a refresh token or access token")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    PlainFileKept = "plain-file-kept", "the plain file was not removed", You, Failed {
        cause: "It is a link, has a second name, belongs to somebody else, was changed meanwhile, or the system refused.",
        proof: "Only the very file that was read is removed, once its secrets are in the store.",
        fixes: [Note("remove it by hand: it holds the secrets in the clear")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    SealedFileDamaged = "sealed-file-damaged", "the sealed file is not what was written", You, Failed {
        cause: "It was cut or changed on the way, or it was never written by `profile export`.",
        proof: "Checksum, form and seal are checked before anything in it is used; nothing was changed.",
        fixes: [Note("copy the file again, as it is; a mail program may have changed its lines"),
            Note("if it is lost: `snowtoken login NAME` on the machine that shall have the tokens")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    SealedFileNewer = "sealed-file-newer", "the sealed file was written by a newer version", You, Failed {
        cause: "The machine it comes from has a newer snowtoken, whose files this one cannot read.",
        proof: "The version stands in the file's second line; nothing was changed.",
        fixes: [Note("install the newer version here, then import the same file")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    SealedFileNotOpened = "sealed-file-not-opened", "the sealed file does not open", You, Failed {
        cause: "Another passphrase or identity is needed, or somebody changed the file on purpose.",
        proof: "The checksum fits, so the file arrived as it is, and the seal does not open; nothing was changed.",
        fixes: [Note("repeat with the passphrase that was typed at the export"),
            Set("--identity FILE", "for a file that was sealed for an age recipient: the identity that belongs to it")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    SealedFileUsed = "sealed-file-used", "that hand-over is over already", You, Usage {
        cause: "The file was imported on this machine before, or a later hand-over has taken its place.",
        proof: "The audit knows the number in its line `Lease`; nothing was changed.",
        fixes: [Run("snowtoken status", "who keeps the tokens now, as far as this machine knows"),
            Set("--force", "imports it all the same: two machines may then refresh the same tokens")],
        who: "you",
        signs: [],
        source: "docs/adr/0007-handing-a-profile-over.md",
    }
    AgeFailed = "age-failed", "the age program did not do what was asked", You, Failed {
        cause: "It is not installed, does not know the recipient or identity, or was not answered in time.",
        proof: "It could not be started, or ended with an error; nothing was changed.",
        fixes: [Note("install age (Debian: age, Homebrew: age, winget: FiloSottile.age), or seal with a passphrase instead"),
            Note("try by hand what it says: `age --help`")],
        who: "you",
        signs: [],
        source: "https://age-encryption.org",
    }
    ProgramNotStarted = "program-not-started", "the program could not be started", You, Failed {
        cause: "It does not exist or may not be executed.",
        proof: "The operating system refused.",
        fixes: [Note("check the name after `--`")],
        who: "you",
        signs: [],
        rehearsal: Test("a_desk_with_tokens_has_its_own_failures"),
        source: "a rule of snowtoken",
    }

    } };
}
