//! The table: one file per entity type says which fields exist, what they mean, how each may change, and which
//! statement says so. Decoder, schema, diff and documentation are generic code that reads it.

pub mod application;
pub mod application_package;
pub mod check;
pub mod compute_pool;
pub mod field;
pub mod form;
pub mod image_repository;
pub mod mark;
pub mod notebook;
pub mod overlay;
pub mod service;
pub mod shared;
pub mod snowflake_app;
pub mod snowpark;
pub mod streamlit;

use crate::object::name::{ObjectName, SchemaName};
use crate::object::rows::Row;
use crate::object::state::{Attributes, Contents, Grant, Image, ImageRef, Object, ObjectType, Tags};
use crate::object::statement::{Hazard, Operation, Sql};
use check::Check;
use field::{Field, Shape};

/// An entity type of project definitions.
#[derive(Debug)]
pub struct Kind {
    /// What stands behind `type:`.
    pub type_name: &'static str,
    /// One sentence for hover and help.
    pub doc: &'static str,
    /// The keys of an entity in `snowflake.yml`, besides `type`.
    pub fields: &'static [Field],
    /// What must hold between them.
    pub checks: &'static [Check],
    /// How its objects are deployed, where snowform does that.
    pub managed: Option<&'static Managed>,
}

/// How the objects of a type are read and changed.
#[derive(Debug)]
pub struct Managed {
    /// The type of its objects.
    pub object_type: ObjectType,
    /// What the SQL of grants calls them.
    pub sql_noun: &'static str,
    /// The attributes that `snowform.yml` can declare.
    pub attributes: &'static [Attribute],
    /// What is read of an object and declared by nobody.
    pub facts: &'static [&'static str],
    /// Lists objects of a schema.
    pub list: fn(&SchemaName, Filter<'_>) -> Sql,
    /// The characters that names of this type may hold, for splitting a listing that is too long for one answer.
    pub alphabet: &'static str,
    /// Reads one row of that list; nothing where the row does not name its object.
    pub read: fn(&Row<'_>) -> Option<(ObjectName, Object)>,
    /// Lists what stands inside an object.
    pub list_contents: fn(&ObjectName) -> Sql,
    /// Reads one row of that list.
    pub read_contents: fn(&Row<'_>) -> Option<Image>,
    /// Creates an object with the attributes and tags declared for it; what only a statement of its own can say
    /// is left to [`ChangeRule::Afterwards`].
    pub create: fn(&ObjectName, &Attributes, &Tags) -> Operation,
    /// Asks for the values of some tags; the answer has one row, with one column for each, in their order.
    pub read_tags: fn(&ObjectName, &[&ObjectName]) -> Sql,
    /// Sets tags.
    pub set_tags: fn(&ObjectName, &Tags) -> Operation,
    /// The privileges that can be declared.
    pub privileges: &'static [&'static str],
    /// The command that copies one image of an object, where its address is known.
    pub copy_image: fn(&Object, &ImageRef, CopyOf<'_>) -> Option<String>,
    /// Lists who may do what with an object.
    pub list_grants: fn(&ObjectName) -> Sql,
    /// Reads one row of that list; nothing for ownership, and for grantees that are no roles.
    pub read_grant: fn(&Row<'_>) -> Option<Grant>,
    /// Grants a privilege.
    pub grant: fn(&ObjectName, &Grant) -> Operation,
    /// Takes a privilege away.
    pub revoke: fn(&ObjectName, &Grant) -> Operation,
    /// Puts a new object in the place of one that exists, and names what of its contents goes with that.
    pub replace: fn(&ObjectName, &Attributes, &Tags, &Contents) -> Dangerous,
    /// Drops an object, and names what goes with it.
    pub drop: fn(&ObjectName, &Contents) -> Dangerous,
}

/// Where an image is copied.
#[derive(Clone, Copy, Debug)]
pub enum CopyOf<'a> {
    /// To another repository of the account.
    To(&'a ObjectName),
    /// Out of the account, into a file.
    Out,
    /// Back from that file.
    Back,
}

/// An operation, and what goes with it.
pub type Dangerous = (Operation, Vec<Hazard>);

/// Which objects of a schema are listed.
#[derive(Clone, Copy, Debug)]
pub enum Filter<'a> {
    /// All of them.
    All,
    /// Those whose names start with this.
    StartsWith(&'a str),
    /// The one of this name.
    Named(&'a str),
}

/// An attribute of a type's objects.
#[derive(Debug)]
pub struct Attribute {
    /// Its name in `snowform.yml` and in plans.
    pub name: &'static str,
    /// One sentence for hover and help.
    pub doc: &'static str,
    /// Who declares it.
    pub declared: Declared,
    /// What it may be.
    pub shape: Shape,
    /// A declared text as the account reports it, or why it cannot be declared.
    pub normal: fn(&str) -> Result<String, String>,
    /// What an object has of which the account reports nothing; without one, such an object is not compared.
    pub default: Option<&'static str>,
    /// How it changes.
    pub change: ChangeRule,
    /// What a change opens or takes, where it does.
    pub hazard: fn(&AttributeStep<'_>) -> Option<Hazard>,
}

/// Who declares an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Declared {
    /// Each entity in `snowform.yml`.
    ByEntity,
    /// `snowform.yml` for all of its entities.
    ByProject,
}

/// A change of one attribute in place, as its row sees it.
#[derive(Debug)]
pub struct AttributeStep<'a> {
    /// The object.
    pub name: &'a ObjectName,
    /// The value before; nothing where it is not known, as of an object that is new.
    pub before: Option<&'a str>,
    /// The value after.
    pub after: &'a str,
    /// Every attribute that the object has after the change: one statement may have to say several.
    pub all: &'a Attributes,
    /// What becomes of the grants on the object when its owner changes.
    pub kept_grants: KeptGrants,
}

/// What becomes of the grants on an object when its owner changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum KeptGrants {
    /// There are none.
    #[default]
    None,
    /// They stay.
    Copied,
    /// They are revoked.
    Revoked,
}

/// How an attribute of an object that exists becomes another.
#[derive(Clone, Copy, Debug)]
pub enum ChangeRule {
    /// By an operation in place, which creation says as well.
    Alter(fn(&AttributeStep<'_>) -> Operation),
    /// By an operation in place that follows everything else, also after creation.
    Afterwards(fn(&AttributeStep<'_>) -> Operation),
    /// Only by a new object in its place, for this reason.
    Replace(&'static str),
}

impl Kind {
    /// The row of a key.
    pub fn field(&self, key: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == key)
    }
}

impl Managed {
    /// An attribute by name.
    pub fn attribute(&self, name: &str) -> Option<&'static Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// The attributes that an entity declares.
    pub fn entity_attributes(&self) -> impl Iterator<Item = &'static Attribute> + use<> {
        self.attributes.iter().filter(|attribute| attribute.declared == Declared::ByEntity)
    }
}

/// Every entity type, in the order in which the official loader lists them.
pub static KINDS: &[&Kind] = &[
    &application::KIND,
    &application_package::KIND,
    &streamlit::KIND,
    &snowpark::FUNCTION,
    &snowpark::PROCEDURE,
    &compute_pool::KIND,
    &image_repository::KIND,
    &service::KIND,
    &notebook::KIND,
    &snowflake_app::KIND,
];

/// The types whose entities may have a key.
pub fn kinds_with_key(key: &str) -> impl Iterator<Item = &'static Kind> {
    KINDS.iter().copied().filter(move |kind| kind.field(key).is_some())
}

/// A type by the name behind `type:`.
pub fn by_type_name(name: &str) -> Option<&'static Kind> {
    KINDS.iter().copied().find(|kind| kind.type_name == name)
}

/// The way to deploy objects of a type.
pub fn managed(object_type: ObjectType) -> &'static Managed {
    match object_type {
        ObjectType::ImageRepository => &image_repository::MANAGED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_managed_kind_is_found_by_its_object_type() {
        for kind in KINDS {
            let Some(found) = kind.managed else { continue };
            assert_eq!(managed(found.object_type).object_type, found.object_type);
            assert_eq!(found.object_type.type_name(), kind.type_name);
        }
    }
}
