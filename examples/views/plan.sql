-- Plan: 2 to create, 1 to alter, 1 to replace, 1 to drop, 1 unchanged in account LOCAL as role SYSADMIN.
-- Written by snowform 0.1.0.
-- not managed: dashboard (streamlit), snowflake.yml:25

-- Guard: stops here unless this is account LOCAL.
EXECUTE IMMEDIATE $$
DECLARE
  another_account EXCEPTION (-20001, 'this script is for account LOCAL');
BEGIN
  IF (NOT ARRAY_CONTAINS(SPLIT_PART('LOCAL', '.', 1)::VARIANT, ARRAY_CONSTRUCT(
      CURRENT_ACCOUNT(), REPLACE(CURRENT_ACCOUNT_NAME(), '_', '-'),
      REPLACE(CURRENT_ORGANIZATION_NAME() || '-' || CURRENT_ACCOUNT_NAME(), '_', '-')))) THEN
    RAISE another_account;
  END IF;
END;
$$;

USE ROLE SYSADMIN;

-- 1 of 5: create image repository LOCAL.PUBLIC.BASE_IMAGES, snowflake.yml:5
CREATE IMAGE REPOSITORY LOCAL.PUBLIC.BASE_IMAGES COMMENT = 'Images that others are built on';

-- 2 of 5: replace image repository LOCAL.PUBLIC.SEALED_IMAGES, snowflake.yml:19
-- HAZARD drops-images: destroys 1 image (1 tag); Snowflake cannot bring them back
CREATE OR REPLACE IMAGE REPOSITORY LOCAL.PUBLIC.SEALED_IMAGES ENCRYPTION = ( TYPE = 'SNOWFLAKE_SSE' );

-- 3 of 5: alter image repository LOCAL.PUBLIC.API_IMAGES, snowflake.yml:8
ALTER IMAGE REPOSITORY LOCAL.PUBLIC.API_IMAGES SET COMMENT = 'Images of the public API.\nBuilt by the pipeline of the platform team; do not push by hand.\nKept for thirty days.';

-- 3 of 5: alter image repository LOCAL.PUBLIC.API_IMAGES, snowflake.yml:8
-- HAZARD widens-access: ROLE PUBLIC may READ it
GRANT READ ON IMAGE REPOSITORY LOCAL.PUBLIC.API_IMAGES TO ROLE PUBLIC;

-- 4 of 5: create image repository LOCAL.PUBLIC.WORKER_IMAGES, snowflake.yml:14
CREATE IMAGE REPOSITORY LOCAL.PUBLIC.WORKER_IMAGES;

-- 5 of 5: drop image repository LOCAL.PUBLIC.OLD_IMAGES, snowform.yml:15
-- HAZARD drops-images: destroys 2 images (2 tags); Snowflake cannot bring them back
DROP IMAGE REPOSITORY LOCAL.PUBLIC.OLD_IMAGES;
