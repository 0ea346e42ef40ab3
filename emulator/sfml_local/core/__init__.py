"""What all services use: the account, its sessions, the SQL engine, and the rewriting of statements for it."""
