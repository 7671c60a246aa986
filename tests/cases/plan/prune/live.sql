CREATE IMAGE REPOSITORY kept COMMENT = '[snowform project=shop]'
CREATE IMAGE REPOSITORY empty COMMENT = '[snowform project=shop]'
CREATE IMAGE REPOSITORY filled COMMENT = 'x [snowform project=shop]'
CREATE IMAGE REPOSITORY nobodys
CREATE IMAGE REPOSITORY others COMMENT = '[snowform project=other]'
CREATE IMAGE REPOSITORY almost COMMENT = '[snowform project=shop] '
CREATE SCHEMA local.elsewhere
CREATE IMAGE REPOSITORY local.elsewhere.ours COMMENT = '[snowform project=shop]'
-- image LOCAL.PUBLIC.FILLED app 1 sha256:aa
-- image LOCAL.PUBLIC.FILLED app 2 sha256:bb
