CREATE IMAGE REPOSITORY changed TAG (team = 'red')
CREATE IMAGE REPOSITORY same TAG (team = 'blue', cost = '9')
