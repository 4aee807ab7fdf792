"""Check in the DNS that mail of the sender's domain can be trusted: SPF, DKIM, DMARC, and where replies go."""
