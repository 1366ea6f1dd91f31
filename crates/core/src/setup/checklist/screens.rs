//! The two screens of an instance on which a client is made, step by step.
//! Sources: ServiceNow documentation, "Create an endpoint for clients to access the instance" and
//! "Configure an OAuth authorization code grant"; confidence in `docs/quirks.md`.

use super::{ChecklistWish, Release, Section, Step, Words};
use crate::oauth::redirect::RedirectUri;
use crate::target::Class;

/// The sections for the release: the usual screen first. One of them is done, not both.
pub(super) fn all(wish: &ChecklistWish<'_>) -> Vec<Section> {
    if wish.target.class == Class::JwtBearer {
        return vec![jwt(wish)];
    }
    let mut sections = match wish.release {
        Some(Release::Xanadu) => return vec![classic(wish, "The client")],
        Some(Release::Yokohama) => vec![
            classic(wish, "The client, on the classic screen"),
            newer(wish, "Or: the client, on the new screen"),
        ],
        Some(Release::Zurich | Release::Australia) | None => vec![
            newer(wish, "The client, on the new screen"),
            classic(wish, "Or: the client, on the classic screen"),
        ],
    };
    let hint = match wish.release {
        Some(Release::Yokohama) => {
            "Do this or the next section, not both. Later patches of Yokohama have the new screen as well."
        }
        Some(_) => "Do this or the next section, not both: the result is the same.",
        None => {
            "Do this or the next section, not both: the result is the same. Take this one if your instance has \
             **Machine Identity Console**: Zurich, Australia, and later patches of Yokohama."
        }
    };
    if let Some(first) = sections.first_mut() {
        first.about.insert(0, hint.into());
    }
    sections
}

/// Machine Identity Console.
fn newer(wish: &ChecklistWish<'_>, title: &str) -> Section {
    let plan = wish.plan;
    let kind = match wish.target.class {
        Class::ClientCredentials => "Choose the entry **OAuth** for the client credentials grant.",
        Class::Password => "Choose the entry **OAuth** for the resource owner password grant.",
        _ => "Choose **OAuth - Authorization code grant**.",
    };
    let open = "Open **Machine Identity Console > Inbound integrations** and press **New integration**. It is also at \
                **System OAuth > Inbound Integrations**, and in **Application Registry > New** as **New Inbound \
                Integration Experience**.";
    let provider = wish.target.title.split(" (").next().unwrap_or(&wish.target.title);
    let mut section = Section::new(title)
        .step(Step::new(open).link(wish.registry()))
        .step(Step::new(kind))
        .step(
            Step::new("Fill in the names. The provider is any text that tells you later whom this is for.")
                .value("Name", plan.name.as_str())
                .value("Provider name", provider),
        );
    if wish.is_code() {
        section = section.step(redirects(wish, "Redirect URLs"));
    }
    section = section
        .step(
            Step::new("Copy **Client ID** and **Client secret** to a safe place before you save.")
                .trap("The eye beside the secret shows it again later; if your release does not, make a new one."),
        )
        .step(flags())
        .step(
            lifespans(wish, "In **Advanced options**, leave **Token Format** at **Opaque** and set the lifespans.")
        );
    if let Some(step) = owner(wish) {
        section = section.step(step);
    }
    section.step(auth_scope(wish)).step(broad(wish)).step(more_scopes(wish))
}

fn flags() -> Step {
    Step::new("Leave **This is a public client** and **Always use PKCE** off.").trap(
        "With one of them on, a product that has a secret and sends no PKCE gets no tokens. snowtoken itself sends \
         PKCE in any case.",
    )
}

fn auth_scope(wish: &ChecklistWish<'_>) -> Step {
    let step = Step::new("**Auth scope**: choose `useraccount`, then save. If the screen asks for a scope all the same, press **Skip for now**.")
        .trap("`useraccount` comes with the platform: choose it, never make another of that name. It means everything the user may do.");
    if wish.plan.scopes.iter().any(|scope| scope == "useraccount") {
        step.value("Auth scope", "useraccount")
    } else {
        step
    }
}

