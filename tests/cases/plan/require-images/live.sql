CREATE IMAGE REPOSITORY ready
CREATE IMAGE REPOSITORY lacking
-- image LOCAL.PUBLIC.READY app 1 sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
-- image LOCAL.PUBLIC.LACKING app 1 sha256:bb
