CREATE IMAGE REPOSITORY kept COMMENT = '[snowform project=shop]'
CREATE IMAGE REPOSITORY locked COMMENT = '[snowform project=shop prevent_drop]'
