"""What every room needs of mail: messages, headers, and the interface of providers."""
