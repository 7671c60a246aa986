CREATE IMAGE REPOSITORY cleared COMMENT = 'old words'
CREATE IMAGE REPOSITORY never
CREATE IMAGE REPOSITORY kept COMMENT = 'not declared, so not compared'
