"""The outbox page: read the mails that were written to files, on the machine that wrote them."""
