//! A fresh code in the shape of whoever exchanges it: tokens and a code are two different things to
//! hand over, and a code that was spent or has ended is neither.

use super::{Credentials, Format, Order, Piece, Unfit, limits, moment, names};

/// The login that brings a fresh code.
pub(super) const LOGIN: &str = "snowtoken login --code-only";

impl Format {
    /// The same way of this shape with a fresh code in it.
    ///
    /// # Errors
    /// If there is none.
    pub fn with_code(self, way: Option<&str>) -> Result<&'static str, Unfit> {
        let usual = || self.variants().first().copied().unwrap_or_default();
        let way = way.unwrap_or_else(usual);
        let way = way.strip_suffix("-code").unwrap_or(way);
        self.variant(&format!("{way}-code")).ok_or(Unfit::NoCode(self.as_str()))
    }
}

impl Order {
    /// Whether a fresh code is what it hands over.
    pub fn is_for_code(&self) -> bool {
        self.pieces().contains(&Piece::FreshCode)
    }

    /// The login that brings a code in this shape.
    fn login_for_code(&self) -> &'static str {
        match (self.format, self.variant()) {
            (Format::Appflow, "update-code") => {
                "snowtoken login --code-only --format appflow --variant update"
            }
            (Format::Appflow, _) => "snowtoken login --code-only --format appflow",
            _ => LOGIN,
        }
    }
}

impl Credentials<'_> {
    /// Whether everything but the code is there and would be taken: asked before a person consents.
    ///
    /// # Errors
    /// As [`Credentials::render`].
    pub fn await_code(&self, order: &Order) -> Result<(), Unfit> {
        names::check_typed(order)?;
        limits::check_values(self, order)?;
        let later = [Piece::FreshCode, Piece::CodeVerifier];
        for piece in order.pieces().into_iter().filter(|piece| !later.contains(piece)) {
            self.need(piece)?;
        }
        Ok(())
    }

    /// A code is handed over as long as it lives. Without one nothing else matters: that is told first.
    pub(super) fn check_code(&self, order: &Order) -> Result<(), Unfit> {
        match self.fresh_code {
            _ if !order.is_for_code() => Ok(()),
            None => Err(self.no_fresh_code(order.login_for_code())),
            Some(fresh) if self.created >= fresh.good_until => {
                Err(Unfit::CodeEnded(moment(fresh.good_until)))
            }
            Some(_) => Ok(()),
        }
    }

    /// There is no code that could be used: at most a spent one.
    pub(super) fn no_fresh_code(&self, command: &'static str) -> Unfit {
        let used = self.tokens.filter(|tokens| tokens.authorization_code.is_some());
        Unfit::CodeUsed { at: used.map(|tokens| moment(tokens.granted_at)), command }
    }
}
