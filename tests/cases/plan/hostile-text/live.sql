CREATE IMAGE REPOSITORY repo COMMENT = '`@everyone` </details>'
