"""What an installation consists of: keys, certificates, accounts, streams and consumers."""
