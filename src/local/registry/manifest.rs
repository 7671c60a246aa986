//! Manifests: what one refers to, and whether it is one at all.
//!
//! Its bytes are kept exactly as they came; only what the registry needs to know is read here (OCI image
//! specification 1.1; Docker's schema 2 has the same members).

use super::failure::{Code, Failure};
use super::reference::Digest;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// The largest manifest, in bytes; the specification asks for at least this.
pub(crate) const MAX_BYTES: usize = 4 * 1024 * 1024;

/// A manifest's type where nobody says it.
const DEFAULT_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";

/// What the registry reads of a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// Its media type.
    pub(crate) media_type: String,
    /// The blobs that must be there.
    pub(crate) blobs: Vec<Digest>,
    /// The manifests that must be there.
    pub(crate) manifests: Vec<Digest>,
    /// The manifest that this one says something about; it need not be there.
    pub(crate) subject: Option<Digest>,
    /// What kind of artifact it is: said, or the type of its config.
    pub(crate) artifact_type: Option<String>,
    /// Its annotations.
    pub(crate) annotations: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    schema_version: u64,
    media_type: Option<String>,
    artifact_type: Option<String>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<Descriptor>>,
    subject: Option<Descriptor>,
    #[serde(default)]
    annotations: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    digest: String,
    #[serde(default)]
    urls: Option<Vec<String>>,
}

impl Descriptor {
    fn digest(&self) -> Result<Digest, Failure> {
        Digest::parse(&self.digest)
    }

    /// A layer that may not be distributed stays where its addresses say, and is not pushed.
    fn is_elsewhere(&self) -> bool {
        let restricted =
            self.media_type.contains(".nondistributable.") || self.media_type.contains(".foreign.");
        restricted || self.urls.as_ref().is_some_and(|urls| !urls.is_empty())
    }
}

impl Manifest {
    /// Reads a manifest that was sent under this content type.
    pub(crate) fn parse(content_type: Option<&str>, bytes: &[u8]) -> Result<Self, Failure> {
        let invalid = |why: String| Failure::new(Code::ManifestInvalid, why);
        let document: Document = serde_json::from_slice(bytes)
            .map_err(|error| invalid(format!("this is no image manifest or index: {error}")))?;
        if document.schema_version != 2 {
            return Err(invalid(format!("schema version {} is none of 2", document.schema_version)));
        }
        let media_type = media_type(content_type, &document)?;
        let Document { artifact_type, config, layers, manifests, subject, annotations, .. } = document;
        if config.is_none() && layers.is_none() && manifests.is_none() {
            return Err(invalid("a manifest has a config and layers, an index has manifests".to_owned()));
        }
        let layers = layers.unwrap_or_default();
        let here = config.iter().chain(&layers).filter(|blob| !blob.is_elsewhere());
        Ok(Self {
            blobs: here.map(Descriptor::digest).collect::<Result<_, _>>()?,
            manifests: manifests.iter().flatten().map(Descriptor::digest).collect::<Result<_, _>>()?,
            subject: subject.as_ref().map(Descriptor::digest).transpose()?,
            artifact_type: artifact_type
                .filter(|said| !said.is_empty())
                .or_else(|| config.map(|config| config.media_type)),
            annotations: annotations.unwrap_or_default(),
            media_type,
        })
    }
}

/// What the manifest says of itself, and what the request says of it, without parameters; they must agree.
fn media_type(content_type: Option<&str>, document: &Document) -> Result<String, Failure> {
    let header = content_type.map(|text| text.split(';').next().unwrap_or_default().trim());
    // Clients that know no better send these.
    let header = header.filter(|text| !matches!(*text, "" | "application/json" | "application/octet-stream"));
    match (header, document.media_type.as_deref().filter(|said| !said.is_empty())) {
        (Some(header), Some(said)) if header != said => Err(Failure::new(
            Code::ManifestInvalid,
            "the manifest's mediaType is not the request's Content-Type",
        )
        .about(json!({ "mediaType": said, "contentType": header }))),
        (Some(text), _) | (None, Some(text)) => Ok(text.to_owned()),
        (None, None) => Ok(DEFAULT_TYPE.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::registry::reference::Algorithm;

    fn digest(content: &str) -> Digest {
        Digest::of(Algorithm::Sha256, content.as_bytes())
    }

    fn image() -> Value {
        json!({
            "schemaVersion": 2,
            "config": {"mediaType": "application/vnd.x", "digest": digest("c").to_string(), "size": 1},
            "layers": [
                {"mediaType": "l", "digest": digest("l").to_string(), "size": 1},
                {"mediaType": "application/vnd.oci.image.layer.nondistributable.v1.tar", "size": 1,
                 "digest": digest("n").to_string()},
            ],
            "subject": {"mediaType": "m", "digest": digest("s").to_string(), "size": 1},
            "annotations": {"a": "b"},
        })
    }

    #[test]
    fn an_image_refers_to_its_config_its_layers_and_its_subject() {
        let manifest = Manifest::parse(None, image().to_string().as_bytes()).unwrap();
        assert_eq!(manifest.blobs, [digest("c"), digest("l")], "and not to what stays elsewhere");
        assert_eq!(manifest.subject, Some(digest("s")));
        assert_eq!(manifest.artifact_type.as_deref(), Some("application/vnd.x"));
        assert_eq!(manifest.media_type, DEFAULT_TYPE);
        assert_eq!(manifest.annotations["a"], "b");
    }

    #[test]
    fn an_index_refers_to_manifests() {
        let index = json!({"schemaVersion": 2, "artifactType": "t", "mediaType": "index", "manifests": [
            {"mediaType": "m", "digest": digest("m").to_string(), "size": 1}]});
        let manifest = Manifest::parse(Some("index; charset=utf-8"), index.to_string().as_bytes()).unwrap();
        assert_eq!((manifest.manifests, manifest.artifact_type), (vec![digest("m")], Some("t".to_owned())));
        assert!(Manifest::parse(Some("other"), index.to_string().as_bytes()).is_err(), "they disagree");
    }

    #[test]
    fn what_is_no_manifest_is_refused() {
        let mut old = image();
        old["schemaVersion"] = json!(1);
        let mut broken = image();
        broken["config"]["digest"] = json!("sha256:1");
        let texts = ["", "[]", "{}", r#"{"schemaVersion": 2}"#, &old.to_string(), &broken.to_string()];
        for text in texts {
            assert!(Manifest::parse(None, text.as_bytes()).is_err(), "{text}");
        }
    }
}
