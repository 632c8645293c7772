"""The site: settings, addresses, accounts, the staff site and the processes that make up a running marketplace."""
