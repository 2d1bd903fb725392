//! A line of text as tokens.

use crate::error::{Result, bail};

/// What a line is made of.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token<'a> {
    /// A value's name, without the `%`.
    Value(&'a str),
    /// A word: letters, digits and underscores.
    Word(&'a str),
    /// What begins like a number.
    Number(&'a str),
    /// Hexadecimal digits after `0x`.
    Hex(&'a str),
    /// What stood in quotes, escapes resolved.
    Text(String),
    /// One of `= ( ) [ ] { } , :`
    Mark(char),
}

/// A token and where it begins, in bytes from the start of the line.
pub(super) type Placed<'a> = (usize, Token<'a>);

/// The tokens of a line up to a comment; an error goes with the place, in bytes.
// Browsers soon compile a function that loops a second time, and longer than they run it where it is
// as large as the whole parser.
#[inline(never)]
pub(super) fn tokens(line: &str) -> Result<Vec<Placed<'_>>, (usize, String)> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = line[at..].chars().next() {
        let rest = &line[at..];
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        if rest.starts_with("//") {
            break;
        }
        let (length, token) = token(rest, c).map_err(|(offset, message)| (at + offset, message))?;
        tokens.push((at, token));
        at += length;
    }
    Ok(tokens)
}

/// The token at the start of the text and its length.
fn token(rest: &str, first: char) -> Result<(usize, Token<'_>), (usize, String)> {
    Ok(match first {
        '"' => {
            let (length, text) = quoted(rest)?;
            (length, Token::Text(text))
        }
        '%' => {
            let name = word(&rest[1..]);
            if name.is_empty() {
                return Err((0, "expected a name after %".into()));
            }
            (1 + name.len(), Token::Value(name))
        }
        '0' if rest.starts_with("0x") => {
            let digits = word(&rest[2..]);
            (2 + digits.len(), Token::Hex(digits))
        }
        '0'..='9' | '-' => {
            let number = number(rest);
            (number.len(), Token::Number(number))
        }
        'a'..='z' | 'A'..='Z' | '_' => {
            let word = word(rest);
            (word.len(), Token::Word(word))
        }
        '=' | '(' | ')' | '[' | ']' | '{' | '}' | ',' | ':' => (1, Token::Mark(first)),
        other => return Err((0, format!("unexpected {other:?}"))),
    })
}

/// The letters, digits and underscores at the start of the text.
fn word(text: &str) -> &str {
    let is_end = |c: char| !c.is_ascii_alphanumeric() && c != '_';
    text.split(is_end).next().unwrap_or_default()
}

/// What at the start of the text belongs to a number, right or wrong.
fn number(text: &str) -> &str {
    let mut previous = '-';
    let end = text.find(|c: char| {
        let is_sign = matches!(c, '-' | '+') && matches!(previous, '-' | 'e' | 'E');
        let belongs = c.is_ascii_alphanumeric() || c == '.' || is_sign;
        previous = c;
        !belongs
    });
    &text[..end.unwrap_or(text.len())]
}

/// A text in quotes, as Rust writes it: its length with the quotes, and what it means.
fn quoted(text: &str) -> Result<(usize, String), (usize, String)> {
    let mut meaning = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((at + 1, meaning)),
            '\\' => {
                let c = escaped(&mut chars.by_ref().map(|(_, c)| c))
                    .map_err(|error| (at, error.message().to_owned()))?;
                meaning.push(c);
            }
            c => meaning.push(c),
        }
    }
    Err((0, "the text is not closed".into()))
}

/// The character that stands after a backslash.
fn escaped(chars: &mut impl Iterator<Item = char>) -> Result<char> {
    Ok(match chars.next() {
        Some(c @ ('"' | '\'' | '\\')) => c,
        Some('n') => '\n',
        Some('r') => '\r',
        Some('t') => '\t',
        Some('0') => '\0',
        Some('u') => {
            let digits: String = chars.take_while(|&c| c != '}').take(8).collect();
            let code = digits.strip_prefix('{').and_then(|hex| u32::from_str_radix(hex, 16).ok());
            match code.and_then(char::from_u32) {
                Some(c) => c,
                None => bail!("the escape \\u{digits}}} is no character"),
            }
        }
        Some(other) => bail!("there is no escape {other:?}"),
        None => bail!("the escape is not finished"),
    })
}
