"""Who may sign in: accounts, mailboxes, passwords, second factors and sessions."""
