CREATE IMAGE REPOSITORY there COMMENT = 'Marked already [snowform project=shop]'
CREATE IMAGE REPOSITORY adopted COMMENT = 'somebody made it'
CREATE IMAGE REPOSITORY foreign COMMENT = 'theirs [snowform project=other]'
CREATE IMAGE REPOSITORY gone COMMENT = '[snowform project=shop]'
CREATE IMAGE REPOSITORY nobodys
