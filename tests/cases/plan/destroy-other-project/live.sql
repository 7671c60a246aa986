CREATE IMAGE REPOSITORY theirs COMMENT = '[snowform project=other]'
