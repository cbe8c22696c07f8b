stage   = "dev"
old_key = "not to be shown either"
