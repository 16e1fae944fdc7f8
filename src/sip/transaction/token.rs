//! Random tokens: branches, tags, the first parts of `Call-ID`s.

use std::sync::Arc;

use crate::rng::Dice;

/// What the branches of RFC 3261 begin with (§8.1.1.7).
pub const MAGIC_COOKIE: &str = "z9hG4bK";

/// Characters behind the cookie, as linphone and SER have.
const BRANCH_LENGTH: usize = 10;

/// 64 characters that may stand in a token (RFC 3261 §25.1).
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-~";

/// A random token of this many characters, six bits each. A tag should have at least 32 bits
/// (RFC 3261 §19.3): six characters.
#[must_use]
pub fn token(dice: &mut Dice, length: usize) -> Arc<str> {
    spell(String::new(), length, || dice.bits())
}

/// A new branch.
pub(super) fn branch(dice: &mut Dice) -> Arc<str> {
    spell(MAGIC_COOKIE.to_owned(), BRANCH_LENGTH, || dice.bits())
}

/// The branch that stands for these bits.
pub(super) fn branch_of(bits: u64) -> Arc<str> {
    spell(MAGIC_COOKIE.to_owned(), BRANCH_LENGTH, || bits)
}

/// Appends characters, ten of each draw.
fn spell(mut text: String, length: usize, mut draw: impl FnMut() -> u64) -> Arc<str> {
    let mut bits = 0;
    for place in 0..length {
        if place % 10 == 0 {
            bits = draw();
        }
        text.push(char::from(ALPHABET[(bits % 64) as usize]));
        bits /= 64;
    }
    text.into()
}
