//! Where a key exists that was looked for elsewhere.

use super::{either, listed};

/// Where a key exists that was looked for in vain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Places {
    /// Keys with their way, as `--set` takes them.
    Ways(Vec<String>),
    /// Tables, as a file heads them; empty for the top of the file.
    Tables(Vec<String>),
}

pub(super) fn elsewhere(places: &Places) -> String {
    match places {
        Places::Ways(ways) => format!("did you mean {}?", listed(ways)),
        Places::Tables(tables) => {
            let named = |table: &String| match table.as_str() {
                "" => "before all sections".to_owned(),
                table => format!("in {table}"),
            };
            let named: Vec<_> = tables.iter().map(named).collect();
            format!("it belongs {}", either(&named))
        }
    }
}
