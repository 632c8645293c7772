"""Invoices: numbered without gaps, with the billed party kept as long as tax law says."""
