//! Before anything is sent: the command line, the configuration, the profile.

macro_rules! input_entries {
    ([$next:ident $($then:ident)*] $($before:tt)*) => { $next! { [$($then)*] $($before)*

    Usage = "usage", "the command line does not fit", You, Usage {
        cause: "A flag, value or combination is not one this command takes.",
        proof: "The command line is read before anything else is done.",
        fixes: [Run("snowtoken help", "the flags and an example")],
        who: "you",
        signs: [],
        rehearsal: Command("snowtoken explain nonsense"),
        source: "docs/reference/commands.md",
    }
    ConfigInvalid = "config-invalid", "the configuration file cannot be used", You, Usage {
        cause: "config.toml is no valid TOML, or a value in it is not allowed.",
        proof: "The file is read whole before it is used; the message names line and field.",
        fixes: [Note("mend the named line, or move the file away: it holds no secret, and nothing is written over it")],
        who: "you",
        signs: [],
        source: "a rule of snowtoken",
    }
    InstanceInvalid = "instance-invalid", "that is not an instance we would send secrets to", You, Usage {
        cause: "An instance is a bare name (`classics`), a host, or an https URL without path; http only for loopback addresses.",
        proof: "The text is parsed as browsers do, and refused when the host found differs from the host written.",
        fixes: [Note("give the name in front of .service-now.com, or copy the https address from the browser up to the first slash")],
        who: "you",
        signs: [],
        rehearsal: Command("snowtoken login dev --instance me@here"),
        source: "ServiceNow as documented and observed, docs/quirks.md; RFC 9700 §4.4",
    }
    ProfileUnknown = "profile-unknown", "there is no profile of that name", You, Usage {
        cause: "The name was never used with `login` or `profile import`, or the other home folder is in use.",
        proof: "Neither the configuration nor the store knows the name.",
        fixes: [Run("snowtoken profile list", "the profiles there are"),
            Run("snowtoken login", "make it")],
        who: "you",
        signs: [],
        rehearsal: Command("snowtoken token nobody"),
        source: "a rule of snowtoken",
    }
    ProfileInvalid = "profile-invalid", "that cannot be the name of a profile", You, Usage {
        cause: "Names are 1 to 63 characters of a-z 0-9 . _ - and begin with a letter or digit.",
        proof: "The name is checked before it is used anywhere.",
        fixes: [Note("choose a name such as `dev` or `acme-prod`")],
        who: "you",
        signs: [],
        rehearsal: Command("snowtoken token ../x"),
        source: "a rule of snowtoken",
    }
    ProfileMissing = "profile-missing", "say which profile", You, Usage {
        cause: "Several profiles exist, or none, and no name was given.",
        proof: "With one profile only, or with SNOWTOKEN_PROFILE, the name may be left out.",
        fixes: [Run("snowtoken profile list", "the profiles there are")],
        who: "you",
        signs: [],
        rehearsal: Command("snowtoken token"),
        source: "a rule of snowtoken",
    }
    SettingMissing = "setting-missing", "something needed for this was not given", You, Usage {
        cause: "A value that the profile, the target and the command line leave open.",
        proof: "The message names it.",
        fixes: [Note("give it as a flag, in the environment, or with `snowtoken profile set`")],
        who: "you",
        signs: [],
        rehearsal: Command("snowtoken login dev --no-input"),
        source: "a rule of snowtoken",
    }
    InputNeeded = "input-needed", "an answer is needed, and nobody can be asked", You, Usage {
        cause: "A value is missing and the terminal is absent or --no-input was given.",
        proof: "Prompts need a terminal.",
        fixes: [Note("run it on a terminal and answer, or give the value in another way")],
        who: "you",
        signs: [],
        rehearsal: Command("snowtoken login dev --no-input --instance dev1 --client-id 0123 --region us-west-2"),
        source: "a rule of snowtoken",
    }
    SigningKeyMissing = "signing-key-missing", "the private key that signs assertions is not here", You, Usage {
        cause: "A JWT bearer grant is signed by a private key of the client, and none was given or stored for this instance and client.",
        proof: "The store holds none, and no file was named.",
        fixes: [Run("snowtoken login --key-file FILE", "reads it once and stores it sealed"),
            Note("makes a key, and the certificate that the instance verifies it by: run `openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=snowtoken -days 730 -keyout key.pem -out certificate.pem`")],
        who: "you; an administrator puts the certificate into the instance",
        signs: [],
        rehearsal: Test("what_is_missing_is_named_by_its_flag"),
        source: "RFC 7523 §2.1; ServiceNow documentation, Create an OAuth JWT API endpoint for external clients",
    }
    SigningKeyInvalid = "signing-key-invalid", "that is no private key that can sign assertions", You, Usage {
        cause: "The file holds something else, a key that a passphrase protects, or a kind of key that is not used here: RSA of 2048 to 4096 bits and EC on P-256 are.",
        proof: "The key could not be read; nothing was sent and nothing stored.",
        fixes: [Note("rewrites a private key in the form that is read, and takes a passphrase off it: run `openssl pkcs8 -topk8 -nodes -in KEY -out key.pem`"),
            Note("makes another one, with its certificate: run `openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=snowtoken -days 730 -keyout key.pem -out certificate.pem`")],
        who: "you",
        signs: [],
        rehearsal: Test("a_key_that_cannot_be_used_is_told_before_anything_is_sent"),
        source: "RFC 5208; RFC 7517; RFC 7518 §3.1",
    }
    RedirectUriInvalid = "redirect-uri-invalid", "that redirect URI cannot be used", You, Usage {
        cause: "A redirect URI is an absolute URL without fragment and user information: https, or http on a loopback address.",
        proof: "It is parsed before anything is sent.",
        fixes: [Note("copy it from the client's Redirect URL field, character by character")],
        who: "you",
        signs: [],
        rehearsal: Command("snowtoken login dev --instance dev1 --client-id 0123 --redirect-uri ftp://x/"),
        source: "RFC 6749 §3.1.2, RFC 8252 §7.3",
    }
    TargetFileInvalid = "target-file-invalid", "a file of targets cannot be used", You, Usage {
        cause: "A file of your own in the folder `targets` beside config.toml is no valid TOML, says something that cannot be, or could have been written by somebody else.",
        proof: "It is read whole before it is used; the message names file, target and field. It decides where codes are sent, so nobody else may write it.",
        fixes: [Run("snowtoken target path", "names the folder"),
            Run("snowtoken target check FILE", "says what is wrong with a file, or what it understood"),
            Note("mend the file, or move it out of the folder: nothing is written over it")],
        who: "you",
        signs: [],
        rehearsal: Test("broken_files_are_refused_with_the_exact_reason_by_us_and_by_the_schema"),
        source: "a rule of snowtoken, docs/guides/your-own-target.md",
    }
    TargetPreparesOnly = "target-prepares-only", "this product gets its tokens itself, or takes none", You, Usage {
        cause: "The product takes a client ID and secret and asks for consent itself, or takes a user's name and password: a token that was got here would be of no use to it.",
        proof: "`snowtoken target show` tells what each product takes, and how sure that is.",
        fixes: [Run("snowtoken setup --checklist --target TARGET", "makes the client on the instance, step by step"),
            Run("snowtoken target show TARGET", "what the product asks for, and what its user needs"),
            Run("snowtoken profile add NAME --target TARGET --instance INSTANCE --client-id ID", "keeps the client, checked, once it is made"),
            Run("snowtoken deliver", "hands over exactly the fields of the product's form"),
            Note("for a token of your own use another target, such as custom")],
        who: "you",
        signs: [],
        rehearsal: Command("snowtoken login dev --instance dev1 --client-id 0123 --target grafana"),
        source: "docs/reference/targets.md; RFC 9700 §2.4 for the user's password",
    }
    RegionUnknown = "region-unknown", "that product is not offered in this region", You, Usage {
        cause: "The target works in a closed list of regions.",
        proof: "The list is part of the target.",
        fixes: [Run("snowtoken target show NAME", "the regions there are")],
        who: "you",
        signs: [],
        rehearsal: Command("snowtoken login dev --instance dev1 --client-id 0123 --region mars-north-1"),
        source: "docs/reference/targets.md",
    }
    PortBusy = "port-busy", "the port of the redirect URI is in use", Machine, Failed {
        cause: "Another program, perhaps another login, listens on the port that the redirect URI names.",
        proof: "The listener could not be opened; it is opened before the browser.",
        fixes: [Note("end the other program, or register another redirect URI with a free port: the port is part of what the instance compares")],
        who: "you",
        signs: [],
        source: "RFC 8252 §8.3",
    }

    } };
}
