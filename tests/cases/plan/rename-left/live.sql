CREATE IMAGE REPOSITORY old_name COMMENT = '[snowform project=shop]'
-- image LOCAL.PUBLIC.OLD_NAME app 1 sha256:aa