fn broad(wish: &ChecklistWish<'_>) -> Step {
    Step::new(
        "Open the record again and untick **Allow access only to APIs in selected scope** (it is then \
         broadly scoped). Save.",
    )
    .link(wish.client())
    .trap(
        "Left ticked, you get tokens, and every call with them is refused: 403 `Access to unscoped api is not allowed`. \
         Which APIs the product calls is its own business.",
    )
}

/// The token endpoint of some releases looks at the older list.
fn more_scopes(wish: &ChecklistWish<'_>) -> Step {
    let scopes = wish.plan.scopes.iter().map(String::as_str);
    if wish.plan.scopes.is_empty() {
        return Step::new("Add no other scopes: none is asked for.");
    }
    Step::new(
        "Open the same client in **System OAuth > Application Registry**. In the list **OAuth Scopes** below the form, \
         add each of these, spelt exactly.",
    )
    .values("OAuth Scopes, Name", scopes)
    .link(wish.client())
    .trap(
        "The new screen does not fill this list, and the token endpoint looks at it when a scope is asked for: the \
         login would end with `server_error`, and only the log says `invalid_scope`.",
    )
}

/// Application Registry.
fn classic(wish: &ChecklistWish<'_>, title: &str) -> Section {
    let plan = wish.plan;
    let mut section = Section::new(title)
        .about("Most vendors' pages describe this screen. Its menu is **System OAuth** (not System Definition, as some say).")
        .step(
            Step::new("Open **System OAuth > Application Registry** and press **New** at the top right.")
                .link(wish.registry())
                .trap("No **New**? Your role is not elevated, or you are not in the scope Global: see above."),
        )
        .step(endpoint(wish))
        .step(
            Step::new("Fill in the name. Leave **Client Secret** empty: the instance makes one.")
                .value("Name", plan.name.as_str()),
        );
    if wish.is_code() {
        section = section.step(redirects(wish, "Redirect URL"));
    }
    section = section.step(lifespans(wish, "Set the lifespans."));
    if let Some(step) = owner(wish) {
        section = section.step(step);
    }
    section = section
        .step(Step::new("If the form has **Public Client** or **Use PKCE**, leave both off.").trap(
            "With one of them on, a product that has a secret and sends no PKCE gets no tokens.",
        ))
        .step(secret(wish));
    if !plan.scopes.is_empty() {
        section = section.step(scopes(wish));
    }
    if wish.release != Some(Release::Xanadu) {
        section = section.step(classic_broad());
    }
    if wish.form().is_some() {
        section = section.step(shortcut(wish));
    }
    section
}

fn endpoint(wish: &ChecklistWish<'_>) -> Step {
    match wish.release {
        Some(Release::Xanadu | Release::Yokohama) => {
            Step::new("Choose **Create an OAuth API endpoint for external clients**.")
        }
        Some(Release::Zurich | Release::Australia) => Step::new(
            "Choose **[Deprecated UI] Create an OAuth API endpoint for external clients**. It works as before.",
        ),
        None => Step::new(
            "Choose **Create an OAuth API endpoint for external clients**. Zurich and Australia put **[Deprecated UI]** \
             before it; it works as before.",
        ),
    }
}

fn secret(wish: &ChecklistWish<'_>) -> Step {
    Step::new(
        "Press **Submit**, open the record again and copy **Client ID**. Click the lock beside **Client Secret** and \
         copy it too.",
    )
    .link(wish.client())
    .trap(
        "Some pages say that the secret is shown once; on this screen the lock shows it again. A secret of \
         letters and digits only is safer: some products garble `&`, `+` and `%`.",
    )
}

