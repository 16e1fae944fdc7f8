//! The stale windows of all resolvers, row by row.

use std::collections::BTreeMap;

use super::{Naive, Windows};

impl Naive {
    pub(super) fn windows(&self) -> Windows {
        let mut windows = BTreeMap::new();
        for (&address, history) in &self.history {
            let Some(served) = history.served else { continue };
            for &resolver in &self.config.resolvers {
                let row = |nth| self.rows.get(&(resolver, (address, nth))).copied();
                if let Some(unborn) = row(0).filter(|_| served >= self.config.warmup) {
                    windows.insert((resolver, address, served, 0), unborn);
                }
                for (index, &ended) in history.ends.iter().enumerate() {
                    let was_in_binding = history.starts.get(index + 1).is_none_or(|&n| served < n);
                    if was_in_binding && ended >= self.config.warmup {
                        let key = (resolver, address, ended, index + 1);
                        windows.insert(key, row(index + 1).unwrap_or_default());
                    }
                }
            }
        }
        windows
    }
}
