//! RFC 7636: a code is worth nothing without the verifier that only this process knows. `S256` only.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::secret::Secret;

/// RFC 7636 §4.1: 43 characters from 32 random bytes.
#[derive(Debug)]
pub struct CodeVerifier(Secret);

impl CodeVerifier {
    /// Makes the verifier of one transaction.
    pub fn from_entropy(bytes: &[u8; 32]) -> Self {
        Self(Secret::new(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// RFC 7636 §4.2: `BASE64URL(SHA256(ASCII(code_verifier)))`.
    pub fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.0.expose().as_bytes()))
    }

    /// The verifier, for the token request.
    pub fn secret(&self) -> &Secret {
        &self.0
    }

    /// The verifier, for whoever makes that request in our place.
    pub fn into_secret(self) -> Secret {
        self.0
    }
}

/// RFC 7636 §4.3: the only method there is for us.
pub const CODE_CHALLENGE_METHOD: &str = "S256";

#[cfg(test)]
mod tests {
    use super::*;

    /// R6: RFC 7636 appendix B.
    #[test]
    fn appendix_b() {
        let octets = [
            116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212,
            37, 77, 105, 214, 191, 240, 91, 88, 5, 88, 83, 132, 141, 121,
        ];
        let verifier = CodeVerifier::from_entropy(&octets);
        assert_eq!(verifier.secret().expose(), "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(verifier.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
