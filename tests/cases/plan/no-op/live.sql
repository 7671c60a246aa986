CREATE IMAGE REPOSITORY repo COMMENT = 'not declared, so not compared'
CREATE IMAGE REPOSITORY other
