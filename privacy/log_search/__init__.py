"""The log as staff read it: searched, counted, kept as searches, and taken out as a bundle: USE-3, PROTECT-3, RIGHTS-9."""
