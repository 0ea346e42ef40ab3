"""What every service stands on: the account, its sessions, the SQL engine, statements rewritten for it."""
