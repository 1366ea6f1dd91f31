//! Names and secrets for new clients, out of the dice that somebody hands in.

use crate::oauth::client::ClientId;
use crate::secret::Secret;

/// Random bytes of a Client ID.
pub const ID_DICE: usize = 16;

/// Random bytes of a client secret: eight for each character, so that none is likelier than another.
pub const SECRET_DICE: usize = 8 * SECRET_LENGTH;

/// Characters of a client secret.
const SECRET_LENGTH: usize = 32;

/// Letters and digits only: some products garble the punctuation in the secrets that instances make.
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A Client ID as instances make them: 32 hexadecimal digits.
pub fn new_client_id(dice: [u8; ID_DICE]) -> ClientId {
    ClientId::from_number(u128::from_be_bytes(dice))
}

/// A client secret of 32 letters and digits.
pub fn new_client_secret(dice: &[u8; SECRET_DICE]) -> Secret {
    let mut text = String::with_capacity(SECRET_LENGTH);
    for eight in dice.chunks_exact(8) {
        let number = eight.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        let index = usize::try_from(number % 62).unwrap_or_default();
        text.push(char::from(ALPHABET[index]));
    }
    Secret::new(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_32_hexadecimal_digits() {
        assert_eq!(new_client_id([0; 16]).as_str(), "0".repeat(32));
        assert_eq!(new_client_id([0xab; 16]).as_str(), "ab".repeat(16));
    }

    #[test]
    fn a_secret_is_32_letters_and_digits_and_each_of_them_can_come() {
        let mut seen = std::collections::BTreeSet::new();
        for number in 0..62 {
            let mut dice = [0; SECRET_DICE];
            for eight in dice.chunks_exact_mut(8) {
                eight[7] = number;
            }
            let secret = new_client_secret(&dice);
            assert_eq!(secret.expose().len(), 32);
            seen.extend(secret.expose().chars());
        }
        assert_eq!(seen.len(), 62);
        assert!(seen.iter().all(char::is_ascii_alphanumeric));
    }
}
