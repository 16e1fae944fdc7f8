//! Words that were expected, in a message: the one that is near, all of a few, or of many the nearest.

/// Of more words than these, only the nearest few are named.
const MOST: usize = 9;
const FEW: usize = 4;

/// Words as a list: `` `a`, `b` or `c` ``.
pub(super) fn listed(words: &[String]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    if quoted.is_empty() { "nothing".to_owned() } else { either(&quoted) }
}

/// One of these, as they are: `a, b or c`.
pub(in crate::scenario) fn either(words: &[String]) -> String {
    match words.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

/// The same; of many words those that are nearest to what was found, and how many others there are.
pub(super) fn listed_near(found: &str, words: &[String]) -> String {
    if words.len() <= MOST {
        return listed(words);
    }
    let found = found.trim_matches('"').to_lowercase();
    let mut near: Vec<&String> = words.iter().collect();
    // Words as near as each other stay in their order.
    near.sort_by_key(|word| strsim::damerau_levenshtein(&found, &word.to_lowercase()));
    let few: Vec<_> = near.iter().take(FEW).map(|word| format!("`{word}`")).collect();
    format!("{} or one of {} others", few.join(", "), words.len() - FEW)
}

/// What may have been meant.
pub(super) fn suggest(nearest: Option<&String>) -> String {
    nearest.map_or_else(String::new, |word| format!("; did you mean `{word}`?"))
}

/// What may have been meant, or what there is.
pub(super) fn suggest_or_list(found: &str, nearest: Option<&String>, known: &[String]) -> String {
    match nearest {
        Some(word) => format!("; did you mean `{word}`?"),
        None if known.is_empty() => "; none is defined".to_owned(),
        None => format!("; there is {}", listed_near(found, known)),
    }
}

/// The nearest known word, when it is near enough to be meant.
#[must_use]
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let lower = word.to_lowercase();
    known
        .into_iter()
        .map(|candidate| {
            (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate)
        })
        .min()
        .filter(|(distance, candidate)| *distance <= 1.max(candidate.chars().count() / 3))
        .map(|(_, candidate)| candidate.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_words_the_nearest_are_named() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let few = words("one two three four five six seven eight nine");
        assert_eq!(
            listed_near("\"x\"", &few),
            "`one`, `two`, `three`, `four`, `five`, `six`, `seven`, `eight` or `nine`"
        );
        // One edit from `fire` is `five`, two is `nine`; then three: `one`, `three` and `six`, in the
        // order of the list, of which two have room.
        let many = words("one two three four five six seven eight nine ten");
        let told = listed_near("\"fire\"", &many);
        assert_eq!(told, "`five`, `nine`, `one`, `three` or one of 6 others");
        assert_eq!(suggest_or_list("fire", None, &many), format!("; there is {told}"));
        assert_eq!(suggest_or_list("fire", None, &[]), "; none is defined");
    }
}
