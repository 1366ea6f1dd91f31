//! The client on the instance, made or mended by an administrator's rights: carries the requests of
//! [`snowtoken_core::setup::apply`], one after the other, and none twice.

use snowtoken_core::oauth::client::ClientId;
use snowtoken_core::profile::Profile;
use snowtoken_core::secret::Secret;
use snowtoken_core::setup::apply::{Apply, Found, Search};
use snowtoken_core::setup::probe::{PlaceVerdict, judge_place, try_place};
use zeroize::{Zeroize as _, Zeroizing};

use crate::error::Error;
use crate::http::ATTEMPT_LIMIT;
use crate::world::{Dice, EntropyError, World};

/// Letters and digits: some consumers of a secret take nothing else.
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Characters of a new secret: 190 bits.
const SECRET_LENGTH: usize = 32;

/// A new client ID of the form that an instance gives: 32 hexadecimal digits.
///
/// # Errors
/// If the operating system has no random numbers.
pub fn new_client_id(dice: Dice) -> Result<ClientId, Error> {
    let text = hexadecimal(dice)?;
    // Such a text always is a client ID.
    ClientId::parse(&text).map_err(|error| EntropyError(error.to_string()).into())
}

fn hexadecimal(dice: Dice) -> Result<String, EntropyError> {
    let mut bytes = [0; 16];
    dice(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

/// A new client secret: 32 letters and digits, each as likely as any other.
///
/// # Errors
/// If the operating system has no random numbers.
pub fn new_secret(dice: Dice) -> Result<Secret, Error> {
    let mut text = Zeroizing::new(String::with_capacity(SECRET_LENGTH));
    while text.len() < SECRET_LENGTH {
        let mut bytes = [0; SECRET_LENGTH];
        dice(&mut bytes)?;
        // 248 is the last multiple of 62 in a byte: what lies above would favour some letters.
        for byte in bytes.iter().filter(|byte| **byte < 248) {
            if text.len() < SECRET_LENGTH {
                text.push(char::from(ALPHABET[usize::from(byte % 62)]));
            }
        }
        bytes.zeroize();
    }
    Ok(Secret::new(std::mem::take(&mut *text)))
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

/// Makes or mends the client. `secret_was_set` is called as soon as the instance has taken the
/// secret, before anything else is sent.
///
/// # Errors
/// [`Error::Apply`] or [`Error::Transport`]; what was made stays.
pub fn apply(
    world: &World,
    apply: &mut Apply,
    mut secret_was_set: impl FnMut() -> Result<(), Error>,
) -> Result<(), Error> {
    while let Some(request) = apply.poll_request() {
        let answer = world.transport.send(request, ATTEMPT_LIMIT)?;
        apply.handle_response(&answer)?;
        if apply.take_secret_was_set() {
            secret_was_set()?;
        }
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
    let state = hexadecimal(world.dice)?;
    let request = try_place(&profile.instance, &profile.client_id, redirect_uri, &state);
    Ok(judge_place(&world.transport.send(request, ATTEMPT_LIMIT)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_secret_is_of_letters_and_digits_and_never_the_same() {
        let dice = crate::world::system_dice;
        let (one, two) = (new_secret(dice).unwrap(), new_secret(dice).unwrap());
        assert_eq!(one.expose().len(), 32);
        assert!(one.expose().bytes().all(|b| b.is_ascii_alphanumeric()));
        assert_ne!(one, two);
        let id = new_client_id(dice).unwrap();
        assert!(id.as_str().len() == 32 && id.as_str().bytes().all(|b| b.is_ascii_hexdigit()));
    }

    #[test]
    fn bytes_that_would_favour_a_letter_are_thrown_again() {
        let high = |buffer: &mut [u8]| -> Result<(), EntropyError> {
            for (index, byte) in buffer.iter_mut().enumerate() {
                *byte = if index % 2 == 0 { 255 } else { 61 };
            }
            Ok(())
        };
        assert_eq!(new_secret(high).unwrap().expose(), "9".repeat(32));
    }
}
