CREATE IMAGE REPOSITORY lifted COMMENT = '[snowform prevent_drop]'
