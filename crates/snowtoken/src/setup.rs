//! The client on the instance, made or mended by an administrator's rights: carries the requests of
//! [`snowtoken_core::setup::apply`], one after the other, and none twice.

mod making;

use snowtoken_core::oauth::client::ClientId;
use snowtoken_core::profile::Profile;
use snowtoken_core::secret::Secret;
use snowtoken_core::setup::apply::{Apply, Found, Search};
use snowtoken_core::setup::probe::{PlaceVerdict, judge_place, try_place};
use snowtoken_core::setup::{ID_DICE, SECRET_DICE};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::http::ATTEMPT_LIMIT;
use crate::world::{Dice, World};

pub use making::{Making, Ready, client_id, secret_to_set, unknown_secret};

/// A new client ID.
///
/// # Errors
/// If the operating system has no random numbers.
pub fn new_client_id(dice: Dice) -> Result<ClientId, Error> {
    let mut bytes = [0; ID_DICE];
    dice(&mut bytes)?;
    Ok(snowtoken_core::setup::new_client_id(bytes))
}

/// A new client secret.
///
/// # Errors
/// If the operating system has no random numbers.
pub fn new_secret(dice: Dice) -> Result<Secret, Error> {
    let mut bytes = Zeroizing::new([0; SECRET_DICE]);
    dice(&mut *bytes)?;
    Ok(snowtoken_core::setup::new_client_secret(&bytes))
}

/// Looks for the client.
///
/// # Errors
/// [`Error::Apply`] or [`Error::Transport`].
pub fn search(world: &World, mut search: Search) -> Result<Found, Error> {
    while let Some(request) = search.poll_request() {
        let answer = world.transport.send(request, ATTEMPT_LIMIT)?;
        search.handle_response(&answer)?;
    }
    Ok(search.found().cloned().unwrap_or(Found::Nothing))
}

/// Makes or mends the client. `after_each` is called after each answer, before anything else is sent:
/// it must ask [`Apply::take_secret_was_set`], and may tell what was done so far.
///
/// # Errors
/// [`Error::Apply`] or [`Error::Transport`]; what was made stays.
pub fn apply(
    world: &World,
    apply: &mut Apply,
    mut after_each: impl FnMut(&mut Apply) -> Result<(), Error>,
) -> Result<(), Error> {
    while let Some(request) = apply.poll_request() {
        let answer = world.transport.send(request, ATTEMPT_LIMIT)?;
        apply.handle_response(&answer)?;
        after_each(apply)?;
    }
    Ok(())
}

/// Whether the authorization endpoint takes the profile's client ID and redirect URI, as far as it
/// tells before anybody signs in.
///
/// # Errors
/// [`Error::Transport`]
pub fn place(world: &World, profile: &Profile) -> Result<PlaceVerdict, Error> {
    let Some(redirect_uri) = &profile.redirect_uri else { return Ok(PlaceVerdict::Unknown) };
    // As unguessable as any other `state`, though nobody waits for it.
    let state = new_client_id(world.dice)?;
    let request = try_place(&profile.instance, &profile.client_id, redirect_uri, state.as_str());
    Ok(judge_place(&world.transport.send(request, ATTEMPT_LIMIT)?))
}
