CREATE IMAGE REPOSITORY old_name COMMENT = '[snowform project=shop]'
-- image LOCAL.PUBLIC.OLD_NAME app 1 sha256:aa
-- image LOCAL.PUBLIC.OLD_NAME app latest sha256:aa
-- image LOCAL.PUBLIC.OLD_NAME web/ui 2 sha256:bb
