//! What a product takes, and how sure that is.

use crate::profile::Grant;

/// What a product takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Tokens that were got elsewhere: they are minted here and handed over.
    Tokens,
    /// Client ID and secret; it asks for consent itself. Nothing is minted here.
    Client,
    /// Client ID and secret for the client credentials grant; nothing is minted for it.
    ClientCredentials,
    /// A key and claims for the JWT bearer grant; nothing is minted for it.
    JwtBearer,
    /// Client ID and secret with a user's name and password (RFC 6749 §4.3, against RFC 9700 §2.4).
    /// Nothing is minted here.
    Password,
    /// A user's name and password, and no OAuth at all.
    Basic,
}

impl Class {
    const ALL: [(Self, &'static str); 6] = [
        (Self::Tokens, "tokens"),
        (Self::Client, "client"),
        (Self::ClientCredentials, "client-credentials"),
        (Self::JwtBearer, "jwt-bearer"),
        (Self::Password, "password"),
        (Self::Basic, "basic"),
    ];

    /// The word in files and on the screen.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(class, _)| *class == self).map_or("", |(_, word)| word)
    }

    /// The class of that word.
    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, own)| *own == word).map(|(class, _)| *class)
    }

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::ALL.iter().map(|(class, _)| *class)
    }

    /// All words.
    pub fn words() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().map(|(_, word)| *word)
    }

    /// What it takes, for people.
    pub fn takes(self) -> &'static str {
        match self {
            Self::Tokens => "tokens: they are got here and handed over",
            Self::Client => "client ID and secret: the product asks for consent itself",
            Self::ClientCredentials => {
                "client ID and secret: the client acts for a user that is set on it, without consent"
            }
            Self::JwtBearer => "client ID and secret, with a key for signed assertions",
            Self::Password => "client ID and secret, with a user's name and password",
            Self::Basic => "a user's name and password, and no OAuth client",
        }
    }

    /// Whether the product sends a person's browser to the instance, and gets it back at a redirect
    /// URI; for tokens we do so in its place.
    pub fn has_redirect(self) -> bool {
        self.grant() == Some(Grant::AuthorizationCode)
    }

    /// Whether the product wants a user's password.
    pub fn takes_password(self) -> bool {
        matches!(self, Self::Password | Self::Basic)
    }

    /// Whether the client is all that is prepared here: right redirect URI, lifespans and checks, ID
    /// and secret handed over, nothing minted.
    pub fn is_prepare_only(self) -> bool {
        self != Self::Tokens
    }

    /// Whether the script of the setup makes the client: one that signs assertions is a record of
    /// another table, and some products take no client at all.
    pub fn is_made_by_script(self) -> bool {
        matches!(self.grant(), Some(Grant::AuthorizationCode | Grant::ClientCredentials))
    }

    /// The grant by which the product, or we for it, get tokens; `None` where we have none.
    pub fn grant(self) -> Option<Grant> {
        match self {
            Self::Tokens | Self::Client => Some(Grant::AuthorizationCode),
            Self::ClientCredentials => Some(Grant::ClientCredentials),
            Self::JwtBearer => Some(Grant::JwtBearer),
            Self::Password | Self::Basic => None,
        }
    }
}

/// How sure something is that was read in other people's pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// The product's own documentation or service model was read in full.
    Documented,
    /// The product's own documentation was read in part.
    PartlyDocumented,
    /// Others say so.
    Reported,
    /// Nobody but us says so.
    Assumed,
}

impl Confidence {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Documented, "documented"),
        (Self::PartlyDocumented, "partly-documented"),
        (Self::Reported, "reported"),
        (Self::Assumed, "assumed"),
    ];

    /// The word in files and on the screen.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(own, _)| *own == self).map_or("", |(_, word)| word)
    }

    /// All words.
    pub fn words() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().map(|(_, word)| *word)
    }

    /// The confidence of that word.
    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, own)| *own == word).map(|(confidence, _)| *confidence)
    }

    /// What it means, for people.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Documented => "the product's own documentation or service model says so",
            Self::PartlyDocumented => {
                "the product's own documentation says so, as far as it could be read"
            }
            Self::Reported => "others say so; the product's own documentation was not seen",
            Self::Assumed => "nobody but us says so: compare it with what your product shows",
        }
    }
}
