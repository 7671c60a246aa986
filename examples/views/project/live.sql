CREATE IMAGE REPOSITORY api_images COMMENT = 'Images of the public API.
Built by the pipeline of the platform team; do not push by hand.
Kept for ninety days.'
CREATE IMAGE REPOSITORY sealed_images
CREATE IMAGE REPOSITORY quiet_images
CREATE IMAGE REPOSITORY old_images
-- image LOCAL.PUBLIC.OLD_IMAGES importer 2.3 sha256:6f3c1b0a9d8e7f60
-- image LOCAL.PUBLIC.OLD_IMAGES importer latest sha256:9a0b1c2d3e4f5a6b
-- image LOCAL.PUBLIC.SEALED_IMAGES vault 1.0 sha256:0c1d2e3f4a5b6c7d
