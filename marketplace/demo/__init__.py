"""The demo: accounts, mailbox and data to try the site with. Installed only where ``settings.DEMO`` is on."""
