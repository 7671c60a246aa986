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
/// anything is planned; should one get here, its members and what depends on them are as deep as was known when the
/// walk ended.
fn depths(changes: &[Change]) -> BTreeMap<String, usize> {
    let entity = |change: &Change| change.origin.entity.clone();
    let before = |change: &Change| change.origin.depends_on.clone();
    walk(&changes.iter().map(|change| (entity(change), before(change))).collect::<Vec<_>>())
}

/// The same of entities, each with what it depends on. Every dependency is walked once (Kahn).
fn walk(entities: &[(String, Vec<String>)]) -> BTreeMap<String, usize> {
    let mut depths: BTreeMap<String, usize> =
        entities.iter().map(|(entity, _)| (entity.clone(), 0)).collect();
    let mut waiting: BTreeMap<&str, usize> = BTreeMap::new();
    let mut after: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (entity, depends_on) in entities {
        let known = depends_on.iter().filter(|key| depths.contains_key(*key));
        let number = waiting.entry(entity).or_default();
        for key in known {
            *number += 1;
            after.entry(key).or_default().push(entity);
        }
    }
    let mut ready: Vec<&str> =
        waiting.iter().filter(|(_, number)| **number == 0).map(|(entity, _)| *entity).collect();
    while let Some(done) = ready.pop() {
        let depth = depths[done] + 1;
        for entity in after.get(done).into_iter().flatten() {
            if let (Some(own), Some(number)) = (depths.get_mut(*entity), waiting.get_mut(entity)) {
                *own = depth.max(*own);
                *number -= 1;
                if *number == 0 {
                    ready.push(entity);
                }
            }
        }
    }
    depths
}

#[cfg(test)]
mod tests {
    use super::walk;

    fn entity(key: &str, depends_on: &[&str]) -> (String, Vec<String>) {
        (key.to_owned(), depends_on.iter().map(|key| (*key).to_owned()).collect())
    }

    #[test]
    fn the_longest_way_decides() {
        let depths = walk(&[
            entity("d", &["a", "c", "elsewhere"]),
            entity("c", &["b", "b"]),
            entity("b", &["a"]),
            entity("a", &[]),
        ]);
        let depths: Vec<(&str, usize)> = depths.iter().map(|(key, depth)| (key.as_str(), *depth)).collect();
        assert_eq!(depths, [("a", 0), ("b", 1), ("c", 2), ("d", 3)]);
    }

    #[test]
    fn a_circle_ends() {
        let depths = walk(&[entity("a", &["b"]), entity("b", &["a"]), entity("c", &["c"]), entity("d", &[])]);
        assert_eq!(depths.len(), 4);
    }

    #[test]
    fn a_chain_of_many_is_walked_once() {
        let key = |n: usize| format!("e{n}");
        let before = |n: usize| n.checked_sub(1).map(key).into_iter().collect();
        // The last comes first: the order in which no round would settle more than one.
        let chain: Vec<(String, Vec<String>)> = (0..50_000).rev().map(|n| (key(n), before(n))).collect();
        assert_eq!(walk(&chain)["e49999"], 49_999);
    }
}
