//! What a person wants to know beside the plan: that a rename is none, and how images are carried over before they are
//! lost. Commands are words for a shell; nothing here runs them.

use super::change::{Action, Change};
use super::{Goal, Intent};
use crate::kind::{self, CopyOf};
use crate::object::name::SchemaName;
use crate::object::reading::Live;
use crate::object::state::{Contents, ImageRef, ImageVersion, Object, ObjectId, ObjectType};
use std::collections::BTreeMap;

/// A remark, with commands to copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// What is so, in a sentence or two.
    pub message: String,
    /// What to run, one command each; may be none.
    pub commands: Vec<String>,
}

/// How many images commands are written for.
const MOST_COMMANDS: usize = 20;

/// Everything worth saying of these changes. `left`: what carries the project's mark, is not declared, and stays.
pub(super) fn advice(intent: Intent, live: &Live, changes: &[Change], left: &[ObjectId]) -> Vec<Advice> {
    let mut advice = Vec::new();
    if intent.goal != Goal::Destroy {
        advice.extend(renames(live, changes, left));
    }
    advice.extend(changes.iter().filter_map(back_up));
    advice.extend(changes.iter().filter(|change| change.action == Action::Create).filter_map(required));
    advice
}

/// Where one object of a schema goes and one comes, that may be meant as a rename. Snowflake has none.
fn renames(live: &Live, changes: &[Change], left: &[ObjectId]) -> Vec<Advice> {
    let mut schemas: BTreeMap<(ObjectType, &SchemaName), Traffic<'_>> = BTreeMap::new();
    for change in changes {
        let id = &change.id;
        match change.action {
            Action::Create => schemas.entry((id.object_type, &id.name.schema)).or_default().come.push(change),
            Action::Drop => {
                schemas.entry((id.object_type, &id.name.schema)).or_default().gone.push((id, false))
            }
            Action::NoOp | Action::Alter | Action::Replace => {}
        }
    }
    for id in left {
        schemas.entry((id.object_type, &id.name.schema)).or_default().gone.push((id, true));
    }
    let pairs = schemas.into_values().filter_map(|Traffic { come, gone }| match (&come[..], &gone[..]) {
        ([new], [(old, stays)]) => rename(live, old, new, *stays),
        _ => None,
    });
    pairs.collect()
}

/// What comes to a schema and what goes; of what goes, whether it stays for now.
#[derive(Default)]
struct Traffic<'a> {
    come: Vec<&'a Change>,
    gone: Vec<(&'a ObjectId, bool)>,
}

fn rename(live: &Live, old: &ObjectId, new: &Change, stays: bool) -> Option<Advice> {
    let object = live.state.get(old).or_else(|| live.siblings.get(old))?;
    let contents = live.contents.get(old);
    if matches!(contents, Some(Contents::Listed(images)) if images.is_empty()) {
        return None;
    }
    let goes = if stays { "is not declared any more" } else { "goes" };
    let first = if stays { "" } else { "deploy the new one without dropping the old one, " };
    let mut message = format!(
        "{old} {goes}, and {} comes: if that is meant as a rename, Snowflake has none, and the new one starts empty; to carry the images over, {first}copy them, and drop the old one then",
        new.id
    );
    let commands = copies(old, object, contents, CopyOf::To(&new.id.name));
    if commands.is_empty() {
        message.push_str("; list them with `snowform image-repository list-images`");
    }
    Some(Advice { message, commands })
}

/// Images that a replacement would destroy can be kept outside, and put back.
fn back_up(change: &Change) -> Option<Advice> {
    let object = change.live.as_ref().filter(|_| change.action == Action::Replace)?;
    let full = !matches!(&change.contents, Some(Contents::Listed(images)) if images.is_empty());
    let commands = |copy| copies(&change.id, object, change.contents.as_ref(), copy);
    let mut all = commands(CopyOf::Out);
    all.extend(commands(CopyOf::Back));
    (full && !all.is_empty()).then(|| Advice {
        message: format!(
            "{} is replaced by an empty one; its images can be copied out before, and back afterwards",
            change.id
        ),
        commands: all,
    })
}

fn copies(id: &ObjectId, object: &Object, contents: Option<&Contents>, copy: CopyOf<'_>) -> Vec<String> {
    let Some(Contents::Listed(images)) = contents else { return Vec::new() };
    let copy_image = kind::managed(id.object_type).copy_image;
    let versions = images.iter().flat_map(|image| {
        let version = |version| ImageRef { name: image.name.clone(), version };
        let tags: Vec<ImageRef> =
            image.tags.iter().map(|tag| version(ImageVersion::Tag(tag.clone()))).collect();
        if tags.is_empty() { vec![version(ImageVersion::Digest(image.digest.clone()))] } else { tags }
    });
    versions.take(MOST_COMMANDS).filter_map(|image| copy_image(object, &image, copy)).collect()
}

/// Images that must be in what is yet to be created are pushed after it.
fn required(change: &Change) -> Option<Advice> {
    let images: Vec<String> = change.origin.require_images.iter().map(ToString::to_string).collect();
    (!images.is_empty()).then(|| Advice {
        message: format!(
            "{} is created empty; it must hold {}: push them then",
            change.id,
            images.join(", ")
        ),
        commands: Vec::new(),
    })
}
