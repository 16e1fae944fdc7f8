//! The Basic authentication scheme (RFC 7617) and the Base64 that it is written in (RFC 4648 §4).

/// A user and a password. The user has no colon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// Who.
    pub user: String,
    /// The secret that proves it.
    pub password: String,
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

impl Credentials {
    /// The credentials of a user.
    #[must_use]
    pub fn new(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self { user: user.into(), password: password.into() }
    }

    /// The value of an `Authorization` field.
    #[must_use]
    pub fn to_header(&self) -> String {
        format!("Basic {}", encode(format!("{}:{}", self.user, self.password).as_bytes()))
    }

    /// Reads the value of an `Authorization` field; `None` for another scheme or nonsense.
    #[must_use]
    pub fn from_header(value: &str) -> Option<Self> {
        let (scheme, token) = value.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("Basic") {
            return None;
        }
        let text = String::from_utf8(decode(token.trim())?).ok()?;
        let (user, password) = text.split_once(':')?;
        Some(Self::new(user, password))
    }
}

fn encode(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len().div_ceil(3) * 4);
    for chunk in octets.chunks(3) {
        let word = chunk.iter().fold(0u32, |word, &octet| word << 8 | u32::from(octet))
            << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            let sextet = word >> (18 - 6 * digit) & 63;
            let letter = char::from(ALPHABET[sextet as usize]);
            text.push(if digit <= chunk.len() { letter } else { '=' });
        }
    }
    text
}

fn decode(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let digits = text.strip_suffix("==").or(text.strip_suffix('=')).unwrap_or(text);
    let mut octets = Vec::with_capacity(digits.len() * 3 / 4);
    let (mut word, mut bits) = (0u32, 0);
    for letter in digits.bytes() {
        let sextet = ALPHABET.iter().position(|&known| known == letter)?;
        word = word << 6 | sextet as u32;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            octets.push((word >> bits) as u8);
            word &= (1 << bits) - 1;
        }
    }
    // Bits that are left over must be zero, or two texts would mean the same.
    (word == 0 && bits < 6).then_some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4648 §10.
    #[test]
    fn base64_is_that_of_the_rfc() {
        let vectors = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (plain, coded) in vectors {
            assert_eq!(encode(plain.as_bytes()), coded);
            assert_eq!(decode(coded).as_deref(), Some(plain.as_bytes()));
        }
        for nonsense in ["Zg", "Zg=", "Zh==", "Zm9v=", "Z===", "Zm 9", "===="] {
            assert_eq!(decode(nonsense), None, "{nonsense}");
        }
    }

    /// RFC 7617 §2: user Aladdin, password "open sesame".
    #[test]
    fn credentials_are_those_of_the_rfc() {
        let aladdin = Credentials::new("Aladdin", "open sesame");
        let header = "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==";
        assert_eq!(aladdin.to_header(), header);
        assert_eq!(Credentials::from_header(header), Some(aladdin));
        assert_eq!(Credentials::from_header("Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), None);
        assert_eq!(Credentials::from_header("Basic Zm9v"), None, "no colon");
    }
}
