CREATE IMAGE REPOSITORY full
CREATE IMAGE REPOSITORY empty
-- image LOCAL.PUBLIC.FULL app 1.0 sha256:aaaa
-- image LOCAL.PUBLIC.FULL app latest sha256:aaaa
-- image LOCAL.PUBLIC.FULL db 2.0 sha256:bbbb
