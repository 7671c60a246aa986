//! The order of changes: what others depend on first (last when destroying), ties by name.

use super::Goal;
use super::change::Change;
use std::collections::BTreeMap;

/// Gives every change its wave and sorts.
pub(super) fn order(goal: Goal, changes: &mut [Change]) {
    let depths = depths(changes);
    let deepest = depths.values().copied().max().unwrap_or(0);
    for change in changes.iter_mut() {
        let depth = depths[change.origin.entity.as_str()];
        change.wave = match goal {
            Goal::Deploy | Goal::Replace => depth,
            Goal::Destroy => deepest - depth,
        };
    }
    changes.sort_by(|a, b| a.wave.cmp(&b.wave).then_with(|| a.id.cmp(&b.id)));
}

/// Appends changes that come after all others.
pub(super) fn append(last: Vec<Change>, changes: &mut Vec<Change>) {
    let wave = changes.iter().map(|change| change.wave + 1).max().unwrap_or(0);
    changes.extend(last.into_iter().map(|change| Change { wave, ..change }));
}

/// How many entities must come before each, along its longest chain of dependencies. Circles are refused before
/// anything is planned; should one get here, its members share the number of rounds.
fn depths(changes: &[Change]) -> BTreeMap<String, usize> {
    let mut depths: BTreeMap<String, usize> =
        changes.iter().map(|change| (change.origin.entity.clone(), 0)).collect();
    if changes.iter().all(|change| change.origin.depends_on.is_empty()) {
        return depths;
    }
    for _ in 0..changes.len() {
        let mut settled = true;
        for change in changes {
            let before = change.origin.depends_on.iter().filter_map(|key| depths.get(key));
            let depth = before.max().map_or(0, |deepest| deepest + 1);
            let own = depths.entry(change.origin.entity.clone()).or_default();
            if *own < depth {
                *own = depth;
                settled = false;
            }
        }
        if settled {
            break;
        }
    }
    depths
}
