//! Reproducible values: everything opaque that the instance hands out comes from its seed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// `SplitMix64`: small, fast, and good enough for values that protect nothing.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// A stream of its own for each purpose, so that one more session does not change the tokens.
    pub(crate) fn new(seed: u64, purpose: &str) -> Self {
        let mixed = purpose
            .bytes()
            .fold(seed, |mixed, byte| (mixed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        let mut random = Self(mixed);
        random.next();
        random
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 when `bound` is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next().checked_rem(bound).unwrap_or(0)
    }

    /// `length` characters of `[A-Za-z0-9_-]`, beginning with what of `marker` is such a
    /// character, at most 20 of them.
    pub(crate) fn opaque(&mut self, length: usize, marker: &str) -> String {
        let proper = |letter: &char| letter.is_ascii_alphanumeric() || "-_".contains(*letter);
        let mut text: String = marker.chars().filter(proper).take(20).collect();
        while text.len() < length {
            let bytes: Vec<u8> = (0..6).flat_map(|_| self.next().to_le_bytes()).take(48).collect();
            text.push_str(&URL_SAFE_NO_PAD.encode(bytes));
        }
        text.truncate(length);
        text
    }

    /// 32 lower-case hexadecimal digits: a `sys_id` or a generated `client_id`.
    pub(crate) fn sys_id(&mut self) -> String {
        format!("{:016x}{:016x}", self.next(), self.next())
    }

    /// About ten characters with punctuation, as the classic form generates them (§3.2).
    pub(crate) fn classic_secret(&mut self, marker: &str) -> String {
        const LETTERS: &[u8] = b"abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
        const PUNCTUATION: &[u8] = b"?~[+`&-%#;=";
        let mut pick = |from: &[u8]| {
            let index = usize::try_from(self.below(from.len() as u64)).unwrap_or(0);
            char::from(from.get(index).copied().unwrap_or(b'x'))
        };
        let body: String = (0..10)
            .map(|place| if matches!(place, 2 | 5 | 7) { pick(PUNCTUATION) } else { pick(LETTERS) })
            .collect();
        format!("{marker}{body}")
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn the_same_seed_gives_the_same_values_and_purposes_differ() {
        let first = Random::new(7, "tokens").opaque(86, "");
        assert_eq!(first, Random::new(7, "tokens").opaque(86, ""));
        assert_ne!(first, Random::new(7, "codes").opaque(86, ""));
        assert_ne!(first, Random::new(8, "tokens").opaque(86, ""));
        assert_eq!(first.len(), 86);
        assert!(first.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
    }

    #[test]
    fn a_hostile_marker_breaks_nothing() {
        let text = Random::new(7, "tokens").opaque(86, &"é\u{1f600}<M>".repeat(40));
        assert!(text.is_ascii() && text.len() == 86 && text.starts_with(&"M".repeat(20)), "{text}");
    }

    #[test]
    fn a_classic_secret_needs_percent_encoding() {
        let secret = Random::new(1, "secrets").classic_secret("");
        assert_eq!(secret.len(), 10);
        assert!(secret.contains(|letter: char| letter.is_ascii_punctuation()));
    }
}
