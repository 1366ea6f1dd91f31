//! The client's record, made or changed by us: rights, names, and a secret that takes another's place.

macro_rules! setup_entries {
    ([$next:ident $($then:ident)*] $($before:tt)*) => { $next! { [$($then)*] $($before)*

    AdminNotAccepted = "admin-not-accepted", "the instance does not accept the administrator's user name and password", You, Failed {
        cause: "The user name or the password is wrong, the user is locked or inactive, or the instance lets nobody in by user name and password (SSO only).",
        proof: "A call of the Table API with HTTP Basic was answered 401.",
        fixes: [Note("try the same user name and password on the instance's page /side_door.do or /login.do; a password of the company's sign-in (SSO) does not count here"),
            Note("another way needs no password here: `snowtoken setup --background-script`, or `--admin-profile` with an administrator's profile")],
        who: "you",
        signs: [],
        source: "ServiceNow documentation, REST API security; RFC 7617",
    }
    AdminRoleMissing = "admin-role-missing", "this user may not manage OAuth clients", Instance, Failed {
        cause: "Clients are records of the Application Registry, which only users with the role admin or oauth_admin may read and write; some instances want security_admin on top.",
        proof: "A call of the Table API for the client's record was answered 403.",
        fixes: [Note("use a user with the role admin or oauth_admin"),
            Visit("the menu of your user > Elevate role > security_admin", "elevate, where the instance wants it; rights that were elevated hold for that session only, so use `snowtoken setup --background-script` there"),
            Note("or hand `snowtoken setup --checklist` to somebody who may")],
        who: "your ServiceNow administrator",
        signs: [],
        source: "ServiceNow documentation, Create an endpoint for external clients",
    }
    ClientTaken = "client-taken", "that name or client ID belongs to another client", You, Failed {
        cause: "Names and IDs of clients are unique on an instance, and another client has this one; or several clients fit, and none was chosen.",
        proof: "The registry was searched by client ID and by name before anything was written.",
        fixes: [Note("give the new client another name with --name, or say with --client-id which one is meant")],
        who: "you",
        signs: ["was aborted by business rule"],
        source: "ServiceNow documentation, Create an endpoint for external clients",
    }
    ClientExists = "client-exists", "the client is there already, and its secret is not known here", You, Failed {
        cause: "A client of this name was made earlier, by another person or machine. Setting a new secret would end every copy of the old one at once.",
        proof: "The registry has the client, and the store has no secret for it.",
        fixes: [Note("give its secret with --client-secret-file FILE; an administrator sees it behind the lock on the client's form"),
            Set("--rotate-secret", "sets a new secret; every other user of this client must be given it"),
            Set("--name", "makes a client of its own")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    SetupIncomplete = "setup-incomplete", "a part of the client could not be made or changed", Instance, Failed {
        cause: "An access rule, a rule of the instance or a missing right stopped one of the parts; the others are done.",
        proof: "The client's record was read back after the changes.",
        fixes: [Note("do what is said at each part, then run the same command again: it changes only what is still missing")],
        who: "your ServiceNow administrator",
        signs: [],
        source: "a rule of snowtoken",
    }
    SecretNotTaken = "secret-not-taken", "the instance goes on with the old client secret", Instance, Failed {
        cause: "The new secret was not saved on the client's record: it was not changed there, or the instance did not keep what was sent.",
        proof: "A refresh with the new secret was refused, one with the old secret was granted.",
        fixes: [Visit("System OAuth > Application Registry > the client > Client Secret", "an administrator unlocks the field, sets the new secret and saves"),
            Note("nothing is lost: the old secret works, and is stored")],
        who: "your ServiceNow administrator",
        signs: [],
        source: "ServiceNow documentation, Table API; a rule of snowtoken",
    }
    RotationUnfinished = "rotation-unfinished", "a change of the client secret is not finished", You, Failed {
        cause: "The change was interrupted, or a step of it could not be done or proved. Old and new secret are both stored, sealed.",
        proof: "The store holds a second client secret for the profile.",
        fixes: [Run("snowtoken setup --rotate-secret", "goes on where the last run stopped")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }

    } };
}