fn scopes(wish: &ChecklistWish<'_>) -> Step {
    Step::new(
        "In the list **OAuth Scopes** below the form, add each of these, spelt exactly: search for it, and if it is not \
         there press **New**, enter it as the name, **Submit**.",
    )
    .values("Name", wish.plan.scopes.iter().map(String::as_str))
    .link(wish.auth_scopes())
    .trap(
        "If your screen opens **Authentication Scopes**, `useraccount` is there already: choose it. Another of that \
         name would do nothing.",
    )
}

fn classic_broad() -> Step {
    Step::new(
        "If the form has **Scope Restriction**, or **Allow access only to APIs in selected scope**: broadly scoped, \
         that is, unticked. Press **Update**.",
    )
    .trap("Otherwise every call is refused: 403 `Access to unscoped api is not allowed`.")
}

fn shortcut(wish: &ChecklistWish<'_>) -> Step {
    Step::new(
        "A short cut for the steps above, if you like: this address should open the empty form with the values in it. \
         If it looks different from the form behind **New**, use **New**.",
    )
    .link(wish.form())
}

fn redirects(wish: &ChecklistWish<'_>, field: &str) -> Step {
    let uris = wish.plan.redirect_uris.iter().map(RedirectUri::as_str);
    let step = Step::new("Enter where the browser comes back to. Unlock the field if it shows a lock (it is a list), add each address as one entry, lock it again.")
        .values(field, uris)
        .trap("Character by character: no slash at the end, no blank, the right region. Else the sign-in ends on a page that says `Invalid redirect_uri`.");
    // Why there is more than one.
    let others =
        wish.target.also_register.iter().filter(|also| {
            wish.plan.redirect_uris.iter().any(|uri| uri.as_str() == also.redirect_uri)
        });
    others.fold(step, |step, also| {
        let why = Words::default().code(&also.redirect_uri).plain(": ").plain(&also.reason);
        step.trap(why)
    })
}

fn lifespans(wish: &ChecklistWish<'_>, words: &'static str) -> Step {
    let plan = wish.plan;
    let step =
        Step::new(words).value("Access Token Lifespan", plan.access_token_lifespan.to_string());
    if !wish.is_code() {
        return step;
    }
    step.value("Refresh Token Lifespan", plan.refresh_token_lifespan.to_string()).trap(
        "Before the first consent: refreshing does not prolong a refresh token, and whether a later change reaches \
         tokens that are out already is not known.",
    )
}

/// Whoever the tokens of grants without a person belong to.
fn owner(wish: &ChecklistWish<'_>) -> Option<Step> {
    if wish.target.class != Class::ClientCredentials {
        return None;
    }
    let step = Step::new("Set **OAuth Application User** to the user the tokens shall belong to.")
        .link(wish.user())
        .trap("Empty, the grant is refused: the integration user is not configured. On the classic form the field may have to be added.");
    Some(match &wish.plan.user {
        Some(user) => step.value("OAuth Application User", user.as_str()),
        None => step,
    })
}

fn jwt(wish: &ChecklistWish<'_>) -> Section {
    let plan = wish.plan;
    let deprecated: Words = "Choose **Create an OAuth JWT API endpoint for external clients**, on newer releases with \
                             **[Deprecated UI]** before it; or the entry for the JWT bearer grant behind **New Inbound Integration Experience**."
        .into();
    Section::new("The client")
        .about("This product signs its own requests with a key (JWT bearer). Its page says which key, issuer and subject it uses; here is what is the same for all.")
        .step(
            Step::new("Open **System OAuth > Application Registry** and press **New** at the top right.")
                .link(wish.registry()),
        )
        .step(Step::new(deprecated))
        .step(
            Step::new("Fill in the name, and the lifespan.")
                .value("Name", plan.name.as_str())
                .value("Access Token Lifespan", plan.access_token_lifespan.to_string()),
        )
        .step(
            Step::new("Set **User Field** to the field of the user that the product puts into `sub`. Add a **JWT Verifier Map** with the product's certificate.")
                .trap("Administrators are refused by this grant: take a user without the role admin."),
        )
        .step(broad(wish))
}
