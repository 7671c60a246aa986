CREATE IMAGE REPOSITORY a COMMENT = 'Kept'
CREATE IMAGE REPOSITORY b COMMENT = 'text stays [snowform prevent_drop]'
CREATE IMAGE REPOSITORY c COMMENT = 'old [snowform project=shop prevent_drop]'
